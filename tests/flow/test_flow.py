"""The flow engine: each construct has twins, a path reads in the order in which it happens, bounds are Problems."""

from __future__ import annotations

from pathlib import Path

import pytest

from backaudit import plugins
from backaudit.audit import Audit, Request
from backaudit.config import Config
from backaudit.flow import trace
from backaudit.testing import scan

FLOW = Path(__file__).resolve().parents[2] / "fixtures" / "flow"
LOADED = plugins.load(reraise=True)
SQL = [rule for rule in LOADED.rules if rule.id == "validation/sql-injection"]

SERVICE = {
    "app.py": """
from flask import Flask, request

from service import search

app = Flask(__name__)


@app.get("/items")
def items():
    wanted = request.args["q"]
    return {"items": search(wanted)}
""",
    "service.py": """
import sqlite3


def search(name):
    statement = "SELECT id FROM items WHERE name = '" + name + "'"
    return sqlite3.connect("app.db").execute(statement).fetchall()
""",
}


@pytest.mark.parametrize("folder", sorted(FLOW.iterdir()), ids=lambda folder: folder.name)
def test_each_construct_flows_in_one_program_and_not_in_its_twin(folder: Path) -> None:
    texts = {
        twin: "".join(path.read_text("utf-8") for path in sorted(folder.rglob("*.py")) if twin in path.as_posix())
        for twin in ("flows", "quiet")
    }
    assert "# want: sql-injection" in texts["flows"] or "# todo: sql-injection" in texts["flows"]
    assert "# ok: sql-injection" in texts["quiet"]


def test_the_path_goes_from_the_source_over_each_hop_to_the_sink() -> None:
    (issue,) = scan(SERVICE, LOADED, SQL).issues
    steps = [(step.place.path, step.place.span.line, step.text) for step in issue.finding.trace]
    assert steps == [
        ("app.py", 11, "the query string comes from the client"),
        ("app.py", 11, "is kept as `wanted`"),
        ("app.py", 12, "is passed to `search()` as `name`"),
        ("service.py", 6, "is kept as `statement`"),
        ("service.py", 7, "is run as SQL"),
    ]


def test_a_search_that_is_cut_short_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "_MAX_STEPS", 100)
    functions = "\n".join(
        f"def f{n}(x):\n    return f{(n * 2 + 1) % 97}(x) + f{(n * 3 + 2) % 97}(x + g{n % 7})\n" for n in range(97)
    )
    code = (
        "import sqlite3\n\n\n" + functions + "\n\ndef run(x):\n"
        "    sqlite3.connect('a.db').execute('SELECT 1 FROM t WHERE a = ' + f0(x))\n"
    )
    problems = scan({"app.py": code}, LOADED, SQL).problems
    assert {problem.kind for problem in problems} == {"bound"}


OWN = """
import sqlite3

from acme import fine, glued, quoted, read

db = sqlite3.connect("app.db")


def index():
    wanted = read("q")
    db.execute("SELECT 1 FROM a WHERE b = '" + wanted + "'")  # 11
    db.execute("SELECT 1 FROM a WHERE b = '" + quoted(wanted) + "'")
    db.execute("SELECT 1 FROM a WHERE b = '" + glued("x", wanted) + "'")  # 13
    if fine(wanted):
        db.execute("SELECT 1 FROM a WHERE b = '" + wanted + "'")
"""


def test_a_project_says_what_its_own_functions_are(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(OWN)
    own = Config(
        strict=True, select=("validation/sql-injection",), sources=("acme.read",), sanitizers={"sql": ("acme.quoted",)},
        guards={"sql": ("acme.fine",)}, propagators=("acme.glued",),
    )  # fmt: skip
    request = Request(root=tmp_path, config=own, loaded=LOADED, use_git=False, jobs=1, root_name="project")
    issues = Audit(request).report().issues
    assert [issue.finding.place.span.line for issue in issues] == [11, 13]
