"""Whatever the tree, the machine and the cache are like: the run ends, with a line that says what was not done."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from backaudit import commands, config, plugins, regular, source
from backaudit.baseline import Baseline, Entry, listing
from backaudit.cache import NAME
from backaudit.discover import Found, discover
from backaudit.extract import extract
from backaudit.extract.pool import extract_all, fingerprints
from backaudit.facts.problem import Problem
from backaudit.portfolio.card import scorecard
from backaudit.portfolio.records import Portfolio
from backaudit.report import FORMATS, renderer, statistics
from backaudit.report import map as of_map
from backaudit.report import portfolio as of_portfolio
from backaudit.report.jsontext import json_text
from backaudit.report.visible import inert, visible_name
from backaudit.source import decode
from backaudit.survey.compose import survey
from backaudit.testing import scan
from tests.projects import project as linked

LOADED = plugins.load(reraise=True)
WEAK = "import hashlib\n\n\ndef save(user, password):\n    user.password = hashlib.md5(password.encode()).hexdigest()\n"
SECRET = 'API_TOKEN = "vT9#qLw2!mZx8Kd5"\n'


def run(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, **more: object
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env = {**kept, "BACKAUDIT_CACHE_DIR": str(folder.parent / "cache"), **(environment or {})}
    command = [sys.executable, "-m", "backaudit", *arguments]
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command, cwd=folder, capture_output=True, text=True, env=env, timeout=120, check=False, **more
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "app.py").write_text(WEAK)
    return tmp_path / "tree"


# -- special files -----------------------------------------------------------------------------------------------------


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def elsewhere(path: Path) -> None:
    other = path.parent.parent / f"other-{path.name}"
    other.write_text("[tool.backaudit]\nexclude = ['app.py']\n" if path.suffix else "app.py\n")
    path.symlink_to(other)


@pytest.mark.skipif(os.name == "nt", reason="pipes are POSIX's here")
@pytest.mark.parametrize("make", [pipe, endless, elsewhere])
@pytest.mark.parametrize("name", ["pyproject.toml", "backaudit.toml", ".gitignore", ".git", ".env", "x.py"])
def test_special_files_and_links_out_are_not_read(tree: Path, make: Callable[[Path], None], name: str) -> None:
    make(tree / name)
    root = config.find_root((tree,))
    assert root.file is None
    if name.endswith(".toml"):
        assert [note for note in root.notes if name in note and "is not read" in note]
    found = discover(tree)
    assert [file.path for file in found.files if file.path != "requirements.txt"] == ["app.py"]


def test_a_link_within_the_project_may_configure_it(tree: Path) -> None:
    (tree / "conf").mkdir()
    (tree / "conf" / "backaudit.toml").write_text("strict = true\n")
    (tree / "backaudit.toml").symlink_to(tree / "conf" / "backaudit.toml")
    assert config.load(config.find_root((tree,)).file).strict


def test_a_file_above_the_limit_is_not_read_to_be_told_apart(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = tree / "large.py"
    with open(large, "wb") as file:
        file.truncate(3_000_000_000)
    read: list[int] = []
    original = regular.read_regular

    def spy(path: Path, limit: int, **more: Path) -> bytes:
        data = original(path, limit, **more)
        read.append(len(data))
        return data

    monkeypatch.setattr(source, "read_regular", spy)
    files = [Found("large.py", "python", True), Found("app.py", "python", True)]
    first = fingerprints(tree, files)
    assert sum(read) == len(WEAK)
    with open(large, "ab") as file:
        file.truncate(3_000_000_001)
    assert fingerprints(tree, files)["large.py"] != first["large.py"]
    _, problems = extract_all(tree, files, jobs=1)
    assert [(problem.path, problem.kind) for problem in problems] == [("large.py", "too-large")]


# -- the cache ---------------------------------------------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="permissions are POSIX's")
def test_the_folder_that_the_user_names_for_the_cache_stays_as_it_is(tree: Path, tmp_path: Path) -> None:
    shared = tmp_path / "cache"
    shared.mkdir(mode=0o755)
    shared.chmod(0o755)
    assert run(tree, "scan").returncode == 1
    assert shared.stat().st_mode & 0o777 == 0o755
    assert (shared / "backaudit").stat().st_mode & 0o777 == 0o700
    assert (shared / "backaudit" / NAME).is_file()


def spoil_values(database: sqlite3.Connection) -> None:
    for key, value in database.execute("SELECT key, value FROM facts").fetchall():
        database.execute("UPDATE facts SET value = ? WHERE key = ?", (value[:-5] + b"\xff\xc1\x00\x07\x80", key))


def cut_values(database: sqlite3.Connection) -> None:
    database.execute("UPDATE facts SET value = substr(value, 1, length(value) / 2)")


def swap_values(database: sqlite3.Connection) -> None:
    rows = database.execute("SELECT key, value FROM facts ORDER BY key").fetchall()
    for (key, _), (_, value) in zip(rows, rows[1:] + rows[:1], strict=True):
        database.execute("UPDATE facts SET value = ? WHERE key = ?", (value, key))


def other_types(database: sqlite3.Connection) -> None:
    database.execute("UPDATE facts SET value = 'text', used = 'never'")


def no_generation(database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM meta")


@pytest.mark.e2e
@pytest.mark.parametrize("damage", [spoil_values, cut_values, swap_values, other_types, no_generation])
def test_what_is_damaged_in_the_cache_is_computed_anew(
    tree: Path, tmp_path: Path, damage: Callable[[sqlite3.Connection], None]
) -> None:
    (tree / "settings.py").write_text(SECRET)
    first = run(tree, "scan", "--format", "json")
    database = sqlite3.connect(tmp_path / "cache" / "backaudit" / NAME)
    damage(database)
    database.commit()
    database.close()
    for _ in range(2):
        done = run(tree, "scan", "--format", "json")
        assert (done.returncode, done.stdout, done.stderr) == (1, first.stdout, first.stderr)


# -- what cannot be parsed ---------------------------------------------------------------------------------------------


def problem(text: str) -> Problem:
    found = decode("a.py", text.encode())
    assert not isinstance(found, Problem)
    (only,) = extract(found).problems
    return only


MALFORMED = {
    "path": 'x = "C:\\Users\\x"\n',
    "docstring": 'def f():\n    """Reads C:\\Users\\x."""\n',
    "hexadecimal": 'x = "\\xZZ"\n',
    "name": "x = '\\N{no such name}'\n",
    "bytes": "x = b'ü'\n",
    "joined": "x = 'a' 'b\\x1'\n",
    "argument": "f('\\u12')\n",
    "class": "class A:\n    '\\U0011FFFF'\n",
}


def test_a_docstring_that_is_cut_off_by_a_zero_is_unparsable() -> None:
    assert problem("def f():\n    '\0'\n").kind == "unparsable"


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_literal_is_unparsable(name: str) -> None:
    found = problem("import os\n" + MALFORMED[name])
    assert found.kind == "unparsable"
    assert found.message.startswith("Not valid Python: ")
    assert found.line >= 2


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("x = 1\nif x\n    y = 2\n", 2, "expected ':'"),
        ("def f(:\n    pass\n", 1, "invalid syntax"),
        ("x = (1,\ny = 2\n", 1, "'(' was never closed"),
        ("a = 1\n  b = 2\n", 2, "unexpected indent"),
        ("def f():\n    return 'x\n", 2, "unterminated string literal"),
        ("print 'x'\n", 1, "Missing parentheses"),
    ],
)
def test_a_syntax_error_says_what_the_interpreter_says_at_its_place(text: str, line: int, said: str) -> None:
    found = problem(text)
    assert (found.kind, found.line) == ("unparsable", line)
    assert said in found.message
    assert "error: error" not in found.message


# -- definitions that lead back to themselves --------------------------------------------------------------------------

CIRCLES = {
    "app/__init__.py": "",
    "app/base.py": """\
