"""Rule packages: found, walked, and contained when they are broken; nothing of the scanned tree is loaded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backaudit import plugins
from backaudit.check import check
from backaudit.facts.place import Place, Span
from backaudit.isolation import isolate
from backaudit.rule import Finding, Rule
from backaudit.rulenames import BUILT_IN_FAMILIES, is_built_in
from backaudit.testing import scan
from tests.report.samples import make_rule

RULE = '''
from collections.abc import Iterator
from backaudit.rule import Finding, rule

@rule("{id}", severity="low")
def found(project) -> Iterator[Finding]:
    """A title."""
    yield from ()
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Write a package of modules (dotted name -> text) onto the import path, and load its rules."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def load(name: str, **modules: str) -> plugins.Loaded:
        for module, text in {"": "", **modules}.items():
            path = tmp_path / name / Path(*module.split("__")) if module else tmp_path / name
            if module and not module.endswith("_pkg"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.with_suffix(".py").write_text(text)
            else:
                path.mkdir(parents=True, exist_ok=True)
                (path / "__init__.py").write_text(text)
        return plugins.load_from([EntryPoint(name, name, plugins.GROUP)])

    yield load
    for name in set(sys.modules) - before:
        del sys.modules[name]


def ids(loaded: plugins.Loaded) -> list[str]:
    return [rule.id for rule in loaded.rules if rule.family != "directives"]


def test_the_built_in_rules_are_found_like_any_others() -> None:
    loaded = plugins.load(reraise=True)
    assert loaded.problems == ()
    assert {rule.family for rule in loaded.rules} <= BUILT_IN_FAMILIES
    assert [rule.id for rule in loaded.rules] == sorted(rule.id for rule in loaded.rules)
    assert all(is_built_in(rule) for rule in loaded.rules)
    assert "directives/unused" in {rule.id for rule in loaded.rules}


def test_a_package_is_walked_and_reexports_count_once(package: Any) -> None:
    loaded = package(
        "acme_walk",
        one=RULE.format(id="acme/one"),
        deep_pkg="from acme_walk.one import found as again\n",
        deep_pkg__two=RULE.format(id="acme/two"),
    )
    assert loaded.problems == ()
    assert ids(loaded) == ["acme/one", "acme/two"]


@pytest.mark.parametrize(
    "broken", ["raise RuntimeError('secret text')", "import no_such_module_at_all", "x = (", "raise SystemExit(3)"]
)
def test_a_broken_package_is_named_and_the_others_go_on(package: Any, broken: str) -> None:
    package("acme_fine", one=RULE.format(id="acme/one"))
    package("acme_broken", one=RULE.format(id="broken/one"), two=broken)
    points = [EntryPoint(name, name, plugins.GROUP) for name in ("acme_broken", "acme_fine")]
    loaded = plugins.load_from(points)
    assert "acme/one" in ids(loaded)
    (problem,) = loaded.problems
    assert problem.kind == "crash"
    assert "acme_broken" in problem.message
    assert "secret text" not in problem.message


def test_a_package_that_is_not_there_is_a_crash() -> None:
    (problem,) = plugins.load_from([EntryPoint("x", "no_such_package_at_all", plugins.GROUP)]).problems
    assert (problem.kind, "no_such_package_at_all" in problem.message) == ("crash", True)


@pytest.mark.parametrize("family", sorted(BUILT_IN_FAMILIES))
def test_a_third_party_may_not_use_a_built_in_family(package: Any, family: str) -> None:
    name = f"acme_{family}"
    loaded = package(name, one=RULE.format(id=f"{family}/mine"), two=RULE.format(id=f"{name}/fine"))
    assert ids(loaded) == [f"{name}/fine"]
    assert f'the family "{family}" is built in' in loaded.problems[0].message


def test_an_id_that_is_taken_or_malformed_is_refused(package: Any) -> None:
    loaded = package(
        "acme_twice", one=RULE.format(id="acme/one"), two=RULE.format(id="acme/one"), z=RULE.format(id="acme")
    )
    assert ids(loaded) == ["acme/one"]
    assert len(loaded.problems) == 2


# -- the scanned tree --------------------------------------------------------------------------------------------------


def test_the_current_folder_and_the_scanned_tree_leave_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    kept = str(tmp_path / "elsewhere")
    own = [entry for entry in sys.path if "site-packages" in entry or entry.startswith(sys.base_prefix)]
    monkeypatch.setattr(sys, "path", ["", str(tmp_path / "cwd"), str(tmp_path / "scanned" / "src"), kept, *own])
    isolate(tmp_path / "scanned")
    assert sys.path == [kept, *own]


def test_what_is_installed_stays_though_it_lies_in_the_scanned_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(sys.path)
    site = [entry for entry in before if entry.endswith("site-packages")]
    monkeypatch.setattr(sys, "path", list(before))
    isolate(Path(site[0]).parent)
    assert set(site) <= set(sys.path)


OURS = ("click", "msgspec", "libcst", "bandit", "pathspec", "tomli", "jinja2", "sqlglot", "evil_rules", "app")
STANDARD = ("pathlib", "typing", "sysconfig", "contextlib", "textwrap", "json", "sqlite3", "hashlib", "difflib")


@pytest.mark.e2e
@pytest.mark.parametrize(("names", "environment"), [(OURS + STANDARD, {}), (OURS, {"PYTHONPATH": "."})])
def test_nothing_of_the_folder_that_the_command_is_typed_in_is_run(
    tmp_path: Path, names: tuple[str, ...], environment: dict[str, str]
) -> None:
    bomb = f"open({str(tmp_path / 'boom')!r}, 'w').close()\n"
    for name in names:
        (tmp_path / f"{name}.py").write_text(bomb)
    dist = tmp_path / "evil-1.dist-info"
    dist.mkdir()
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n")
    (dist / "entry_points.txt").write_text("[backaudit.rules]\nevil = evil_rules\n")
    command = [sys.executable, "-m", "backaudit", "scan", ".", "--no-cache", "--format", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=120)
    assert not (tmp_path / "boom").exists()
    assert done.returncode in (0, 1), done.stderr
    assert "evil" not in done.stderr


# -- check -------------------------------------------------------------------------------------------------------------


class _Project:
    def scope_at(self, path: str, line: int) -> str:
        return f"{path}@{line}"


def _rule(id: str, *, fails: bool = False, yields: Any = None) -> Rule:
    def ask(project: Any) -> Iterator[Finding]:
        yield yields or Finding(place=Place("a.py", Span(3, 0, 3, 1)), message="x")
        if fails:
            raise ValueError("the text of a secret")

    import msgspec

    return msgspec.structs.replace(make_rule(id), check=ask)


def test_a_rule_that_fails_keeps_what_it_has_yielded_and_costs_no_other() -> None:
    checked = check(_Project(), [_rule("a/one", fails=True), _rule("a/two")])
    assert [(rule.id, finding.scope) for rule, finding in checked.findings] == [
        ("a/one", "a.py@3"),
        ("a/two", "a.py@3"),
    ]
    assert checked.crashed == {"a/one"}
    (problem,) = checked.problems
    assert problem.kind == "crash"
    assert problem.message.startswith('The rule "a/one" failed (ValueError at test_plugins.py:')
    assert problem.message.endswith("The rest of its findings is missing.")
    assert "secret" not in problem.message


def test_tests_see_the_exception() -> None:
    with pytest.raises(ValueError, match="the text of a secret"):
        check(_Project(), [_rule("a/one", fails=True)], reraise=True)


def test_what_is_no_finding_is_a_crash() -> None:
    checked = check(_Project(), [_rule("a/one", yields="a string"), _rule("a/two")])
    assert (set(checked.crashed), len(checked.findings)) == ({"a/one"}, 1)


def test_a_scope_that_a_rule_gives_is_kept() -> None:
    finding = Finding(place=Place("a.py", Span(3, 0, 3, 1)), message="x", scope="mine")
    assert check(_Project(), [_rule("a/one", yields=finding)]).findings[0][1].scope == "mine"


TABLE = """
[sources]
"acme.web.read" = "a field of Acme's"
[cleans]
sql = ["acme.web.quoted"]
"""
READS = """
import sqlite3

