"""Asks every rule its question. A rule that fails keeps what it has yielded, and costs no other rule anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import msgspec

from backaudit.crash import contained
from backaudit.facts.place import Place
from backaudit.facts.problem import Problem
from backaudit.rule import Finding, Rule
from backaudit.steps import Spent


class Scoped(Protocol):
    """What is asked of a project here; the rules ask the rest."""

    def scope_at(self, path: str, line: int) -> str:
        """The qualified name of the function or class at ``line`` (1-based) of ``path``, empty at module level."""


class Checked(msgspec.Struct, frozen=True):
    """What the rules yielded, in no promised order, and which of them failed."""

    findings: tuple[tuple[Rule, Finding], ...]
    problems: tuple[Problem, ...] = ()
    crashed: frozenset[str] = frozenset()


class Overdue(Exception):
    """A rule has gone on for longer than any should, and asked nothing that is counted."""


def check(
    project: Scoped,
    rules: Iterable[Rule],
    *,
    reraise: bool = False,
    watch: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Checked:
    """Run ``rules`` over ``project``; ``crashed`` holds the ids of those whose findings are not complete.

    ``watch`` stands around each rule, and may end it with :class:`Overdue` or :class:`Spent`.
    """
    findings: list[tuple[Rule, Finding]] = []
    problems: list[Problem] = []
    crashed: set[str] = set()
    for rule in rules:
        before = len(problems)
        with contained(problems, f'The rule "{rule.id}"', rest="The rest of its findings is missing.", reraise=reraise):
            try:
                with watch():
                    _ask(rule, project, findings)
            except (Overdue, Spent, RecursionError) as error:
                if reraise:
                    raise
                problems.append(_cut(rule, error))
        if len(problems) > before:
            crashed.add(rule.id)
    return Checked(tuple(findings), tuple(problems), frozenset(crashed))


def joined(several: Iterable[Checked]) -> Checked:
    """The answers of several projects that share files: what is found at one place by two of them is told once."""
    findings: dict[tuple[str, Place], list[tuple[Rule, Finding]]] = {}
    problems: dict[Problem, None] = {}
    crashed: set[str] = set()
    for checked in several:
        told: dict[tuple[str, Place], list[tuple[Rule, Finding]]] = {}
        for rule, finding in checked.findings:
            told.setdefault((rule.id, finding.place), []).append((rule, finding))
        findings = {**told, **findings}
        problems.update(dict.fromkeys(checked.problems))
        crashed |= checked.crashed
    kept = [found for at_place in findings.values() for found in at_place]
    return Checked(tuple(kept), tuple(problems), frozenset(crashed))


def _ask(rule: Rule, project: Scoped, findings: list[tuple[Rule, Finding]]) -> None:
    for finding in rule.check(project):  # type: ignore[arg-type]
        if not isinstance(finding, Finding):
            raise TypeError(f"yielded {type(finding).__name__}, not a Finding")
        if not finding.scope:
            scope = project.scope_at(finding.place.path, finding.place.span.line)
            finding = msgspec.structs.replace(finding, scope=scope)
        findings.append((rule, finding))


def _cut(rule: Rule, error: BaseException) -> Problem:
    """What was not asked: the rest of a rule that was ended, from the code that it was looking at on."""
    place = _looked_at(error)
    message = f'Not asked: the rest of the rule "{rule.id}", from here on, since it {_why(error)}.'
    return Problem(place.path if place else "", "bound", message, place.span.line if place else 0)


def _why(error: BaseException) -> str:
    if isinstance(error, Spent):
        return f"asked more than {error.most:,} questions"
    return "took too long" if isinstance(error, Overdue) else "met code that is nested too deeply"


def _looked_at(error: BaseException) -> Place | None:
    """The innermost code that was being looked at."""
    from backaudit.project.code import Code
    from backaudit.project.nodes import Node

    found: Place | None = None
    trace = error.__traceback__
    while trace is not None:
        for value in trace.tb_frame.f_locals.values():
            if isinstance(value, (Node, Code)):
                found = value.place
        trace = trace.tb_next
    return found
