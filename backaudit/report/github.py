"""GitHub workflow commands: an annotation for every finding, and one for every file that was not analysed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backaudit.evidence import weakest
from backaudit.facts.problem import Problem
from backaudit.issue import Issue, Report
from backaudit.report.extent import extent_of
from backaudit.report.visible import visible, visible_name
from backaudit.rule import Severity

LEVELS: Mapping[Severity, str] = {"critical": "error", "high": "error", "medium": "warning", "low": "notice"}


def render(report: Report, **options: object) -> str:
    """One workflow command a line; what is suppressed or in the baseline has none."""
    lines = [*_annotations(report), *(_problem(problem, report.git_prefix) for problem in report.problems)]
    if report.back_end is not None and report.back_end.is_empty:
        lines.append(_command("warning", {"title": "backaudit"}, f"{extent_of(report)} in {report.files:,} files."))
    return "".join(line + "\n" for line in lines)


def _annotations(report: Report) -> Iterator[str]:
    for issue in report.issues:
        if issue.status == "new":
            yield _issue(issue, report.git_prefix)


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
    steps = [f"{visible_name(step.place.path)}:{step.place.span.line}: {step.text}" for step in finding.trace]
    step = weakest(finding.assumed)
    supposed = f"assumed: {step.text}" if step is not None else ""
    text = "\n".join(part for part in (finding.message, *steps, supposed, finding.remedy) if part)
    return _command(LEVELS[issue.severity], properties, text)


def _problem(problem: Problem, prefix: str) -> str:
    place = {"file": prefix + problem.path, "line": str(problem.line or 1)} if problem.path else {}
    level = "error" if problem.kind == "crash" else "warning"
    return _command(level, {**place, "title": f"backaudit: {problem.kind}"}, problem.message)


def _command(level: str, properties: Mapping[str, str], text: str) -> str:
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return visible(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
