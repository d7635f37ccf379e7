"""Asks every rule its question. A rule that fails keeps what it has yielded, and costs no other rule anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from backaudit.crash import contained
from backaudit.facts.problem import Problem
from backaudit.rule import Finding, Rule


class Scoped(Protocol):
    """What is asked of a project here; the rules ask the rest."""

    def scope_at(self, path: str, line: int) -> str:
        """The qualified name of the function or class at ``line`` (1-based) of ``path``, empty at module level."""


class Checked(msgspec.Struct, frozen=True):
    """What the rules yielded, in no promised order, and which of them failed."""

    findings: tuple[tuple[Rule, Finding], ...]
    problems: tuple[Problem, ...] = ()
    crashed: frozenset[str] = frozenset()


def check(project: Scoped, rules: Iterable[Rule], *, reraise: bool = False) -> Checked:
    """Run ``rules`` over ``project``; ``crashed`` holds the ids of those whose findings are not complete."""
    findings: list[tuple[Rule, Finding]] = []
    problems: list[Problem] = []
    crashed: set[str] = set()
    for rule in rules:
        before = len(problems)
        with contained(problems, f'The rule "{rule.id}"', rest="The rest of its findings is missing.", reraise=reraise):
            _ask(rule, project, findings)
        if len(problems) > before:
            crashed.add(rule.id)
    return Checked(tuple(findings), tuple(problems), frozenset(crashed))


def _ask(rule: Rule, project: Scoped, findings: list[tuple[Rule, Finding]]) -> None:
    for finding in rule.check(project):  # type: ignore[arg-type]
        if not isinstance(finding, Finding):
            raise TypeError(f"yielded {type(finding).__name__}, not a Finding")
        if not finding.scope:
            scope = project.scope_at(finding.place.path, finding.place.span.line)
            finding = msgspec.structs.replace(finding, scope=scope)
        findings.append((rule, finding))