from acme.web import quoted, read

db = sqlite3.connect("app.db")
db.execute("SELECT id FROM items WHERE name = '" + {} + "'")
"""


def _with_models(package: Any, tmp_path: Path, text: str) -> plugins.Loaded:
    package("acme_models", one=RULE.format(id="acme/one"))
    folder = tmp_path / "acme_models" / "models"
    folder.mkdir(exist_ok=True)
    (folder / "acme.toml").write_text(text)
    return plugins.load_from([EntryPoint("acme", "acme_models", plugins.GROUP)])


def test_what_a_package_knows_of_a_library_holds_for_all_rules(package: Any, tmp_path: Path) -> None:
    loaded = _with_models(package, tmp_path, TABLE)
    built_in = plugins.load_families(["validation"])
    both = msgspec.structs.replace(built_in, tables=loaded.tables)
    reports = [scan({"app.py": READS.format(given)}, both) for given in ("read('q')", "quoted(read('q'))")]
    assert [len(report.issues) for report in reports] == [1, 0]
    assert "A field of Acme's comes from the client" in reports[0].issues[0].finding.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sourcess]\n", "there is no section [sourcess]"),
        ("[sources]\n'a.b' = 3\n", "must be what the source is called"),
        ("[cleans]\nsql = 'a.b'\n", "[cleans] sql must be a list"),
        ("[hashers]\n'a.b' = 'stong'\n", 'must be "strong" or "weak"'),
        ("[handovers]\n'a.b' = { function = 1 }\n", "has not the form"),
        ("[sources\n", "models/acme.toml cannot be used"),
    ],
)
def test_models_that_cannot_be_used_are_a_problem_that_says_why(
    package: Any, tmp_path: Path, text: str, said: str
) -> None:
    loaded = _with_models(package, tmp_path, text)
    (problem,) = loaded.problems
    assert said in problem.message
    assert (loaded.tables, "acme/one" in ids(loaded)) == ((), True)
