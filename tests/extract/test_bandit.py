"""bandit's checks, run without its driver: what is found must be what bandit's own command finds."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backaudit import ruledoc
from backaudit.extract.bandit import MASK, extract_bandit
from backaudit.extract.bandit.checks import looks_like_sql
from backaudit.facts.bandit import BanditHit, BanditSkipped
from backaudit.facts.place import Span
from backaudit.project.modules import role_of
from backaudit.rule import Finding, Rule

LIBRARY = Path(sysconfig.get_path("stdlib"))
# Enough to be sure of it at every run; the whole library is a long test.
PACKAGES = ("asyncio", "concurrent", "ctypes", "http", "json", "logging", "multiprocessing", "urllib", "wsgiref", "xml")
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"

TOLD = ("filename", "test_id", "line_number", "issue_severity", "issue_confidence", "test_name")

# What the table's examples do not show: odd places for strings and imports, comments, what checks trip over.
ODDITIES: dict[str, str | bytes] = {
    "imports.py": """\
import os, subprocess as sp, pickle
from . import subprocess
from .. import telnetlib as t
from requests import get as fetch, post
import xml.etree.ElementTree as ET
__import__("pickle"); __import__(name); __import__()
import importlib
importlib.import_module("telnetlib")
importlib.import_module(name="ftplib")
importlib.import_module()
@fetch("x")
def f(): from httpx import get as fetch
fetch("y"); post("z", timeout=None)
sp.call(["ls"]); sp.Popen("ls", shell=True); sp.Popen(shell=True)
sp.run("chown * x", shell=True,
       cwd="/tmp")
a.b().run(debug=True); (lambda: 0)(); x[0]("a", shell=1)
call(**{"password": "x"}); call(**"x")
import tarfile, yaml, torch
tarfile.open("x").extractall(members=[1, 2])
tarfile.open("x").extractall(members=f())
tarfile.open("x").extractall(members=f.g())
yaml.load(x, yaml.SafeLoader); torch.load(a)
os.chmod([f(), g], 0o777); os.chmod(name, mode)
""",
    "strings.py": '''\
"""/tmp/docstring"""
"0.0.0.0"
x = "0.0.0.0"
password = "a"; self.token = b"b"; secret: str = "c"
passwords = token = "d"
config = {"password": "e", "token": None, **{"pwd": 7}, "x": "password"}
config["password"] = "f"; config["a"]["token"] = g["password"] = "h"; config["password"]
if password == "i" or "j" == password or self.token != "k" < "l": pass
login(user, password="m",
      token="n")
login(token="o", *a, **k)
def f(a, password="p", *, token="q"): pass
def g(a="r", /, password="s"): pass
async def h(password="t"): pass
lambda password="u": 0
query = "SELECT a FROM b WHERE c = " + d + " AND e"
query = "SELECT a FROM b WHERE c = %s" % d
cursor.execute("SELECT a FROM b WHERE c = {}".format(d))
cursor.execute("SELECT a FROM b WHERE c = d".replace("d", e))
cursor.execute(f"SELECT a FROM {b} WHERE c")
cursor.execute(f"{a}SELECT a FROM b{c} WHERE c" f"DELETE FROM {d}")
cursor.execute("sel" f"ect {a} from {b}")
text = "Please select one " + noun + " from the list"
"SELECT a FROM b".format
with open("/tmp/x") as f, open(f"/var/tmp/{y}"): pass
[z for z in y if "/dev/shm/z"]
match command:
    case "0.0.0.0" if "/tmp": pass
    case {"password": "v"}: pass
try: pass
except: pass
for a in b:
    try: pass
    except Exception: continue
    except (ValueError, Exception): pass
    except: ...
''',
    "excused.py": """\
import pickle  # nosec
import pickle  # nosec B403
import pickle  # nosec B404
import pickle  # nosec: B403,B404 because
import pickle  # nosec blacklist
import pickle  # nosec import_pickle
import pickle  # nosec of unknown
import pickle  #nosec#
import pickle  # noqa # nosec B404 # nosec B403
import pickle  # NOSEC
assert (a,  # nosec B101
        b)
