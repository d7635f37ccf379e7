"""What the page and the summary of a fleet show alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from backaudit.report.fleet.records import Entry, Repository, Summary
from backaudit.report.mistakes import MISTAKES, Family, in_order
from backaudit.rule import SEVERITIES


class FamilyCount(msgspec.Struct, frozen=True):
    """A family in all repositories: how many findings, by severity, in how many of them; what came and what went."""

    family: Family
    severities: tuple[tuple[str, int], ...]
    repositories: int
    new: int
    fixed: int

    @property
    def total(self) -> int:
        return sum(number for _, number in self.severities)


def families(summary: Summary) -> list[FamilyCount]:
    """The five mistakes, found or not, then the other families that were found."""
    found = summary.findings
    named = [*MISTAKES, *(one for one in in_order(entry.family for entry in found) if one not in MISTAKES)]
    return [_counted(family, summary, found) for family in named]


def said_of(summary: Summary) -> str:
    """The whole in a sentence."""
    count = len(summary.repositories)
    said = f"{len(summary.findings):,} findings in {count:,} {'repository' if count == 1 else 'repositories'}"
    if len(summary.points) > 1:
        said += f", {len(summary.new):,} new and {len(summary.fixed):,} fixed since the last run"
    return said + (f", {len(summary.failed):,} not scanned" if summary.failed else "")


def worst(repositories: Iterable[Repository]) -> list[Repository]:
    """Those with findings, the gravest first: by how many of each severity."""
    found = [one for one in repositories if one.findings]
    return sorted(found, key=lambda one: (*(-one.severities.get(severity, 0) for severity in SEVERITIES), one.name))


def best(repositories: Iterable[Repository]) -> list[Repository]:
    """Back ends with the fewest findings for what there is of them."""
    found = [one for one in repositories if one.routes and one.status != "failed"]
    return sorted(found, key=lambda one: (one.total / one.routes, -one.routes, one.name))


def _counted(family: Family, summary: Summary, found: Sequence[Entry]) -> FamilyCount:
    own = [entry for entry in found if entry.family == family.name]
    counts = Counter(entry.severity for entry in own)
    return FamilyCount(
        family=family,
        severities=tuple((severity, counts[severity]) for severity in SEVERITIES if counts[severity]),
        repositories=len({entry.repository for entry in own}),
        new=sum(entry.is_new for entry in own),
        fixed=sum(entry.family == family.name for entry in summary.fixed),
    )
