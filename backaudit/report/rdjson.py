"""Reviewdog's diagnostic format, by which findings become comments of a review on any host.

https://github.com/reviewdog/reviewdog/tree/master/proto/rdf
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backaudit.issue import Issue, Report
from backaudit.report.jsontext import json_text
from backaudit.report.standards import PROJECT_URL, rule_url
from backaudit.report.wording import explanation, new_issues
from backaudit.rule import Severity, Step

LEVELS: Mapping[Severity, str] = {"critical": "ERROR", "high": "ERROR", "medium": "WARNING", "low": "INFO"}


def render(report: Report, **options: object) -> str:
    """One DiagnosticResult."""
    data = {
        "source": {"name": "backaudit", "url": PROJECT_URL},
        "diagnostics": [_diagnostic(issue, report.git_prefix) for issue in new_issues(report)],
    }
    return json_text(data)


def _diagnostic(issue: Issue, prefix: str) -> dict[str, Any]:
    url = rule_url(issue.rule)
    return {
        "message": explanation(issue),
        "location": {"path": prefix + issue.finding.place.path, "range": _range(issue)},
        "severity": LEVELS[issue.severity],
        "code": {"value": issue.rule.id, **({"url": url} if url else {})},
        "related_locations": [_related(step, prefix) for step in issue.finding.related],
    }


def _range(issue: Issue) -> dict[str, Any]:
    """Reviewdog counts columns in bytes: they are told where a line shows that bytes and characters are one."""
    span = issue.finding.place.span
    lines = {line.number: line.text for line in issue.excerpt}
    is_told = span.end_line == span.line and lines.get(span.line, "\ufffd").isascii() and span.end_column > span.column
    if not is_told:
        return {"start": {"line": span.line}, "end": {"line": max(span.line, span.end_line)}}
    return {
        "start": {"line": span.line, "column": span.column + 1},
        "end": {"line": span.line, "column": span.end_column + 1},
    }


def _related(step: Step, prefix: str) -> dict[str, Any]:
    location = {"path": prefix + step.place.path, "range": {"start": {"line": step.place.span.line}}}
    return {"message": step.text, "location": location}
