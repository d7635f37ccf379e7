"""Fixes, applied to all fixtures of their rules: what is mended is gone, nothing has come, nothing else is touched."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import pytest

from backaudit import plugins, workcopy
from backaudit.audit import Audit, Request
from backaudit.config import Config
from backaudit.fix.applying import applied, chosen
from backaudit.fixing import NEW_FINDING, Changed, Outcome, fixed, write_changed
from backaudit.issue import Issue, Report
from backaudit.rule import Fix
from backaudit.rulenames import RuleNames
from backaudit.source import lines
from backaudit.testing import find

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
# The rules with fixes, how many findings of their fixtures these mend at least, and whether --fix makes them alone.
FIXABLE = {
    "auth/insecure-cookie": (15, "safe"),
    "auth/jwt-not-verified": (2, "safe/unsafe"),
    "auth/jwt-weak-alg": (2, "unsafe"),
    "auth/weak-random-token": (10, "safe"),
    "deploy/allowed-hosts-any": (1, "unsafe"),
    "deploy/debug-on": (6, "unsafe"),
    "deploy/docker-root": (7, "unsafe"),
    "deploy/insecure-settings": (6, "unsafe"),
    "deploy/tls-verify-off": (8, "unsafe"),
    "errors/swallowed-exception": (5, "safe/unsafe"),
    "errors/unhandled-not-found": (10, "safe"),
    "errors/unlogged-500": (1, "safe"),
    "indexes/unindexed-filter": (17, "unsafe"),
    "indexes/unindexed-join": (2, "unsafe"),
    "indexes/unindexed-sort": (1, "unsafe"),
    "passwords/password-exposed": (1, "unsafe"),
    "passwords/plaintext-storage": (4, "unsafe"),
    "secrets/db-url-password": (1, "unsafe"),
    "secrets/env-file-not-ignored": (2, "safe"),
    "secrets/hardcoded-secret": (10, "unsafe"),
    "secrets/insecure-env-default": (5, "unsafe"),
    "secrets/jwt-secret": (3, "unsafe"),
    "validation/sql-injection": (3, "unsafe"),
    "validation/unsafe-deserialization": (2, "safe"),
}


@cache
def loaded() -> plugins.Loaded:
    return plugins.load(reraise=True)


def audit(root: Path) -> Audit:
    config = Config(strict=True)
    return Audit(Request(root=root, config=config, loaded=loaded(), use_git=False, jobs=1, reraise=True))


def mended(report: Report, root: Path, folder: Path) -> Outcome:
    """What becomes of all fixes of a project that was scanned; it is changed by them."""
    copy = workcopy.copy(root, audit(root).discovery.files, folder, use_git=False)
    outcome = fixed(report, root=root, copy=copy, again=lambda: audit(copy).report(), unsafe=True)
    write_changed(root, outcome.changed)
    return outcome


def projects(rule: str, folder: Path) -> Iterator[Path]:
    """A copy of each fixture of a rule."""
    names = RuleNames(loaded().rules)
    for number, fixture in enumerate(find(FIXTURES / rule.replace("-", "_"), names)):
        root = folder / str(number)
        if fixture.path.is_dir():
            shutil.copytree(fixture.path, root)
        else:
            root.mkdir(parents=True)
            shutil.copy(fixture.path, root)
        yield root


def found(report: Report) -> Counter[str]:
    return Counter(issue.rule.id for issue in report.issues)


def fixes_of(report: Report, rule: str) -> list[Fix]:
    fixes = (issue.fix(unsafe=True) for issue in report.issues if issue.rule.id == rule)
    return [fix for fix in fixes if fix is not None]


@pytest.mark.parametrize("rule", sorted(FIXABLE))
def test_what_is_fixed_is_gone_and_nothing_has_come(rule: str, tmp_path: Path) -> None:
    gone, tiers = 0, set[str]()
    for root in projects(rule, tmp_path / "projects"):
        before = audit(root).report()
        if not fixes_of(before, rule):
            continue
        tiers |= {"safe" if fix.safe else "unsafe" for fix in fixes_of(before, rule)}
        outcome = mended(before, root, tmp_path / f"copy-{root.name}")
        after = audit(root).report()
        assert found(after) - found(before) == Counter(), root
        assert len(before.issues) - len(after.issues) == outcome.fixed
        gone += found(before)[rule] - found(after)[rule]
        for changed in outcome.changed:
            assert_only_edits(changed, before)
        # Applied twice, nothing changes.
        assert not mended(after, root, tmp_path / f"again-{root.name}").changed
    assert gone >= FIXABLE[rule][0]
    assert tiers == set(FIXABLE[rule][1].split("/"))


def assert_only_edits(changed: Changed, report: Report) -> None:
    """The text is Python still, and what the edits of a report do not speak of has its bytes, in its order."""
    if changed.path.endswith(".py"):
        ast.parse(changed.after)
    if changed.before is None:
        return
    fixes = [fix for issue in report.issues if (fix := issue.fix(unsafe=True)) is not None]
    made = [fix for fix, is_made in zip(fixes, chosen(fixes), strict=True) if is_made]
    edits = [edit for fix in made for edit in fix.edits if edit.place.path == changed.path]
    touched = {number for edit in edits for number in range(edit.place.span.line, edit.place.span.end_line + 1)}
    kept = [line for number, line in enumerate(lines(changed.before.text), 1) if number not in touched]
    rest = iter(lines(applied(changed.before.text, edits)))
    assert all(line in rest for line in kept), changed.path


ANSWERS = {
    "fastapi": """
