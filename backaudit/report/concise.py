"""A finding a line, ``path:line:column: severity rule message``, as compilers and editors write and read it."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts.problem import Problem
from backaudit.issue import Issue, Report
from backaudit.report.visible import inert, visible, visible_name
from backaudit.report.wording import new_issues, place_of


def render(report: Report, **options: object) -> str:
    """The new findings, then what was not analysed."""
    return inert("".join(line + "\n" for line in _lines(report)))


def _lines(report: Report) -> Iterator[str]:
    yield from map(_issue, new_issues(report))
    yield from map(_problem, report.problems)


def _issue(issue: Issue) -> str:
    return f"{place_of(issue)}: {issue.severity} {issue.rule.id} {_one_line(issue.finding.message)}"


def _problem(problem: Problem) -> str:
    where = f"{visible_name(problem.path)}:{problem.line or 1}:1: " if problem.path else ""
    return f"{where}problem {problem.kind} {_one_line(problem.message)}"


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))
