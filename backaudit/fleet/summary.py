"""What the store of a fleet says, added up for its reports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

from backaudit.fleet.store import Store
from backaudit.report.fleet.records import Entry, Point, ProblemRecord, Repository, Summary
from backaudit.rule import SEVERITIES
from backaudit.usage import UsageError

_SOUND = ("ok", "unchanged", "empty")
_SEVERE: Mapping[str, int] = {severity: rank for rank, severity in enumerate(SEVERITIES)}


def summary(store: Store) -> Summary:
    """All that the reports show. The same store gives the same summary."""
    runs = store.rows("SELECT * FROM runs ORDER BY id")
    if not runs:
        raise UsageError(f"{store.path} has no run yet.")
    last = runs[-1]
    days = {run["id"]: run["started"][:10] for run in runs}
    scans = store.rows("SELECT * FROM scans ORDER BY run")
    repositories = tuple(_Repositories(store, last["id"], days, scans).all())
    return Summary(
        version=version("backaudit"),
        run=last["id"],
        started=last["started"],
        ended=last["ended"] or "",
        status=last["status"],
        tool=last["tool"],
        repositories=repositories,
        points=tuple(_points(scans, days)),
        first=sum(one.before is None and one.status in _SOUND for one in repositories),
    )


class _Repositories:
    """The repositories, with what belongs to each."""

    def __init__(self, store: Store, run: int, days: Mapping[int, str], scans: Iterable[Mapping[str, Any]]) -> None:
        self._store, self._run, self._days = store, run, days
        self._scans = _by_repository(scans)
        self._findings = _by_repository(store.rows("SELECT * FROM findings"))
        self._troubles = _by_repository(store.rows("SELECT * FROM problems ORDER BY path, line, message"))

    def all(self) -> Iterator[Repository]:
        for row in self._store.rows("SELECT * FROM repositories ORDER BY name"):
            scans = self._scans.get(row["id"], [])
            if scans:
                yield self._repository(row, scans)

    def _repository(self, row: Mapping[str, Any], scans: list[Mapping[str, Any]]) -> Repository:
        sound = [scan for scan in scans if scan["status"] in _SOUND]
        shown = sound[-1] if sound else scans[-1]
        before = _total(sound[-2]) if len(sound) > 1 else None
        entries = [self._entry(row["name"], one, before) for one in self._findings.get(row["id"], [])]
        entries.sort(key=lambda one: (_SEVERE.get(one.severity, len(_SEVERE)), one.path, one.line, one.rule))
        is_now = shown["run"] == self._run
        fixed = {one["fingerprint"] for one in self._findings.get(row["id"], []) if one["fixed_run"] == self._run}
        return Repository(
            id=row["id"],
            name=row["name"],
            url=row["url"],
            ref=row["ref"],
            labels=tuple(json.loads(row["labels"])),
            status=scans[-1]["status"],
            reason=scans[-1]["reason"],
            commit=shown["commit_id"],
            day=self._days[shown["run"]],
            files=shown["files"],
            routes=shown["routes"],
            tables=shown["tables"],
            accepted=shown["accepted"],
            seconds=shown["seconds"],
            megabytes=shown["megabytes"],
            severities={severity: shown[severity] for severity in SEVERITIES},
            families=json.loads(shown["families"]),
            before=before,
            findings=tuple(one for one in entries if not one.fixed),
            fixed=tuple(one for one in entries if one.fixed and is_now and one.fingerprint in fixed),
            troubles=tuple(
                ProblemRecord(one["path"], one["kind"], one["line"], one["message"])
                for one in self._troubles.get(row["id"], [])
            ),
        )

    def _entry(self, repository: str, row: Mapping[str, Any], before: int | None) -> Entry:
        return Entry(
            repository=repository,
            **{name: row[name] for name in _SAME},
            column=row["column_"],
            first=self._days[row["first_run"]],
            last=self._days[row["last_run"]],
            fixed=self._days[row["fixed_run"]] if row["fixed_run"] is not None else "",
            is_new=row["first_run"] == self._run and before is not None and row["fixed_run"] is None,
        )


_SAME = ("fingerprint", "rule", "family", "severity", "confidence", "path", "line", "scope", "message", "remedy")


def _by_repository(rows: Iterable[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["repository"], []).append(row)
    return found


def _total(scan: Mapping[str, Any]) -> int:
    return sum(scan[severity] for severity in SEVERITIES)


def _points(scans: Iterable[Mapping[str, Any]], days: Mapping[int, str]) -> Iterator[Point]:
    """What was open after each run, of each repository what its last sound scan had found."""
    known: dict[int, dict[str, int]] = {}
    by_run: dict[int, list[Mapping[str, Any]]] = {}
    for scan in scans:
        by_run.setdefault(scan["run"], []).append(scan)
    for run, several in sorted(by_run.items()):
        known.update((scan["repository"], json.loads(scan["families"])) for scan in several if scan["status"] in _SOUND)
        families: Counter[str] = Counter()
        for one in known.values():
            families.update(one)
        yield Point(run, days[run], dict(families))