from app.settings import *

BASE = (TimeoutError, *ALL)
A = B
LIMIT = LIMIT * 2
NAMES = NAMES
URL = URL or SECOND
RESPONSES = {**RESPONSES, 404: dict}
LINES = [LINES]
T = S
QUERY = {'$or': [QUERY]}
""",
    "app/settings.py": """\
from app.base import *
from typing import Annotated, Optional

ALL = (*BASE, KeyError)
B = A
SECOND = URL or SECOND
LIMIT = LIMIT + LIMIT
NAMES = NAMES
RESPONSES = RESPONSES | RESPONSES
LINES = [LINES]
S = Optional[T]
T = Annotated[S, 1]
KINDS = [('a', KINDS), ('b', KINDS)]
RULES = {'type': 'list', 'schema': RULES}
BOTH = BASE + ALL + BOTH
""",
    "app/main.py": """\
import re
from fastapi import FastAPI, Query, Depends
from passlib.context import CryptContext
from sqlalchemy import create_engine, String, Column
from pymongo import MongoClient
from wtforms import StringField, Form
from marshmallow import Schema, fields, validate
from flask_restx import Api, reqparse
from cerberus import Validator
from app.settings import ALL, BASE, BOTH, KINDS, LIMIT, LINES, NAMES, QUERY, RESPONSES, RULES, S, T, URL

