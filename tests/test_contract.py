"""What every loaded rule promises, whoever wrote it."""

from __future__ import annotations

import re

import pytest

from backaudit import plugins
from backaudit.rule import Rule
from backaudit.ruledoc import read
from backaudit.testing import scan

LOADED = plugins.load(reraise=True)
OWN = [rule for rule in LOADED.rules if rule.module.startswith("backaudit_rules.")]
IDS = [rule.id for rule in OWN]
_CHECK_TABLES = ("bandit",)  # one table of checks instead of a file per rule


@pytest.mark.parametrize("rule", OWN, ids=IDS)
def test_the_id_is_the_place(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+/[A-Za-z0-9-]+", rule.id)
    if rule.family not in _CHECK_TABLES:
        assert rule.module == f"backaudit_rules.{rule.family}.{rule.name.replace('-', '_')}"


@pytest.mark.parametrize("rule", OWN, ids=IDS)
def test_the_documentation_is_whole(rule: Rule) -> None:
    doc = read(rule.doc)
    assert doc.title.endswith(".")
    assert len(doc.title) <= 120
    assert doc.why
    assert doc.mend
    assert doc.bad
    assert doc.good


@pytest.mark.parametrize("rule", OWN, ids=IDS)
def test_security_rules_name_their_weakness(rule: Rule) -> None:
    if "security" in rule.tags:
        assert rule.cwe
        assert rule.owasp
    assert all(re.fullmatch(r"(A\d\d:20(21|25)|API\d+:2023)", entry) for entry in rule.owasp)


_BY_FILES = [rule for rule in OWN if rule.family not in _CHECK_TABLES and "history" not in rule.needs]


@pytest.mark.parametrize("rule", _BY_FILES, ids=lambda rule: rule.id)
def test_both_examples_behave(rule: Rule) -> None:
    doc = read(rule.doc)
    for example in doc.bad:
        assert rule.id in _reported(rule, dict(example.files)), "a bad example is not reported"
    for example in doc.good:
        assert rule.id not in _reported(rule, dict(example.files)), "a good example is reported"


def _reported(rule: Rule, files: dict[str, str]) -> set[str]:
    return {issue.rule.id for issue in scan(files, LOADED, [rule]).issues}
