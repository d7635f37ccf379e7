"""GitHub workflow commands: annotations, the worst findings first, and what was not analysed.

GitHub shows ten annotations of each level in a step, and drops the others without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from backaudit.facts.problem import Problem
from backaudit.issue import Issue, Report
from backaudit.report.extent import extent_of
from backaudit.report.visible import visible
from backaudit.report.wording import by_severity, explanation, new_issues
from backaudit.rule import Severity

LEVELS: Mapping[Severity, str] = {"critical": "error", "high": "error", "medium": "warning", "low": "notice"}
SHOWN = 10


def render(report: Report, **options: object) -> str:
    """One workflow command a line; what is suppressed or in the baseline has none."""
    lines = [*_findings(report), *_problems(report)]
    if report.back_end is not None and report.back_end.is_empty:
        lines.append(_command("warning", {"title": "backaudit"}, f"{extent_of(report)} in {report.files:,} files."))
    return "".join(line + "\n" for line in lines)


def _findings(report: Report) -> Iterator[str]:
    levels: dict[str, list[Issue]] = {}
    for severity, issues in by_severity([*new_issues(report)]).items():
        levels.setdefault(LEVELS[severity], []).extend(issues)
    for level, of_level in levels.items():
        yield from _at_most([_issue(issue, report.git_prefix) for issue in of_level], level, "finding")


def _problems(report: Report) -> Iterator[str]:
    crashes = [problem for problem in report.problems if problem.kind == "crash"]
    others = [problem for problem in report.problems if problem.kind != "crash"]
    for level, problems in (("error", crashes), ("warning", others)):
        yield from _at_most([_problem(problem, report.git_prefix, level) for problem in problems], level, "problem")


def _at_most(commands: Sequence[str], level: str, noun: str) -> Iterator[str]:
    """The commands, or the first of them and how many more there are."""
    if len(commands) <= SHOWN:
        yield from commands
        return
    yield from commands[: SHOWN - 1]
    more = len(commands) - (SHOWN - 1)
    yield _command(level, {"title": "backaudit"}, f"and {more:,} more {noun}s of this level: see the whole report.")


def _issue(issue: Issue, prefix: str) -> str:
    finding, span = issue.finding, issue.finding.place.span
    properties = {
        "file": prefix + finding.place.path,
        "line": str(span.line),
        "endLine": str(span.end_line),
        "col": str(span.column + 1),
        # Columns mean something on GitHub only within one line.
        **({"endColumn": str(max(span.end_column, span.column + 1))} if span.end_line == span.line else {}),
        "title": issue.rule.id,
    }
    return _command(LEVELS[issue.severity], properties, explanation(issue))


def _problem(problem: Problem, prefix: str, level: str) -> str:
    place = {"file": prefix + problem.path, "line": str(problem.line or 1)} if problem.path else {}
    return _command(level, {**place, "title": f"backaudit: {problem.kind}"}, problem.message)


def _command(level: str, properties: Mapping[str, str], text: str) -> str:
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return visible(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