assert (a,
        b)  # nosec
assert (a,  # nosec B102
        b)  # nosec B101
subprocess.call("a", password="b",
                shell=True,  # nosec B604
                token="c")
login(a,
      password="b",  # nosec B106
      token="c")
config = {  # nosec B105
    "password": "d",
    "e": 1, }
def f(a="/tmp/x",  # nosec
      b="/tmp/y"): pass
def f(password="p"):
    return '''# nosec'''
def f(password="p"):
    return 1  # nosec B107
[z for z in y
 if "/tmp/z"]  # nosec
for z in ["/tmp/a",
          "/tmp/b",  # nosec B108
          ]: pass
match command:
    case 1 if "/tmp": pass  # nosec
text = "# nosec", "/tmp"
try: pass
except:  # nosec
    pass
""",
    "markup.py": """\
from django.utils.safestring import mark_safe, SafeString
from django.utils import safestring
mark_safe("a"); mark_safe(a)
def f(a):
    b = "c"
    mark_safe(a); mark_safe(b); mark_safe("%s" % b); mark_safe("{}".format(b)); mark_safe(b + a)
    SafeString(b)
    b += a
    safestring.mark_safe(b)
async def g(a):
    return mark_safe(a)
class C:
    x = mark_safe(x)
mark_safe()
""",
    "latin.py": b"# coding: latin-1\npassword = '\xe9\xe8'; assert '\xe9'\n",
    "bom.py": b"\xef\xbb\xbfassert a\n",
    "windows.py": b"import os\r\nassert a\r\nlogin(b,\r\n      password='\xc3\xa9')\r\n",
    "hidden.py": 'a = 1\nb = "\u202e\u2066"  \n',
    "hidden_excused.py": 'a = 1\nb = "\u202e"  # nosec\n',
    "hidden_excused_above.py": '# nosec B613\nb = "\u202e"\n',
    "broken.py": "def f(:\n",
    "empty.py": "",
}


def bandit_says(folder: Path, *options: str) -> dict[str, Any]:
    """The report of bandit's own command."""
    command = [sys.executable, "-m", "bandit", "-q", "-r", str(folder), "-f", "json", *options]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert run.returncode in (0, 1), run.stderr
    report: dict[str, Any] = json.loads(run.stdout)
    return report


def both(folder: Path, *options: str) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """(bandit's, ours), sorted, for all files that bandit says it has read: file, id, line, and what else it tells."""
    report = bandit_says(folder, *options)
    unread = {entry["filename"] for entry in report["errors"]}
    theirs = [(*(hit[key] for key in TOLD), hit["issue_cwe"].get("id", 0)) for hit in report["results"]]
    files = [name for name in report["metrics"] if name != "_totals" and name not in unread]
    assert files
    ours = [
        (name, hit.test_id, hit.span.line, hit.severity, hit.confidence, hit.test_name, hit.cwe)
        for name in files
        for hit in hits(Path(name).read_bytes())
    ]
    return sorted(theirs), sorted(ours)


def hits(text: str | bytes) -> tuple[BanditHit, ...]:
    found = extract_bandit(text, "app.py")
    assert isinstance(found, tuple), found
    return found


def reported(text: str | bytes) -> list[tuple[str, int]]:
    return [(hit.test_id, hit.span.line) for hit in hits(text)]


def quoted(text: str, span: Span) -> str:
    lines = text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column]
    lines[0] = lines[0][span.column :]
    return "\n".join(lines)


def rows() -> tuple[Any, ...]:
    table: tuple[Any, ...] = importlib.import_module("backaudit_rules.bandit.table").TABLE
    return table


def rules() -> dict[str, Rule]:
    module = importlib.import_module("backaudit_rules.bandit.checks")
    return {value.name: value for value in vars(module).values() if isinstance(value, Rule)}


def examples() -> Iterator[tuple[Any, str, str]]:
    """(row, "Bad" or "Good", code)"""
    for row in rows():
        doc = ruledoc.read(row.doc)
        yield from ((row, "Bad", text) for example in doc.bad for _, text in example.files)
        yield from ((row, "Good", text) for example in doc.good for _, text in example.files)


