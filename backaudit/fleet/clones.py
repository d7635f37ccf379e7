"""The cache of clones: a bare repository for each address, without history, shared by all that may read the folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backaudit.gitremote import Remote
from backaudit.usage import UsageError

# After so many fetches a clone is made anew, which drops what it held of earlier commits.
MOST_PACKS = 30


class Clones:
    """A folder of bare repositories. Whoever fetches holds a lock of its own, whoever reads shares one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def holding(self, remote: Remote, commit: str, name: str) -> Iterator[tuple[Path, str]]:
        """The repository with the commit, fetched if it is not there, and the commit that was; kept for the block."""
        place = self._place(remote)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(place.with_suffix(".lock"), "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            found = commit if _has(place, commit) else ""
            if not found:
                fcntl.flock(lock, fcntl.LOCK_EX)
                found = commit if _has(place, commit) else self._fetched(remote, name, place)
                fcntl.flock(lock, fcntl.LOCK_SH)
            yield place, found

    def _fetched(self, remote: Remote, name: str, place: Path) -> str:
        if sum(1 for _ in (place / "objects" / "pack").glob("*.pack")) >= MOST_PACKS:
            shutil.rmtree(place)
        if not (place / "HEAD").is_file():
            shutil.rmtree(place, ignore_errors=True)
            remote.begin(place)
        commit = remote.fetch(name, place)
        _note(place, commit)
        return commit

    def _place(self, remote: Remote) -> Path:
        name = hashlib.sha256(remote.shown.encode("utf-8", "surrogateescape")).hexdigest()
        return self._folder / name[:2] / f"{name[2:]}.git"


def default_folder(cache: Path | None) -> Path:
    """Where clones are kept if nobody says: in the user's own cache."""
    if cache is None:
        raise UsageError("The environment names no home for the cache of clones: say --clone-cache FOLDER.")
    return cache / "clones"


def _noted(place: Path) -> Path:
    return place / "backaudit-commits"


def _has(place: Path, commit: str) -> bool:
    """Whether a commit was fetched whole; a fetch that was interrupted has noted nothing."""
    try:
        return commit in _noted(place).read_text("ascii").split()
    except (OSError, ValueError):
        return False


def _note(place: Path, commit: str) -> None:
    with open(_noted(place), "a", encoding="ascii") as file:
        file.write(f"{commit}\n")
        file.flush()
        os.fsync(file.fileno())
