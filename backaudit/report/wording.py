"""What several formats say of a finding in the same words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from backaudit.evidence import weakest
from backaudit.issue import Issue, Report
from backaudit.report.visible import visible_name
from backaudit.rule import SEVERITIES, Severity
from backaudit.ruledoc import read


def new_issues(report: Report) -> Iterator[Issue]:
    """The issues that neither a comment nor the baseline accepts, in the report's order."""
    return (issue for issue in report.issues if issue.status == "new")


def place_of(issue: Issue) -> str:
    """``path:line:column``, which terminals and editors open."""
    span = issue.finding.place.span
    return f"{visible_name(issue.finding.place.path)}:{span.line}:{span.column + 1}"


def explanation(issue: Issue) -> str:
    """A finding in lines: the message, the steps of its path, what was assumed, the remedy."""
    finding = issue.finding
    steps = [f"{visible_name(step.place.path)}:{step.place.span.line}: {step.text}" for step in finding.trace]
    step = weakest(finding.assumed)
    supposed = f"assumed: {step.text}" if step is not None else ""
    return "\n".join(part for part in (finding.message, *steps, supposed, remedy_of(issue)) if part)


def remedy_of(issue: Issue) -> str:
    """The finding's own remedy, or the first paragraph of its rule's."""
    return issue.finding.remedy or read(issue.rule.doc).mend.partition("\n\n")[0]


def by_severity(issues: Sequence[Issue]) -> Mapping[Severity, Sequence[Issue]]:
    """The issues under each severity that has some, the worst first, each in the report's order."""
    ranked = sorted(issues, key=lambda issue: SEVERITIES.index(issue.severity))
    return {severity: tuple(of) for severity, of in groupby(ranked, key=lambda issue: issue.severity)}


def counted(count: int, one: str, many: str = "") -> str:
    """``1 finding``, ``2 findings``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
