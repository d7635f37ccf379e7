"""Plain data kept between runs, in the user's cache folder and readable by the user alone.

Callers make the keys (digests of all that a value depends on) and judge the values: what comes out is bytes, nothing
of it is executed. A cache that cannot be used is no error: everything works without, only slower. Least recently used
values go first when the bound is reached; time is counted in writing runs, not by a clock.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

NAME = "facts-3.sqlite3"
MAX_BYTES = 512 * 1024 * 1024
BUSY_MS = 2_000
# A value in steady use is stamped anew only this many writing runs later, so that a warm run writes nothing.
STAMP_EVERY = 8
# sqlite's own bound on the parameters of a statement, with room to spare.
BATCH = 500
_CHECK_BYTES = 8

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (key BLOB PRIMARY KEY, value BLOB NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS facts_used ON facts (used);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO meta VALUES ('generation', 1);
"""

T = TypeVar("T")


def default_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """The folder for the cache by the custom of the platform; None where the environment names no home."""
    if environ.get("BACKAUDIT_CACHE_DIR"):
        # That folder is somebody else's, and stays as it is: what we make private is one of our own in it.
        return Path(environ["BACKAUDIT_CACHE_DIR"], "backaudit")
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return Path(local, "backaudit", "Cache") if local else None
    home = environ.get("HOME")
    if platform == "darwin":
        return Path(home, "Library", "Caches", "backaudit") if home else None
    base = environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # the specification tells us to ignore a relative one
        return Path(base, "backaudit")
    return Path(home, ".cache", "backaudit") if home else None


class Cache:
    """A mapping of bytes to bytes on disk; safe to be used by several processes at once.

    A folder of None makes a cache that holds nothing. Use as a context manager, or call :meth:`close`.
    """

    def __init__(self, folder: Path | None, *, max_bytes: int = MAX_BYTES) -> None:
        self._path = folder / NAME if folder is not None and _is_private(folder) else None
        self._max_bytes = max_bytes
        self._generation = 0
        self._connection: sqlite3.Connection | None = None
        if self._path is not None:
            self._guarded(self._open, None)

    @property
    def usable(self) -> bool:
        return self._connection is not None

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, key: bytes) -> bytes | None:
        return self.get_many([key]).get(key)

    def put(self, key: bytes, value: bytes) -> None:
        self.put_many({key: value})

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values of those keys that are known."""
        wanted = list(keys)
        return self._guarded(lambda: self._select(wanted), {})

    def put_many(self, items: Mapping[bytes, bytes]) -> None:
        """Keep the items, replacing what their keys held, and drop the least recently used ones over the bound."""
        rows = list(items.items())
        if rows:
            self._guarded(lambda: self._insert(rows), None)

    def close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _guarded(self, action: Callable[[], T], otherwise: T) -> T:
        """Run a step on the database; a damaged one is made anew once, one that is busy or read-only is left alone."""
        for attempt in range(2):
            if self._path is None or (self._connection is None and action != self._open):
                return otherwise
            try:
                return action()
            except sqlite3.OperationalError:
                return otherwise
            except sqlite3.DatabaseError:
                self._discard()
                if attempt == 0 and action != self._open:
                    self._guarded(self._open, None)
            except OSError:
                self.close()
                return otherwise
        return otherwise

    def _open(self) -> None:
        assert self._path is not None
        connection = sqlite3.connect(self._path, timeout=BUSY_MS / 1000, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is None:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_SCHEMA)
            (self._generation,) = connection.execute("SELECT value FROM meta WHERE name = 'generation'").fetchone()
        except (sqlite3.Error, TypeError) as error:
            connection.close()
            raise sqlite3.DatabaseError("damaged") if isinstance(error, TypeError) else error from None
        self._connection = connection

    def _discard(self) -> None:
        self.close()
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                os.unlink(f"{self._path}{suffix}")

    def _select(self, keys: list[bytes]) -> dict[bytes, bytes]:
        assert self._connection is not None
        found: dict[bytes, bytes] = {}
        stale: list[bytes] = []
        for start in range(0, len(keys), BATCH):
            batch = keys[start : start + BATCH]
            marks = ",".join("?" * len(batch))
            for key, value, used in self._connection.execute(
                f"SELECT key, value, used FROM facts WHERE key IN ({marks})", batch
            ):
                content = checked(bytes(key), value)
                if content is None:
                    continue
                found[bytes(key)] = content
                if used < self._generation - STAMP_EVERY:
                    stale.append(key)
        if stale:
            with suppress(sqlite3.OperationalError):
                stamp = [(self._generation, key) for key in stale]
                self._connection.executemany("UPDATE facts SET used = ? WHERE key = ?", stamp)
        return found

    def _insert(self, rows: list[tuple[bytes, bytes]]) -> None:
        assert self._connection is not None
        with _Transaction(self._connection):
            self._connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'")
            query = "SELECT value FROM meta WHERE name = 'generation'"
            (self._generation,) = self._connection.execute(query).fetchone()
            stamped = [(key, sealed(key, value), self._generation) for key, value in rows]
            self._connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", stamped)
        self._evict()

    def _evict(self) -> None:
        """Bring the file under three quarters of the bound once it is over it."""
        assert self._connection is not None
        excess = self._used_bytes() - self._max_bytes
        if excess <= 0:
            return
        excess += self._max_bytes // 4
        doomed: list[tuple[bytes]] = []
        for key, size in self._connection.execute("SELECT key, length(value) FROM facts ORDER BY used, key"):
            if excess <= 0:
                break
            doomed.append((key,))
            excess -= size
        with _Transaction(self._connection):
            self._connection.executemany("DELETE FROM facts WHERE key = ?", doomed)
        self._connection.execute("PRAGMA incremental_vacuum").fetchall()

    def _used_bytes(self) -> int:
        assert self._connection is not None
        pages, free, size = (
            int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size


def _checksum(key: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(value, key=hashlib.blake2b(key).digest(), digest_size=_CHECK_BYTES).digest()


def sealed(key: bytes, value: bytes) -> bytes:
    """A value with a checksum of it, and of what it is kept under, before it."""
    return _checksum(key, value) + value


def checked(key: bytes, stored: object) -> bytes | None:
    """The value as it was put in under a key, None if it is not that any more."""
    if not isinstance(stored, bytes):
        return None
    check, value = stored[:_CHECK_BYTES], stored[_CHECK_BYTES:]
    return value if check == _checksum(key, value) else None


class _Transaction:
    """BEGIN IMMEDIATE … COMMIT, or ROLLBACK: two writers wait for each other instead of failing half-way."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")


def _is_private(folder: Path) -> bool:
    """Whether the folder is, or could be made, a real folder of ours that nobody else reads or writes."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            return False
        if hasattr(os, "getuid"):
            if found.st_uid != os.getuid():
                return False
            if stat.S_IMODE(found.st_mode) & 0o077:
                folder.chmod(0o700)
    except OSError:
        return False
    return True
