"""A private work tree of a commit, written from git's objects: names and contents as a clone has them, nothing run.

Git itself writes none of it: no filter, attribute or hook has a say. Folders and files come first and links last, each
only where nothing stands, so that nothing is ever written through a link. What the tool does not read has its name and
its size, and no contents.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from pathlib import Path

import msgspec

from backaudit import git, gitindex
from backaudit.gittree import CONFIGURATION
from backaudit.report.fleet.records import ProblemRecord
from backaudit.source import DEFAULT_LIMITS, kind_of
from backaudit.usage import UsageError

MOST_ENTRIES = 1_000_000
_MOST_LISTED = 1 << 29
# Nobody reads more of a file, whatever the configuration allows.
_MOST_OF_A_FILE = max(DEFAULT_LIMITS.values())
_LINK_BYTES = 4_096
_FOLDER = 0o160000


class TooLarge(UsageError):
    """The commit is larger than anybody's repository."""


class _Entry(msgspec.Struct, frozen=True, gc=False):
    path: str
    mode: int
    id: str
    size: int


def lay_out(asked: git.Git, commit: str, folder: Path, megabytes: int) -> list[ProblemRecord]:
    """Write the tree of a commit into the empty folder; told is what could not be written."""
    entries = list(_entries(asked, commit))
    _check(entries, megabytes)
    fit = [entry for entry in entries if _is_safe(entry.path)]
    problems = [_left_out(entry, "its name leads out of the folder") for entry in entries if not _is_safe(entry.path)]
    _make_folders(fit, folder)
    with asked.running(["cat-file", "--batch"]) as process:
        blobs = git.Blobs(process)
        for entry in sorted(fit, key=lambda one: one.mode == gitindex.LINK_MODE):
            try:
                _write(entry, blobs, folder)
            except (OSError, ValueError) as error:
                problems.append(_left_out(entry, str(getattr(error, "strerror", None) or error)))
    _make_repository(asked, commit, folder)
    return problems


def fill(asked: git.Git, commit: str, name: str, folder: Path) -> None:
    """Write the contents of a file that is not of those that the tool reads, and that the configuration names."""
    path = posixpath.normpath(name)
    target = folder / path
    if posixpath.isabs(path) or not _is_safe(path) or not target.is_file():
        return
    is_itself = os.path.realpath(target) == os.path.join(os.path.realpath(folder), path)
    if is_itself and target.stat().st_size <= _MOST_OF_A_FILE:
        target.write_bytes(asked.run(["cat-file", "blob", f"{commit}:{path}"]))


def _entries(asked: git.Git, commit: str) -> Iterator[_Entry]:
    """The files of a tree with their sizes; a tree of trees of trees ends at a bound."""
    with asked.running(["ls-tree", "-r", "-z", "-l", "--full-tree", commit]) as process:
        assert process.stdout is not None
        listed = process.stdout.read(_MOST_LISTED + 1)
    if len(listed) > _MOST_LISTED:
        raise TooLarge(f"The tree is larger than a repository of {MOST_ENTRIES:,} files.")
    for line in listed.split(b"\0"):
        if line:
            about, _, path = line.partition(b"\t")
            mode, _, id, size = about.split()
            yield _Entry(os.fsdecode(path), int(mode, 8), id.decode(), int(size) if size.isdigit() else 0)


def _check(entries: list[_Entry], megabytes: int) -> None:
    if len(entries) > MOST_ENTRIES:
        raise TooLarge(f"The commit has {len(entries):,} files, more than {MOST_ENTRIES:,}.")
    read = sum(min(entry.size, _MOST_OF_A_FILE) for entry in entries if _is_read(entry))
    if read > megabytes * 1_000_000:
        raise TooLarge(f"The files to be read take {read // 1_000_000:,} MB, more than the {megabytes:,} MB allowed.")


def _is_read(entry: _Entry) -> bool:
    if entry.mode & gitindex.FILE_TYPE != gitindex.REGULAR:
        return False
    return kind_of(entry.path) != "other" or entry.path.rpartition("/")[2] in CONFIGURATION


def _is_safe(path: str) -> bool:
    """Whether a name stays in the folder, and is none of git's own."""
    return not any(part in ("", ".", "..") or part.lower() == ".git" for part in path.split("/"))


def _make_folders(entries: list[_Entry], folder: Path) -> None:
    """All folders, before anything else is there."""
    for parent in sorted({entry.path.rpartition("/")[0] for entry in entries}):
        (folder / parent).mkdir(parents=True, exist_ok=True)


def _write(entry: _Entry, blobs: git.Blobs, folder: Path) -> None:
    target = folder / entry.path
    kind = entry.mode & gitindex.FILE_TYPE
    if kind == _FOLDER:
        target.mkdir()
    elif kind == gitindex.LINK_MODE:
        os.symlink(os.fsdecode(_contents(entry, blobs, _LINK_BYTES)), target)
    else:
        is_whole = _is_read(entry) and entry.size <= _MOST_OF_A_FILE
        data = _contents(entry, blobs, _MOST_OF_A_FILE) if is_whole else b""
        with open(target, "xb") as file:
            file.write(data)
            file.truncate(max(entry.size, len(data)))


def _contents(entry: _Entry, blobs: git.Blobs, limit: int) -> bytes:
    data = blobs.read(entry.id, limit)
    if data is None:
        raise UsageError(f"Git does not have the object {entry.id} of {entry.path}.")
    return data


def _make_repository(asked: git.Git, commit: str, folder: Path) -> None:
    """What says which files are tracked, and nothing else of git."""
    own = folder / ".git"
    own.mkdir()
    (own / "index").write_bytes(asked.index_of(commit))
    (own / "HEAD").write_text(f"{commit}\n", "ascii")
    if gitindex.is_sha256(asked.repository):
        (own / "config").write_text("[extensions]\n\tobjectformat = sha256\n", "utf-8")


def _left_out(entry: _Entry, why: str) -> ProblemRecord:
    shown = os.fsencode(entry.path).decode("utf-8", "backslashreplace")
    return ProblemRecord(shown, "left-out", 0, f"The file cannot be written here: {why}.")
