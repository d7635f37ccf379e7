"""One cause is told once: what one mend takes away is one issue, where it is told best, with the others beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from backaudit.evidence import SEVERITIES, doubt
from backaudit.facts.place import Place
from backaudit.issue import Issue
from backaudit.rule import Finding, Step

# So many places are told one by one, of those that one value reaches through other functions.
_TOLD_APART = 3
_SAME_VALUE = "The same value comes here as well."


def together(issues: Sequence[Issue]) -> list[Issue]:
    """The issues with those of one cause as one; only what has one status is put together."""
    groups: dict[tuple[object, ...], list[Issue]] = {}
    for issue in issues:
        groups.setdefault(_key(issue), []).append(issue)
    return [told for group in groups.values() for told in _told(group)]


def leads(finding: Finding) -> bool:
    """Whether a finding stands for all others of its cause."""
    return finding.cause == finding.place


def _key(issue: Issue) -> tuple[object, ...]:
    finding = issue.finding
    past = finding.evidence if finding.commit else ""
    return (issue.rule.id, issue.status, _cause(finding), finding.commit, past)


def _cause(finding: Finding) -> Place:
    """What the rule says, else where its way begins if that leads through several steps."""
    if finding.cause is not None:
        return finding.cause
    return finding.trace[0].place if len(finding.trace) > _TOLD_APART else finding.place


def _told(group: list[Issue]) -> Iterable[Issue]:
    is_said = any(issue.finding.cause is not None for issue in group)
    if len(group) < 2 or not (is_said or len(group) > _TOLD_APART):
        return group
    best = min(group, key=_rank)
    others = tuple(Step(one.finding.place, one.finding.beside or _SAME_VALUE) for one in group if one is not best)
    finding = msgspec.structs.replace(best.finding, related=(*best.finding.related, *others))
    return [msgspec.structs.replace(best, finding=finding)]


def _rank(issue: Issue) -> tuple[object, ...]:
    finding = issue.finding
    grave = SEVERITIES.index(issue.severity)
    return (not leads(finding), doubt(finding.assumed), grave, len(finding.trace), finding.place)