# The same findings as bandit's.


@pytest.mark.e2e
@pytest.mark.parametrize("package", PACKAGES)
def test_the_standard_library_gives_what_bandit_reports(package: str) -> None:
    theirs, ours = both(LIBRARY / package)
    assert ours == theirs


@pytest.mark.e2e
@pytest.mark.long
def test_the_rest_of_the_standard_library_gives_what_bandit_reports() -> None:
    # Its own tests are two thirds of it, and take bandit two minutes.
    left_out = ("site-packages", "dist-packages", "test", "idlelib", "lib2to3", *PACKAGES)
    theirs, ours = both(LIBRARY, "-x", ",".join(str(LIBRARY / name) for name in left_out))
    assert len(ours) > 500
    assert ours == theirs


@pytest.mark.e2e
def test_the_fixtures_give_what_bandit_reports() -> None:
    theirs, ours = both(FIXTURES)
    assert ours == theirs


@pytest.mark.e2e
def test_examples_and_oddities_give_what_bandit_reports(tmp_path: Path) -> None:
    for number, (row, kind, code) in enumerate(examples()):
        (tmp_path / f"{row.id}_{kind}_{number}.py").write_text(code, encoding="utf-8")
    for name, text in ODDITIES.items():
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    theirs, ours = both(tmp_path)
    assert ours == theirs
    missed = {row.id for row in rows()} - {test_id for _, test_id, *_ in theirs}
    assert not missed


@pytest.mark.e2e
def test_messages_are_bandits_but_for_secrets_and_addresses(tmp_path: Path) -> None:
    for name in ("imports.py", "strings.py", "markup.py"):
        (tmp_path / name).write_text(str(ODDITIES[name]), encoding="utf-8")
    theirs = Counter(hit["issue_text"] for hit in bandit_says(tmp_path)["results"] if is_plain(hit["issue_text"]))
    ours = Counter(hit.text for path in tmp_path.iterdir() for hit in hits(path.read_bytes()) if is_plain(hit.text))
    assert len(theirs) > 20
    assert ours == theirs


def is_plain(message: str) -> bool:
    return "password:" not in message and "'Other'" not in message


SQL_WORDS = (
    "select",
    "SELECT ",
    "from",
    "from\n",
    "delete",
    "insert",
    "into ",
    "values(",
    "update\t",
    "set ",
    " ",
    "x",
)


@given(st.lists(st.sampled_from(SQL_WORDS), max_size=12).map("".join))
def test_sql_is_recognised_as_by_bandits_regular_expression(text: str) -> None:
    expression = importlib.import_module("bandit.plugins.injection_sql").SIMPLE_SQL_RE
    assert looks_like_sql(text) == (expression.search(text) is not None)


# What differs from bandit on purpose.


def test_a_message_has_no_address_of_an_object() -> None:
    code = "import tarfile\ntarfile.open(a).extractall(members=[1])\n"
    (hit,) = hits(code)
    assert "List" in hit.text
    assert "0x" not in hit.text


@pytest.mark.parametrize(
    ("code", "secrets"),
    [
        ("password = 'geheim'", ["'geheim'"]),
        ("self.password = 'ge' 'heim'", ["'ge' 'heim'"]),
        ("x = {'password': 'geheim', 'b': 'c'}", ["'geheim'"]),
        ("x['password'] = 'geheim'", ["'geheim'"]),
        ("if password == 'geheim': pass", ["'geheim'"]),
        ("password = '''ge'\nheim'''", ["'''ge'\nheim'''"]),
        ("login('é', password='geheim', token='geheim2')", ["'geheim'", "'geheim2'"]),
        ("def f(a, password='geheim', *, token='geheim2'): pass", ["'geheim'", "'geheim2'"]),
        ("def f(password='geheim', /, b='c', token='geheim2'): pass", ["'geheim'", "'geheim2'"]),
    ],
)
def test_no_message_has_a_secret_and_each_is_marked(code: str, secrets: list[str]) -> None:
    (hit,) = hits(code)
    assert MASK in hit.text
    assert "heim" not in hit.text
    assert [quoted(code, span) for span in hit.secrets] == secrets


