"""GitLab's SAST report, version 15: findings in the vulnerability report and in the merge request's security widget.

https://gitlab.com/gitlab-org/security-products/security-report-schemas
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from backaudit.facts.problem import Problem
from backaudit.issue import Issue, Report
from backaudit.report.jsontext import json_text
from backaudit.report.standards import PROJECT_URL, rule_url, standards
from backaudit.report.visible import clipped, encodable
from backaudit.report.wording import explanation, new_issues, remedy_of
from backaudit.rule import Rule, Severity
from backaudit.ruledoc import read

VERSION = "15.2.1"
LEVELS: Mapping[Severity, str] = {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"}
# The schema's limits.
_MAX_NAME, _MAX_TEXT, _MAX_SOLUTION = 255, 1_048_576, 7_000
_UNTOLD = datetime.fromtimestamp(0, timezone.utc)
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, PROJECT_URL)


def render(report: Report, *, made: datetime = _UNTOLD, **options: object) -> str:
    """One JSON object, ``made`` at a time; only findings that are about security are vulnerabilities."""
    data = {
        "version": VERSION,
        "scan": _scan(report, made),
        "vulnerabilities": [
            _vulnerability(issue, report.git_prefix) for issue in new_issues(report) if "security" in issue.rule.tags
        ],
    }
    return json_text(data)


def _scan(report: Report, made: datetime) -> dict[str, Any]:
    tool = {
        "id": "backaudit",
        "name": "backaudit",
        "url": PROJECT_URL,
        "vendor": {"name": "backaudit"},
        "version": report.version,
    }
    time = made.strftime("%Y-%m-%dT%H:%M:%S")
    crashed = any(problem.kind == "crash" for problem in report.problems)
    return {
        "analyzer": tool,
        "scanner": tool,
        "type": "sast",
        "start_time": time,
        "end_time": time,
        "status": "failure" if crashed else "success",
        "messages": [_message(problem) for problem in report.problems],
    }


def _message(problem: Problem) -> dict[str, str]:
    where = f"{problem.path}: " if problem.path else ""
    return {"level": "fatal" if problem.kind == "crash" else "warn", "value": where + problem.message}


def _vulnerability(issue: Issue, prefix: str) -> dict[str, Any]:
    place = issue.finding.place
    return {
        "id": str(uuid.uuid5(_NAMESPACE, encodable(issue.fingerprint))),
        "category": "sast",
        "name": clipped(read(issue.rule.doc).title or issue.rule.id, _MAX_NAME - 1),
        "description": clipped(explanation(issue), _MAX_TEXT - 1),
        "severity": LEVELS[issue.severity],
        "solution": clipped(remedy_of(issue), _MAX_SOLUTION - 1),
        "location": {
            "file": prefix + place.path,
            "start_line": place.span.line,
            "end_line": max(place.span.line, place.span.end_line),
        },
        "identifiers": [*_identifiers(issue.rule)],
        "links": [{"name": link.text, "url": link.url} for link in standards(issue.rule)],
    }


def _identifiers(rule: Rule) -> Iterator[dict[str, str]]:
    """The first one is the rule: GitLab follows a vulnerability by it."""
    url = rule_url(rule)
    yield {"type": "backaudit", "name": rule.id, "value": rule.id, **({"url": url} if url else {})}
    for number in rule.cwe:
        yield {
            "type": "cwe",
            "name": f"CWE-{number}",
            "value": str(number),
            "url": f"https://cwe.mitre.org/data/definitions/{number}.html",
        }
