"""The small back ends under fixtures/apps: the default scan finds what the careless do and is silent on the careful."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from backaudit import plugins
from backaudit.audit import Audit, Request
from backaudit.config import Config
from backaudit.issue import Report
from backaudit.testing import Expectation, expectations_of

APPS = Path(__file__).resolve().parent.parent / "fixtures" / "apps"
NAMES = ("django", "fastapi", "flask")
FIRST_RULES = {
    "passwords/plaintext-storage",
    "passwords/weak-hash",
    "passwords/plaintext-compare",
    "validation/untyped-body",
    "validation/mass-assignment",
    "validation/sql-injection",
    "errors/blanket-500",
    "errors/swallowed-exception",
    "errors/error-detail-leak",
    "indexes/unindexed-filter",
    "indexes/unindexed-sort",
    "secrets/hardcoded-secret",
    "secrets/jwt-secret",
    "secrets/insecure-env-default",
    "secrets/env-file-committed",
}

Spot = tuple[str, int, str]


@cache
def report(name: str) -> Report:
    """The report that a user sees who scans the app without any option."""
    root = APPS / name
    return Audit(
        Request(root=root, config=Config(), loaded=plugins.load(reraise=True), use_git=False, reraise=True)
    ).report()


@cache
def expected(name: str) -> tuple[Expectation, ...]:
    root = APPS / name
    files = sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return tuple(
        item for path in files for item in expectations_of(path.relative_to(root).as_posix(), path.read_text("utf-8"))
    )


def spots(name: str, verdict: str) -> list[tuple[Spot, ...]]:
    """Where a verdict's findings may stand: for a comment alone on its line also the line below."""
    found = [item for item in expected(name) if item.verdict == verdict]
    return [tuple((item.path, line, item.name) for line in item.lines) for item in found]


def reported(name: str) -> list[Spot]:
    issues = [issue for issue in report(name).issues if issue.status == "new"]
    return [(issue.finding.place.path, issue.finding.place.span.line, issue.rule.id) for issue in issues]


def told(name: str) -> set[Spot]:
    """What is reported, and the other places of what is told once for all of them."""
    issues = [issue for issue in report(name).issues if issue.status == "new"]
    steps = ((step.place, issue.rule.id) for issue in issues for step in issue.finding.related)
    return {*reported(name), *((place.path, place.span.line, rule) for place, rule in steps)}


@pytest.mark.parametrize("name", NAMES)
def test_the_careless_app_makes_every_one_of_the_first_mistakes(name: str) -> None:
    assert FIRST_RULES - {item.name for item in expected(name) if item.verdict == "want"} == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_mistake_of_the_careless_app_is_found(name: str) -> None:
    found = told(name)
    assert [wanted[-1] for wanted in spots(name, "want") if found.isdisjoint(wanted)] == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_else_is_found_in_the_careless_app(name: str) -> None:
    wanted = {spot for group in spots(name, "want") for spot in group}
    assert [spot for spot in reported(name) if spot not in wanted] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_careful_twin_is_silent(name: str) -> None:
    assert reported(f"{name}-careful") == []


@pytest.mark.parametrize("name", [*NAMES, *(f"{name}-careful" for name in NAMES)])
def test_all_of_the_app_is_analysed(name: str) -> None:
    assert report(name).problems == ()


@pytest.mark.parametrize("name", NAMES)
def test_the_app_and_its_twin_are_of_the_same_size(name: str) -> None:
    assert expected(f"{name}-careful") == ()
    assert 10 <= len(list((APPS / name).rglob("*.py"))) <= len(list((APPS / f"{name}-careful").rglob("*.py"))) + 2