def test_other_hits_have_no_secrets() -> None:
    assert all(hit.secrets == () for hit in hits("assert a\nimport pickle\nx = '/tmp/a'\n"))


# Places.


def test_columns_count_code_points() -> None:
    code = "é = '𝄞ü'; assert é, '\U0001f600'; x = 1"
    (hit,) = hits(code)
    assert quoted(code, hit.span) == "assert é, '\U0001f600'"


def test_a_span_begins_where_bandit_points() -> None:
    code = "from subprocess import run\nrun('ls /',\n    cwd=a,\n    shell=True)\n"
    spans = {hit.test_id: quoted(code, hit.span) for hit in hits(code)}
    assert spans["B602"] == "True"
    assert spans["B607"].startswith("run('ls /'")


def test_the_span_of_a_compound_statement_is_its_first_line() -> None:
    code = "def f(password='p',  # c\n      b=2):\n    try:\n        a()\n    except Exception:  \n        pass\n"
    spans = {hit.test_id: quoted(code, hit.span) for hit in hits(code)}
    assert spans == {"B107": "def f(password='p',  # c", "B110": "except Exception:"}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_end_as_in_an_editor(newline: str) -> None:
    code = newline.join(["a = '''\x0c", "\u2028'''", "assert a", "b = 1  # nosec", "assert b  # nosec", "c = '\u202e'"])
    assert reported(code) == [("B101", 3), ("B613", 6)]


def test_bytes_are_decoded_as_their_first_lines_say() -> None:
    assert reported(b"# coding: latin-1\nx = '\xe9'; assert x\n") == [("B101", 2)]
    assert reported("# coding: latin-1\nx = 'é'; assert x\n") == [("B101", 2)]
    assert hits(b"\xef\xbb\xbfassert a") == hits("assert a") == hits("\ufeffassert a")


# What cannot be read.


@pytest.mark.parametrize(
    "text",
    ["print 1", "a = \0", "(" * 3000 + ")" * 3000, b"a = '\xff'", b"# coding: klingon\n"],
    ids=["python 2", "null", "parentheses", "bytes", "coding"],
)
def test_what_ast_cannot_read_is_said(text: str | bytes) -> None:
    found = extract_bandit(text, "app.py")
    assert isinstance(found, BanditSkipped)
    assert found.reason


def test_a_sum_of_a_hundred_thousand_terms_is_read_or_refused() -> None:
    found = extract_bandit("+".join("1" * 100_000), "app.py")
    assert found == () or isinstance(found, BanditSkipped)  # which of them depends on the interpreter


def test_the_line_of_a_syntax_error_is_told() -> None:
    found = extract_bandit("a = 1\nb = = 2\n", "app.py")
    assert isinstance(found, BanditSkipped)
    assert found.line == 2


def test_warnings_about_the_scanned_code_are_not_printed(recwarn: pytest.WarningsRecorder) -> None:
    assert reported("a = '\\d'; assert 1 is 1") == [("B101", 1)]
    assert not recwarn.list


def test_depth_that_stops_bandits_driver_does_not_stop_the_walk() -> None:
    code = " + ".join(["a"] * 1500) + "\nassert a\n"
    ast.parse(code)
    assert reported(code) == [("B101", 2)]


