"""What the reports of a fleet show: plain records, which are made of the store."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class FoundRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as a scan tells it, and as the store has it."""

    fingerprint: str
    rule: str
    family: str
    severity: str
    confidence: str
    path: str
    line: int
    column: int
    scope: str
    message: str
    remedy: str


class Entry(FoundRecord, frozen=True, kw_only=True):
    """A finding in a repository. ``first``, ``last`` and ``fixed``: the days of the runs that saw it, and did not."""

    repository: str
    first: str
    last: str
    fixed: str = ""
    is_new: bool = False


class ProblemRecord(msgspec.Struct, frozen=True):
    """What could not be analysed in a repository."""

    path: str
    kind: str
    line: int
    message: str


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """A repository at its last scan. ``before``: how many findings it had at the one before, None if there is none.

    ``status`` and ``reason`` are those of the last attempt; findings and counts those of the last scan that succeeded.
    """

    id: int
    name: str
    url: str
    ref: str
    labels: tuple[str, ...]
    status: str
    reason: str
    commit: str
    day: str
    files: int
    routes: int
    tables: int
    accepted: int
    seconds: float
    megabytes: int
    severities: Mapping[str, int]
    families: Mapping[str, int]
    before: int | None
    findings: tuple[Entry, ...]
    fixed: tuple[Entry, ...]
    troubles: tuple[ProblemRecord, ...]

    @property
    def total(self) -> int:
        return len(self.findings)

    @property
    def new(self) -> tuple[Entry, ...]:
        """The findings that the last run saw for the first time, in a repository that was scanned before."""
        return tuple(finding for finding in self.findings if finding.is_new)


class Point(msgspec.Struct, frozen=True):
    """How many findings were open after a run, by family."""

    run: int
    day: str
    families: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.families.values())


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. ``ended`` is empty for a run that is not finished; ``first`` counts repositories scanned first now."""

    version: str
    run: int
    started: str
    ended: str
    status: str
    tool: str
    repositories: tuple[Repository, ...]
    points: tuple[Point, ...]
    first: int

    @property
    def findings(self) -> tuple[Entry, ...]:
        return tuple(finding for one in self.repositories for finding in one.findings)

    @property
    def new(self) -> tuple[Entry, ...]:
        return tuple(finding for one in self.repositories for finding in one.new)

    @property
    def fixed(self) -> tuple[Entry, ...]:
        return tuple(finding for one in self.repositories for finding in one.fixed)

    @property
    def failed(self) -> tuple[Repository, ...]:
        return tuple(one for one in self.repositories if one.status == "failed")
