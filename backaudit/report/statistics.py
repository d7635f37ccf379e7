"""How many findings each rule has, the most first: for who wants to know where to begin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from backaudit.evidence import SEVERITIES, Severity
from backaudit.issue import Issue, Report
from backaudit.report.jsontext import json_text
from backaudit.report.visible import inert, visible
from backaudit.report.wording import counted, new_issues
from backaudit.ruledoc import read


class Count(msgspec.Struct, frozen=True):
    """The findings of one rule that count; ``severity`` is that of the gravest."""

    rule: str
    severity: Severity
    findings: int
    files: int
    title: str


class Counts(msgspec.Struct, frozen=True):
    """What ``--statistics --format json`` writes."""

    files: int
    findings: int
    problems: int
    rules: tuple[Count, ...]


def render(report: Report, format: str, **options: object) -> str:
    """The counts as a table (``text``), or as JSON."""
    found = counts(report)
    if format == "json":
        return json_text(msgspec.to_builtins(found))
    return inert("".join(f"{line}\n" for line in _table(found)))


def counts(report: Report) -> Counts:
    """The rules that found something, the most findings first."""
    by_rule: dict[str, list[Issue]] = {}
    for issue in new_issues(report):
        by_rule.setdefault(issue.rule.id, []).append(issue)
    found = sorted(map(_count, by_rule.values()), key=lambda count: (-count.findings, count.rule))
    return Counts(report.files, sum(count.findings for count in found), len(report.problems), tuple(found))


def _count(issues: Sequence[Issue]) -> Count:
    rule = issues[0].rule
    gravest = min((issue.severity for issue in issues), key=SEVERITIES.index)
    files = {issue.finding.place.path for issue in issues}
    return Count(rule.id, gravest, len(issues), len(files), read(rule.doc).title.rstrip("."))


def _table(found: Counts) -> Iterator[str]:
    digits = max((len(str(count.findings)) for count in found.rules), default=0)
    names = max((len(count.rule) for count in found.rules), default=0)
    for count in found.rules:
        yield visible(f"{count.findings:>{digits}}  {count.severity:<8}  {count.rule:<{names}}  {count.title}")
    problems = f", {counted(found.problems, 'problem')}" if found.problems else ""
    yield f"{counted(found.findings, 'finding')}{problems} in {counted(found.files, 'file')}."