def test_bandit_is_imported_when_first_used() -> None:
    code = (
        "import sys; from backaudit.extract.bandit import extract_bandit; assert 'bandit' not in sys.modules;"
        "import warnings; kept = warnings.formatwarning; extract_bandit('a', 'a.py'); assert 'bandit' in sys.modules;"
        "assert warnings.formatwarning is kept"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# The table.


def test_every_check_of_bandit_has_a_row() -> None:
    manager = importlib.import_module("bandit.core.extension_loader").MANAGER
    checks = {
        test_id for test_id, found in manager.plugins_by_id.items() if found.plugin.__module__.startswith("bandit.")
    }
    assert {row.id for row in rows()} == checks | set(manager.blacklist_by_id)


def test_rows_are_sorted_and_become_rules() -> None:
    ids = [row.id for row in rows()]
    assert ids == sorted(set(ids))
    assert sorted(rules()) == ids
    assert {rule.module for rule in rules().values()} == {"backaudit_rules.bandit.checks"}


@pytest.mark.parametrize(("row", "kind", "code"), [pytest.param(*it, id=f"{it[0].id}-{it[1]}") for it in examples()])
def test_examples_show_the_mistake_and_its_absence(row: Any, kind: str, code: str) -> None:
    found = [(hit.severity.lower(), hit.cwe) for hit in hits(code) if hit.test_id == row.id]
    assert found == ([(row.severity, row.cwe)] * len(found) if kind == "Bad" else [])
    assert bool(found) == (kind == "Bad")


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_a_row_is_documented(row: Any) -> None:
    doc = ruledoc.read(rules()[row.id].doc)
    assert doc.title.endswith(".")
    assert doc.why
    assert doc.mend
    assert doc.bad
    assert doc.good
    assert doc.links == (f"https://bandit.readthedocs.io/en/latest/{row.page}",)
    assert row.owasp


def test_pages_are_those_that_bandit_links_to() -> None:
    get_url = importlib.import_module("bandit.core.docs_utils").get_url
    for row in rows():
        assert get_url(row.id).endswith(f"/{row.page}")


def test_a_check_steps_back_when_all_rules_on_its_subject_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("backaudit_rules.bandit.checks")
    both_needed = next(row for row in rows() if len(row.covered_by) == 2)
    shown = []
    for present in ((), both_needed.covered_by[:1], both_needed.covered_by):
        monkeypatch.setattr(module, "_exists", present.__contains__)
        shown.append(module._rule(both_needed).shown)
    assert shown == ["strict", "strict", "selected"]


def test_whether_a_rule_exists_is_seen_from_its_module() -> None:
    exists = importlib.import_module("backaudit_rules.bandit.checks")._exists
    assert exists("bandit/table")
    assert not exists("bandit/no-such-rule")
    assert not exists("no-such-family/rule")


def test_none_is_shown_by_default() -> None:
    assert {rule.shown for rule in rules().values()} <= {"strict", "selected"}


# The rules.


class Hits:
    """Stands for a project in which bandit reported ``found`` on app.py."""

    def __init__(self, found: Iterable[BanditHit], path: str = "app.py") -> None:
        self.found = list(found)
        self.path = path

    def bandit(self, test_id: str) -> Iterator[tuple[str, BanditHit]]:
        return ((self.path, hit) for hit in self.found if hit.test_id == test_id)

    def role(self, path: str) -> str:
        return role_of(path)


def findings(test_id: str, code: str, path: str = "app.py") -> list[Finding]:
    project: Any = Hits(hits(code), path)
    return list(rules()[test_id].check(project))


def test_a_rule_yields_the_hits_of_its_check_alone() -> None:
    (finding,) = findings("B101", "assert a\nx = '/tmp/a'\n")
    assert (finding.place.path, finding.place.span) == ("app.py", Span(1, 0, 1, 8))
    assert finding.message.startswith("Use of assert detected.")
    assert finding.confidence == "high"


def test_an_assert_in_a_test_is_what_it_should_be() -> None:
    assert findings("B101", "assert a\n", "tests/test_app.py") == []
    assert findings("B108", "x = '/tmp/a'\n", "tests/test_app.py") == []


def test_severity_is_the_rules_unless_bandit_differs() -> None:
    bad, mild = findings("B103", "import os\nos.chmod(a, 0o777)\nos.chmod(a, 0o770)\n")
    assert (bad.severity, mild.severity) == (None, "medium")
    assert rules()["B103"].severity == "high"


def test_secrets_go_with_the_finding() -> None:
    (finding,) = findings("B105", "password = 'geheim'\n")
    assert [place.span for place in finding.secrets] == [Span(1, 11, 1, 19)]


@pytest.mark.parametrize("code", [text for _, kind, text in examples() if kind == "Bad"])
def test_messages_are_sentences(code: str) -> None:
    for test_id in rules():
        for finding in findings(test_id, code):
            assert finding.message == finding.message.strip()
            assert finding.message.endswith((".", "!", "?"))