app = FastAPI()
engine = create_engine(URL)
pwd = CryptContext(schemes=NAMES, bcrypt__rounds=LIMIT)
db = MongoClient(URL)['shop']
api = Api()
parser = parser.copy()
model = api.inherit('M', model, model)
validator = Validator({'a': RULES})


class F(Form):
    name = StringField(validators=LINES)
    kind = StringField(choices=KINDS)


class One(Schema):
    name = fields.Str(validate=validate.Length(max=LIMIT))
    kind = fields.Str(validate=LINES)


@app.get('/{a}', responses=RESPONSES)
def get(a: T, b: S = Query(max_length=LIMIT, pattern=NAMES)):
    try:
        return db.things.find(QUERY)
    except ALL:
        return None
    except BASE:
        return None
    except BOTH:
        return None


@app.exception_handler(ALL)
def handle(request, error):
    return {'detail': str(error)}


@api.expect(model)
@api.expect(parser)
def post(a: One):
    form = F()
    validator.validate(a)
    return pwd.hash(form.name.data)
""",
}


def test_definitions_in_a_circle_are_no_crash() -> None:
    report = scan(CIRCLES, LOADED)
    assert [found for found in report.problems if found.kind == "crash"] == []
    assert linked(CIRCLES).once(survey).routes


PARTIAL = """\
from functools import partial

from flask import Flask, redirect, request
from flask_login import login_required
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    password_hash = db.Column(db.String(80))


class Note(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(80))
    user_id = db.Column(db.Integer, db.ForeignKey("user.id"))


VERY_MANY = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]


def count(options, note_id):
    return len(options)


look = partial(count, {"fields": VERY_MANY, "more": [dict(a=1), dict(b=2)]})


@app.post("/notes/<int:note_id>")
@login_required
def edit(note_id):
    look(note_id)
    note = Note.query.get_or_404(note_id)
    note.title = request.form["title"]
    db.session.commit()
    return redirect("/")
"""


def test_a_partial_of_the_module_costs_no_finding() -> None:
    report = scan({"requirements.txt": "flask\nflask-sqlalchemy\nflask-login\n", "app.py": PARTIAL}, LOADED)
    assert [one.message for one in report.problems if one.kind == "crash"] == []
    assert "auth/missing-ownership-check" in [issue.rule.id for issue in report.issues]


# -- names -------------------------------------------------------------------------------------------------------------


def test_control_characters_of_names_are_shown_as_escapes_in_every_format() -> None:
    name = "a\n::error::b\x1b[31m\u2028\r##vso[x].py"
    report = scan({name: WEAK, "b\n::error::.py": "def f(:\n"}, LOADED)
    assert {issue.finding.place.path for issue in report.issues} == {name}
    for format in ("text", "json", "sarif", "html", "github"):
        text = renderer(format)(report)
        for line in text.splitlines():
            assert "\x1b" not in line
            assert not line.lstrip().startswith("::error::"), format
        if format == "text":
            assert r"a\n::error::b\x1b[31m\u2028\r##vso" in text
            assert "##vso[" not in text
        if format == "html":
            assert r"a\n::error::b\x1b[31m\u2028\r&#35;#vso[x].py" in text


# Of a name, a text and a number of a line: what ends it, what begins a command of a build's, what acts on a terminal.
ACTING = r"\n::error::no\n  ::set-env::x\x1b]0;t\x07\x9b31m##vso[task.x]\u2028\u202e\u2067"
NAMES = f"""\
import hashlib
from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
app = Flask("{ACTING}")
db = SQLAlchemy(app)
class User(db.Model):
    __tablename__ = "users{ACTING}"
    id = db.Column(db.Integer, primary_key=True)
    email = db.Column("mail{ACTING}", db.String(80))
    password = db.Column(db.String(200))
