"""What goes between the command, the workers and the store: plain data, nothing of it is run or unpickled."""

from __future__ import annotations

from typing import Literal

import msgspec

from backaudit.report.fleet.records import FoundRecord, ProblemRecord

# What came of a repository in a run. "unchanged": its commit, tool, rules and configuration are those of the last scan.
Status = Literal["ok", "unchanged", "empty", "failed"]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A repository that is asked for. ``url`` may hold credentials, and is stored and shown nowhere as it is.

    ``config``: a configuration in place of the repository's own, as TOML.
    """

    name: str
    url: str
    ref: str = ""
    labels: tuple[str, ...] = ()
    config: str = ""
    size: int = 0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one repository may take: seconds, and megabytes of memory and of disk."""

    seconds: float = 1_800.0
    megabytes: int = 4_000
    disk: int = 4_000


class Known(msgspec.Struct, frozen=True):
    """The last scan of a repository that is not to be repeated: its key says what it was a scan of."""

    key: str
    commit: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One task. ``stamp``: the tool and the rules that are meant; a worker that has others refuses. ``day``: ISO."""

    source: Source
    stamp: str
    day: str
    limits: Limits
    clones: str = ""
    facts: str = ""
    policy: str = ""
    strict: bool = False
    known: Known | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a task. ``reports``: format -> the report as `backaudit scan` writes it, compressed.

    ``passing``: the reason of a failure may be gone at the next attempt. ``stranger``: the worker has another tool, or
    other rules, and will fail at whatever it is given. ``megabytes``: the most that was in use.
    """

    status: Status
    reason: str = ""
    passing: bool = False
    stranger: bool = False
    commit: str = ""
    key: str = ""
    files: int = 0
    routes: int = 0
    tables: int = 0
    collections: int = 0
    accepted: int = 0
    findings: tuple[FoundRecord, ...] = ()
    problems: tuple[ProblemRecord, ...] = ()
    notes: tuple[str, ...] = ()
    reports: dict[str, bytes] = {}
    seconds: float = 0.0
    fetch_seconds: float = 0.0
    megabytes: int = 0
    worker: str = ""


def failed(reason: str, *, passing: bool = False) -> Outcome:
    """A repository that could not be scanned, and why."""
    return Outcome(status="failed", reason=reason, passing=passing)
