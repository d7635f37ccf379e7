"""Where all runs of a fleet are kept: a file of SQLite, written by the command alone, a transaction for each result."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from backaudit.fleet.records import Known, Outcome, Source
from backaudit.gitremote import masked, without_credentials
from backaudit.report.fleet.records import FoundRecord, ProblemRecord
from backaudit.usage import UsageError

FORM = "1"
PARQUET = ".parquet"
# The database in a folder of Parquet.
DATABASE = "fleet.sqlite3"
RUNNING, DONE, INTERRUPTED = "running", "done", "interrupted"
# What of a scan is carried on to the next run where nothing changed.
_CARRIED = "files, routes, tables, collections, accepted, critical, high, medium, low, families"


class Run(msgspec.Struct, frozen=True):
    """A run as it stands in the store. ``resumed``: one that was begun earlier, and is gone on with."""

    id: int
    resumed: bool


class Store:
    """The store in a file, or in a folder whose name ends in ``.parquet``; one process at a time may write it."""

    def __init__(self, path: Path, *, writing: bool = False) -> None:
        self.path = path
        file = _file(path, writing)
        self._lock = _locked(file) if writing else None
        if not writing and not file.is_file():
            raise UsageError(f"{path} is no store of a fleet: there is no such file.")
        try:
            self.connection = sqlite3.connect(file, isolation_level=None)
            self.connection.execute("PRAGMA synchronous = NORMAL")
            self._prepare(writing)
        except sqlite3.OperationalError as error:
            self.close()
            raise UsageError(f"{path} cannot be used: {error}.") from error
        except sqlite3.DatabaseError as error:
            self.close()
            raise UsageError(f"{path} is no store of a fleet: {error}.") from error

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if hasattr(self, "connection"):
            self.connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def begin(self, tool: str, stamp: str, policy: str, sources: int, now: str) -> Run:
        """A new run, or the last one, if it was not ended and asks for the same."""
        last = self.rows("SELECT id, status, stamp, policy FROM runs ORDER BY id DESC LIMIT 1")
        with self._transaction():
            if last and last[0]["status"] != DONE and (last[0]["stamp"], last[0]["policy"]) == (stamp, policy):
                self._do(
                    "UPDATE runs SET status = ?, ended = NULL, sources = ? WHERE id = ?",
                    RUNNING,
                    sources,
                    last[0]["id"],
                )
                return Run(last[0]["id"], resumed=True)
            self._do("UPDATE runs SET status = ? WHERE status = ?", INTERRUPTED, RUNNING)
            self._do(
                "INSERT INTO runs (started, status, tool, stamp, policy, sources) VALUES (?, ?, ?, ?, ?, ?)",
                now, RUNNING, tool, stamp, policy, sources,
            )  # fmt: skip
            return Run(self.rows("SELECT max(id) AS id FROM runs")[0]["id"], resumed=False)

    def end(self, run: int, status: str, now: str) -> None:
        """Say how a run has ended."""
        with self._transaction():
            self._do("UPDATE runs SET status = ?, ended = ? WHERE id = ?", status, now, run)

    def known(self, run: Run, *, since_last: bool) -> dict[str, Known]:
        """The last sound scan of each repository: of all runs, or of the one that is gone on with."""
        earliest = 0 if since_last else run.id
        rows = self.rows(
            "SELECT name, key, commit_id, max(run) FROM scans JOIN repositories ON repositories.id = repository "
            "WHERE scans.status IN ('ok', 'unchanged') AND run >= ? GROUP BY repository",
            earliest,
        )
        return {row["name"]: Known(row["key"], row["commit_id"]) for row in rows}

    def durations(self) -> dict[str, float]:
        """How long each repository took when it was last scanned."""
        rows = self.rows(
            "SELECT name, seconds, max(run) FROM scans JOIN repositories ON repositories.id = repository "
            "WHERE scans.status IN ('ok', 'failed') GROUP BY repository"
        )
        return {row["name"]: row["seconds"] for row in rows}

    def put(self, run: int, source: Source, outcome: Outcome, attempts: int, now: str) -> None:
        """Keep what came of a repository; whole or not at all."""
        with self._transaction():
            repository = self._repository(source)
            if outcome.status == "unchanged":
                self._put_unchanged(run, repository, outcome, now)
                return
            self._put_scan(run, repository, outcome, attempts, now)
            if outcome.status != "failed":
                self._put_findings(run, repository, outcome.findings)
                self._put_rest(repository, outcome)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """What a query finds, each row by the names of its columns."""
        cursor = self.connection.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _prepare(self, writing: bool) -> None:
        if writing and not self.rows("SELECT 1 FROM sqlite_master LIMIT 1"):
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.executescript(resources.files(__package__).joinpath("store.sql").read_text("utf-8"))
            self._do("INSERT INTO meta VALUES ('form', ?)", FORM)
        found = self.rows("SELECT value FROM meta WHERE name = 'form'")
        if not found or found[0]["value"] != FORM:
            raise UsageError(f"{self.path} was written by another version of backaudit: begin a new store.")

    def _repository(self, source: Source) -> int:
        self._do(
            "INSERT INTO repositories (name, url, ref, labels) VALUES (?, ?, ?, ?) ON CONFLICT (name) "
            "DO UPDATE SET url = excluded.url, ref = excluded.ref, labels = excluded.labels",
            source.name, without_credentials(source.url)[0], source.ref, json.dumps(source.labels),
        )  # fmt: skip
        found: int = self.rows("SELECT id FROM repositories WHERE name = ?", source.name)[0]["id"]
        return found

    def _put_scan(self, run: int, repository: int, outcome: Outcome, attempts: int, now: str) -> None:
        severities = Counter(finding.severity for finding in outcome.findings)
        families = Counter(finding.family for finding in outcome.findings)
        self._insert(
            "scans",
            run=run,
            repository=repository,
            status=outcome.status,
            reason=masked(outcome.reason),
            commit_id=outcome.commit,
            key=outcome.key,
            attempts=attempts,
            worker=outcome.worker,
            files=outcome.files,
            routes=outcome.routes,
            tables=outcome.tables,
            collections=outcome.collections,
            accepted=outcome.accepted,
            critical=severities["critical"],
            high=severities["high"],
            medium=severities["medium"],
            low=severities["low"],
            families=json.dumps(dict(sorted(families.items()))),
            seconds=outcome.seconds,
            fetch_seconds=outcome.fetch_seconds,
            megabytes=outcome.megabytes,
            finished=now,
        )

    def _put_unchanged(self, run: int, repository: int, outcome: Outcome, now: str) -> None:
        """What was found last time is found again; a scan of this very run stays as it is."""
        last = "SELECT max(run) FROM scans WHERE repository = ? AND status IN ('ok', 'unchanged')"
        self._do(
            "INSERT OR IGNORE INTO scans "
            f"(run, repository, status, reason, commit_id, key, attempts, worker, {_CARRIED}, "
            "seconds, fetch_seconds, megabytes, finished) "
            f"SELECT ?, repository, 'unchanged', '', commit_id, key, 1, ?, {_CARRIED}, ?, 0, ?, ? FROM scans "
            f"WHERE repository = ? AND run = ({last})",
            run, outcome.worker, outcome.seconds, outcome.megabytes, now, repository, repository,
        )  # fmt: skip
        self._do("UPDATE findings SET last_run = ? WHERE repository = ? AND fixed_run IS NULL", run, repository)

    def _put_findings(self, run: int, repository: int, found: Sequence[FoundRecord]) -> None:
        open_ones = self.rows("SELECT fingerprint FROM findings WHERE repository = ? AND fixed_run IS NULL", repository)
        for finding in found:
            self._put_finding(run, repository, finding)
        gone = {row["fingerprint"] for row in open_ones} - {finding.fingerprint for finding in found}
        for fingerprint in sorted(gone):
            fixed = "UPDATE findings SET fixed_run = ? WHERE repository = ? AND fingerprint = ?"
            self._do(fixed, run, repository, fingerprint)

    def _put_finding(self, run: int, repository: int, finding: FoundRecord) -> None:
        """A finding that had been fixed and is back counts as new."""
        values = msgspec.structs.asdict(finding)
        values["column_"] = values.pop("column")
        changed = ", ".join(f"{name} = excluded.{name}" for name in values if name != "fingerprint")
        self._insert(
            "findings",
            f"ON CONFLICT (repository, fingerprint) DO UPDATE SET {changed}, "
            "first_run = iif(fixed_run IS NULL, first_run, excluded.first_run), last_run = excluded.last_run, "
            "fixed_run = NULL",
            repository=repository,
            **values,
            first_run=run,
            last_run=run,
        )

    def _put_rest(self, repository: int, outcome: Outcome) -> None:
        self._do("DELETE FROM problems WHERE repository = ?", repository)
        self._do("DELETE FROM reports WHERE repository = ?", repository)
        for problem in (*outcome.problems, *(ProblemRecord("", "note", 0, note) for note in outcome.notes)):
            self._insert("problems", repository=repository, **msgspec.structs.asdict(problem))
        for format, body in outcome.reports.items():
            self._insert("reports", repository=repository, format=format, body=body)

    def _insert(self, table: str, more: str = "", **values: object) -> None:
        how = "INSERT" if more else "INSERT OR REPLACE"
        marks = ", ".join("?" * len(values))
        self._do(f"{how} INTO {table} ({', '.join(values)}) VALUES ({marks}) {more}", *values.values())

    def _do(self, statement: str, *values: object) -> None:
        self.connection.execute(statement, [_storable(value) for value in values])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._do("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._do("ROLLBACK")
            raise
        self._do("COMMIT")


def _storable(value: object) -> object:
    """A text as UTF-8 can hold it: names of files may be none."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _file(path: Path, writing: bool) -> Path:
    """The database of a store."""
    if path.suffix != PARQUET:
        return path
    try:
        if writing:
            path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be made: {error.strerror}.") from error
    return path / DATABASE


def _locked(path: Path) -> int:
    """The lock of the one that writes; it is gone with the process, whatever ends it."""
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise UsageError(f"Another run is writing to {path}: wait for its end, or name another store.") from None
    return lock