@app.post("/users{ACTING}/<int:number>")
def save(number):
    \"""{ACTING}\"""
    user = User(password=hashlib.md5(request.form["password{ACTING}"].encode()).hexdigest())
    db.session.add(user)
    db.session.commit()
    return {{"id": user.id, "x": int(request.args["n{ACTING}"])}}
@app.get("/q{ACTING}")
def find():
    return str(User.query.filter_by(email=request.args["q{ACTING}"]).all())
"""
ACTS = re.compile(r"(?m)^\s*::\w|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def written() -> Mapping[str, str]:
    """Every format of a project in which all names act: the file's, and those of tables, columns, routes and keys."""
    name = ACTING.encode().decode("unicode_escape")
    files = {"requirements.txt": "flask\nflask-sqlalchemy\n", f"app{name}.py": NAMES, f"b{name}.py": "def f(:\n"}
    report, project = replace(scan(files, LOADED), root_name=name), linked(files)
    found = replace(project.once(survey), root_name=name, problems=report.problems)
    card = Portfolio(cards=(replace(project.once(scorecard), application=name),), root_name=name, version="1")
    said = {format: renderer(format)(report) for format in FORMATS if format != "github"}
    said |= {f"map {format}": of_map.renderer(format)(found) for format in of_map.FORMATS}
    said |= {f"portfolio {format}": of_portfolio.renderer(format)(card) for format in of_portfolio.FORMATS}
    entries = [Entry(name, name, "a", message=name, reason=name)]
    return {**said, "baseline": listing(Baseline(entries), ()), "statistics": statistics.render(report, "text")}


@pytest.mark.parametrize("format", [*(f for f in FORMATS if f != "github"), "statistics", "baseline"])
def test_no_name_acts_in_a_report(written: Mapping[str, str], format: str) -> None:
    assert ACTS.findall(written[format]) == []
    assert "##vso[" not in written[format]
    assert format == "statistics" or "error" in written[format]


OTHERS = [*(f"map {format}" for format in of_map.FORMATS), *(f"portfolio {format}" for format in of_portfolio.FORMATS)]


@pytest.mark.parametrize("format", OTHERS)
def test_no_name_acts_in_a_map_or_a_scorecard(written: Mapping[str, str], format: str) -> None:
    assert ACTS.findall(written[format]) == []
    assert "##vso[" not in written[format]
    assert format == "portfolio svg" or "error" in written[format]


def test_what_json_holds_is_written_as_its_escapes_and_read_as_it_was() -> None:
    data = {"a": ("\x9b\u202e", "##vso[x]", "###[y]", "## z", "\udc80")}
    text = json_text(data)
    assert text.isascii() or "\ufffd" in text
    assert "##vso[" not in text
    assert json.loads(text) == {"a": ["\x9b\u202e", "##vso[x]", "###[y]", "## z", "\ufffd"]}


@pytest.mark.e2e
def test_a_name_on_standard_error_begins_no_command(tree: Path) -> None:
    for arguments in (["scan", "x\n::error::y"], ["scan", "--x\n::error::y"], ["explain", "x\n::error::y"]):
        done = run(tree, *arguments)
        assert done.returncode == 2
        assert not [line for line in done.stderr.splitlines() if line.lstrip().startswith("::error")]


def test_what_builds_take_for_commands_is_made_unfit() -> None:
    text = "  ::error::x\na ::b\n::c\n##[d]\nx ##vso[e]\n:: f\n## g\n"
    assert inert(text) == "  \\::error::x\na ::b\n\\::c\n##\\[d]\nx ##vso\\[e]\n:: f\n## g\n"
    assert visible_name("a\tb\\c") == "a\\tb\\c"


# -- a run over nothing ------------------------------------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.parametrize("files", [{}, {"main.py": ""}, {"index.js": "x()\n", "package.json": "{}\n"}])
def test_a_project_without_a_back_end_is_told_so(tmp_path: Path, files: dict[str, str]) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    for name, text in files.items():
        (root / name).write_text(text)
    done = run(root, "scan")
    assert done.returncode == 0, done.stderr
    assert "No Python back end found here: 0 routes, 0 tables in " in done.stdout
    assert "No findings" not in done.stdout
    said = json.loads(run(root, "scan", "--format", "json").stdout)
    assert said["back_end"] == {"routes": 0, "tables": 0, "collections": 0}
    assert "No Python back end found here" in run(root, "scan", "--format", "github").stdout
    assert "No Python back end found here" in run(root, "scan", "--format", "json", "-o", "r.json").stderr


@pytest.mark.e2e
def test_a_scan_counts_files_routes_and_tables_at_its_end() -> None:
    app = Path(__file__).resolve().parent.parent / "fixtures" / "apps" / "flask"
    done = run(app, "scan", "--no-cache", "--fail-on", "never")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("[*]")]
    last = next(line for line in reversed(lines) if line.strip())
    assert " files: " in last
    assert " routes, " in last
    assert last.endswith(" tables.")


def test_only_empty_files_are_extracted(tmp_path: Path) -> None:
    for name in ("main.py", "__init__.py", "b.py"):
        (tmp_path / name).write_text("")
    facts, problems = extract_all(tmp_path, discover(tmp_path).files, jobs=2)
    assert (len(facts), problems) == (3, [])


