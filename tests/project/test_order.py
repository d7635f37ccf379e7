"""What a rule finds is its own: the same alone, among others, and whoever asked before it; so is where it is ended."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import pytest

from backaudit import asking, models, plugins
from backaudit.check import check
from backaudit.discover import discover
from backaudit.extract.pool import extract_all
from backaudit.facts import ops
from backaudit.facts.files import FileFacts
from backaudit.flow.search import Goal, Search
from backaudit.flow.trace import Access, Trace
from backaudit.project import Node, Project, link
from backaudit.rule import Rule
from backaudit.steps import Spent, Steps
from tests.projects import project

APPS = Path(__file__).resolve().parents[2] / "fixtures" / "apps"
RULES = [each for each in plugins.load(reraise=True).rules if "history" not in each.needs]
KNOWN = models.load()


@lru_cache
def facts(app: str) -> Sequence[FileFacts]:
    files = discover(APPS / app).files
    return extract_all(APPS / app, files, jobs=1, wanted=frozenset({"code", "bandit"}))[0]


def said(app: str, rules: Sequence[Rule], most: int) -> dict[str, tuple[list[str], list[str]]]:
    """What each rule finds and could not be asked, of a project that nobody has asked before."""
    linked: Project = link(facts(app), KNOWN.knowledge, KNOWN)
    found = {}
    for each in rules:
        answer = check(linked, [each], watch=lambda: asking.limited(linked, most))
        findings = sorted(repr(finding) for _, finding in answer.findings)
        found[each.id] = findings, [problem.message for problem in answer.problems]
    return found


def orders() -> Iterator[list[Rule]]:
    yield RULES[::-1]
    shuffled = list(RULES)
    random.Random(9).shuffle(shuffled)
    yield shuffled
    for family in sorted({each.family for each in RULES}):
        yield [each for each in RULES if each.family == family]


@pytest.mark.parametrize("most", [asking.STEPS_OF_A_RULE, 60])
@pytest.mark.parametrize("app", ["django", "fastapi", "flask"])
def test_a_rule_finds_the_same_alone_and_among_others(app: str, most: int) -> None:
    whole = said(app, RULES, most)
    assert sum(len(findings) for findings, _ in whole.values()) > 5
    assert any(problems for _, problems in whole.values()) == (most == 60)
    for rules in orders():
        for name, answer in said(app, rules, most).items():
            assert answer == whole[name], name


def test_what_is_computed_once_is_counted_by_itself() -> None:
    steps = Steps()

    def take(count: int) -> None:
        for _ in range(count):
            steps.take()

    with steps.at_most(10):
        take(6)
        with steps.apart():
            take(10)
        take(4)
        with pytest.raises(Spent), steps.apart():
            take(11)
        with pytest.raises(Spent):
            take(1)
    assert steps.taken == 11


class Parameters(Goal):
    """Looks for what functions are given."""

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        return "a parameter" if isinstance(node.op, ops.Param) else None


SHARED = {
    "shop.py": "STORE = {}\n\n\ndef show():\n    print(STORE['q'])\n",
    "tests/test_shop.py": "from shop import STORE\n\n\ndef test_it(q):\n    STORE['q'] = q\n    print(STORE['q'])\n",
}


@pytest.mark.parametrize("first", [0, 1])
def test_what_tests_put_into_a_shared_object_counts_for_them_alone(first: int) -> None:
    linked = project(SHARED)
    calls = sorted(linked.calls_of("print"), key=lambda call: call.place.path)
    found = {}
    for call in (calls[first], calls[1 - first]):
        found[call.place.path] = [o.what for o in Trace(linked, Parameters()).origins(call.args()[0], use=call.value)]
    assert found == {"shop.py": [], "tests/test_shop.py": ["a parameter"]}