import app.services.tasks, app.database
from fastapi.testclient import TestClient
from app.main import app as served
print(TestClient(served).get("/health").json())
with app.database.SessionLocal() as session:
    print(app.services.tasks.search(session, "tea at 100%"))
""",
    "flask": """
from recipebox.services import nutrition
from wsgi import app
client = app.test_client()
print([client.get(path).status_code for path in ("/recipes/", "/nowhere", "/accounts/")])
""",
}


@pytest.mark.e2e
@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_an_application_that_is_mended_still_answers(name: str, tmp_path: Path) -> None:
    root = tmp_path / "app"
    shutil.copytree(FIXTURES / "apps" / name, root)
    before = audit(root).report()
    answered = answers(name, root, {})
    outcome = mended(before, root, tmp_path / "copy")
    after = audit(root).report()
    assert outcome.fixed >= 8
    assert found(after) - found(before) == Counter()
    for changed in outcome.changed:
        assert_only_edits(changed, before)
    variables = (line.partition("=")[0] for line in (root / ".env.example").read_text().splitlines())
    assert answers(name, root, {name: f"set-in-a-test-of-{name}" for name in variables}) == answered


def answers(name: str, root: Path, variables: dict[str, str]) -> str:
    """What an application says, started in a process of its own with only these variables of its own."""
    for database in root.rglob("*.db"):
        database.unlink()
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join([str(root), *sys.path]), **variables}
    done = subprocess.run(
        [sys.executable, "-c", ANSWERS[name]], cwd=root, env=own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_fix_that_brings_a_finding_elsewhere_is_told_from_the_others(tmp_path: Path) -> None:
    """What comes in a file that no fix touches may be any fix's fault: fewer are tried until it is known whose."""
    root = tmp_path / "project"
    root.mkdir()
    cookie = "from flask import make_response\nanswer = make_response('in')\nanswer.set_cookie('session_id', 'x')\n"
    names = [f"{letter}.py" for letter in "abcdefgh"]
    for name in (*names, "elsewhere.py"):
        (root / name).write_text(f"{cookie}print({name!r})\n")
    before = without(audit(root).report(), "elsewhere.py")
    copy = workcopy.copy(root, audit(root).discovery.files, tmp_path / "copy", use_git=False)
    scans = 0

    def again() -> Report:
        nonlocal scans
        scans += 1
        report = audit(copy).report()
        is_brought = "httponly" in (copy / "f.py").read_text("utf-8")
        return report if is_brought else without(report, "elsewhere.py")

    outcome = fixed(before, root=root, copy=copy, again=again, unsafe=True)
    assert [changed.path for changed in outcome.changed] == [name for name in names if name != "f.py"]
    assert [(issue.finding.place.path, why) for issue, why in outcome.left] == [("f.py", NEW_FINDING)]
    assert scans <= 2 * len(names).bit_length()


def is_at(issue: Issue, path: str) -> bool:
    return issue.finding.place.path == path


def without(report: Report, path: str) -> Report:
    return msgspec.structs.replace(report, issues=tuple(issue for issue in report.issues if not is_at(issue, path)))