# -- streams, signals, descriptors -------------------------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="shells are POSIX's here")
@pytest.mark.parametrize("redirected", [">&-", "2>&-", ">&- 2>&-", "<&-", "| true", "2>&1 | true"])
@pytest.mark.parametrize("arguments", ["--help", "scan --help", "scan", "rules", "explain weak-hash", "version", "map"])
def test_a_stream_that_is_closed_is_no_fault_of_ours(tree: Path, arguments: str, redirected: str) -> None:
    command = f'"{sys.executable}" -m backaudit {arguments} {redirected}; echo "${{PIPESTATUS[0]}}"'
    env = {**os.environ, "BACKAUDIT_CACHE_DIR": str(tree.parent / "cache"), "PYTHONPATH": ""}
    done = subprocess.run(["bash", "-c", command], cwd=tree, capture_output=True, env=env, timeout=120, check=False)
    assert b"This is a fault of" not in done.stderr + done.stdout
    assert b"Traceback" not in done.stderr
    assert done.stdout.split()[-1] in (b"0", b"1")


@pytest.mark.e2e
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", ["--help", "scan", "rules", "version"])
def test_a_full_disk_is_a_clear_line(tree: Path, arguments: str) -> None:
    with open("/dev/full", "w") as full:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        env = {**kept, "BACKAUDIT_CACHE_DIR": str(tree.parent / "cache")}
        command = [sys.executable, "-m", "backaudit", *arguments.split()]
        done = subprocess.run(
            command, cwd=tree, stdout=full, stderr=subprocess.PIPE, text=True, env=env, timeout=120, check=False
        )
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="limits are POSIX's")
@pytest.mark.parametrize("limit", [6, 8, 10, 12, 16, 24])
def test_too_few_descriptors_are_a_clear_line(tree: Path, limit: int) -> None:
    done = run(
        tree, "scan", "--no-cache", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    )
    assert "This is a fault of" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode in (1, 2), done.stderr
    if done.returncode == 2:
        assert "Too many open files" in done.stderr


# The command, with a stage that says it is there and then waits: what comes next happens in the middle of a run.
WAITING = """
import sys, time
from backaudit.entry import begin
begin()
from backaudit import audit, cli
from backaudit.extract import pool

def wait(*arguments, **named):
    print("ready", flush=True)
    time.sleep(600)

if sys.argv.pop(1) == "pool":
    pool._Pool._step = wait
else:
    audit.Audit.report = wait
cli.main(sys.argv[1:])
"""


def started(folder: Path, where: str, *arguments: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    (folder.parent / "temporary").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, where, *arguments],
        cwd=folder,
        env={**kept, "TMPDIR": str(folder.parent / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated"), (signal.SIGHUP, 129, "terminated")],
)
def test_a_run_that_is_ended_says_so(tree: Path, number: signal.Signals, code: int, said: str) -> None:
    process = started(tree, "pool", "scan", "--no-cache", "--output", "r.json")
    os.killpg(process.pid, number)
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr.strip()) == (code, f"backaudit: {said}: no report was written")
    assert not (tree / "r.json").exists()


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_staged_contents_are_cleared_away_when_the_run_is_ended(tree: Path, number: signal.Signals) -> None:
    for arguments in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *arguments], cwd=tree, check=True, capture_output=True)
    process = started(tree, "report", "scan", "--staged", "--no-cache")
    temporary = tree.parent / "temporary"
    copies = [folder for folder in temporary.iterdir() if (folder / "app.py").is_file()]
    assert len(copies) == 1
    assert all(folder.stat().st_mode & 0o777 == 0o700 for folder in temporary.iterdir())
    process.send_signal(number)
    process.communicate(timeout=60)
    assert list(temporary.iterdir()) == []


# -- the interpreter's own switches ------------------------------------------------------------------------------------


@pytest.mark.e2e
def test_the_texts_of_rules_and_commands_outlive_an_interpreter_that_drops_docstrings(tree: Path) -> None:
    for arguments in (["explain", "weak-hash"], ["--help"], ["scan", "--help"], ["rules"], ["scan", "--no-cache"]):
        plain, bare = (run(tree, *arguments, environment=env) for env in ({}, {"PYTHONOPTIMIZE": "2"}))
        assert (plain.returncode, plain.stdout) == (bare.returncode, bare.stdout)
        assert plain.returncode in (commands.OK, commands.FINDINGS)
        assert len(plain.stdout) > 200
