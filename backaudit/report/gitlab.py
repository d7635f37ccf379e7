"""GitLab's code quality report: what a merge request's widget shows.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backaudit.issue import Issue, Report
from backaudit.report.jsontext import json_text
from backaudit.report.wording import explanation, new_issues
from backaudit.rule import Severity

LEVELS: Mapping[Severity, str] = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor"}


def render(report: Report, **options: object) -> str:
    """A JSON array with an object for every new finding."""
    found = [_finding(issue, report.git_prefix) for issue in new_issues(report)]
    return json_text(found)


def _finding(issue: Issue, prefix: str) -> dict[str, Any]:
    place = issue.finding.place
    return {
        "type": "issue",
        "check_name": issue.rule.id,
        "description": issue.finding.message,
        "content": {"body": explanation(issue)},
        "categories": ["Security" if "security" in issue.rule.tags else "Bug Risk"],
        "fingerprint": issue.fingerprint,
        "severity": LEVELS[issue.severity],
        "location": {
            "path": prefix + place.path,
            "lines": {"begin": place.span.line, "end": max(place.span.line, place.span.end_line)},
        },
    }
