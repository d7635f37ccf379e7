"""What git tracks, read from ``.git/index`` itself (versions 2 to 4): no git is needed, and none is run."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from backaudit.regular import leads_inside, read_regular

_HEADER = struct.Struct(">4sII")
_STAT_BYTES = 40
_EXTENDED = 0x4000
LINK_MODE = 0o120000
FILE_TYPE = 0o170000
REGULAR = 0o100000
FOREIGN = "names a git directory that does not name this folder as its work tree: it is not read."
# The index of a repository of millions of files.
_LARGEST = 1 << 29


class UnreadableIndex(Exception):
    """The index is not one that we can read."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One tracked file: its path relative to the work tree, its mode bits and the hex id of its blob."""

    path: str
    mode: int
    blob: str


class Repository(msgspec.Struct, frozen=True):
    """Where a work tree's records are: ``git_dir`` is its own, ``common_dir`` is shared between work trees."""

    top: Path
    git_dir: Path
    common_dir: Path


def repository_at(folder: Path) -> Repository | None:
    """The repository whose work tree's top is ``folder``.

    A ``.git`` file (of a linked work tree, of a submodule) is followed if what it names says that this is its work
    tree: else anybody's tree could name another repository, and have its contents told.
    """
    git = folder / ".git"
    if git.is_dir():
        return Repository(folder, git, git) if leads_inside(git, folder) else None
    git_dir = _named_by(git)
    if git_dir is None or not git_dir.is_dir():
        return None
    common = _common(git_dir)
    return Repository(folder, git_dir, common) if _belongs(git_dir, common, folder) else None


def repository_of(folder: Path) -> Repository | None:
    """The repository that ``folder`` lies in: the nearest ancestor-or-self that is a work tree's top."""
    for candidate in (folder, *folder.parents):
        if _is_top(candidate):
            return repository_at(candidate)
    return None


def foreign(folder: Path) -> Path | None:
    """The nearest ``.git`` at or above ``folder``, if it names a git directory of another work tree."""
    for candidate in (folder, *folder.parents):
        if _is_top(candidate):
            return candidate / ".git" if is_foreign(candidate) else None
    return None


def is_foreign(folder: Path) -> bool:
    """Whether the ``.git`` of this folder itself names a git directory of another work tree."""
    return _is_top(folder) and repository_at(folder) is None


def _is_top(folder: Path) -> bool:
    """Whether git would look no further up: there is a git directory, or a file that names one."""
    git = folder / ".git"
    return git.is_dir() or _named_by(git) is not None


def _named_by(git: Path) -> Path | None:
    """The git directory that a ``.git`` file names."""
    head = _small(git)
    if not head.startswith("gitdir:"):
        return None
    return Path(os.path.normpath(git.parent / head[len("gitdir:") :].strip()))


def _belongs(git_dir: Path, common: Path, folder: Path) -> bool:
    """Whether a git directory says that ``folder`` is its work tree, or lies in that folder itself."""
    if common != git_dir:  # of a linked work tree
        is_listed = os.path.realpath(git_dir.parent) == os.path.realpath(common / "worktrees")
        return is_listed and _same(git_dir / _small(git_dir / "gitdir").strip(), folder / ".git")
    if leads_inside(git_dir, folder):
        return True
    return any(_same(git_dir / path, folder) for path in _WORK_TREE.findall(_small(git_dir / "config")))


_WORK_TREE = re.compile(r'(?im)^\s*worktree\s*=\s*"?([^"\n]+?)"?\s*$')


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _small(path: Path) -> str:
    """The text of a file of git's own; empty where there is none to be read."""
    try:
        return read_regular(path).decode("utf-8", "surrogateescape")
    except (OSError, ValueError):
        return ""


def entries(repository: Repository, name: str = "index") -> list[Entry]:
    """All entries of the index, in its own (byte) order; none when nothing was ever added. Or UnreadableIndex.

    ``name``: of the file in the git directory, where a commit in the making has one of its own.
    """
    width = 32 if is_sha256(repository) else 20
    try:
        data = read_regular(repository.git_dir / name, _LARGEST)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreadableIndex(error.strerror or "unreadable") from error
    try:
        own, end = _parse(data, width)
        shared = _shared_index(data, end, width)
        base = _shared(repository, shared, width) if shared else []
    except (struct.error, IndexError, ValueError, OSError) as error:
        raise UnreadableIndex("malformed") from error
    # A split index lists only what changed; an entry without a name replaces one of the shared index in place.
    return [entry for entry in [*base, *own] if entry.path]


def _shared(repository: Repository, name: str, width: int) -> list[Entry]:
    return _parse(read_regular(repository.git_dir / f"sharedindex.{name}", _LARGEST), width)[0]


def _common(git_dir: Path) -> Path:
    text = _small(git_dir / "commondir").strip()
    return Path(os.path.normpath(git_dir / text)) if text else git_dir


def is_sha256(repository: Repository) -> bool:
    """Whether objects are named by the longer digest."""
    text = _small(repository.common_dir / "config")
    return "objectformat=sha256" in text.lower().replace(" ", "").replace("\t", "")


def _parse(data: bytes, width: int) -> tuple[list[Entry], int]:
    """The entries, and the offset at which the extensions begin."""
    magic, version, count = _HEADER.unpack_from(data)
    if magic != b"DIRC" or version not in (2, 3, 4) or count > len(data):
        raise ValueError("not an index")
    found: list[Entry] = []
    at, previous = _HEADER.size, b""
    for _ in range(count):
        flags_at = at + _STAT_BYTES + width
        (flags,) = struct.unpack_from(">H", data, flags_at)
        name_at = flags_at + (4 if flags & _EXTENDED else 2)
        if version == 4:
            previous, end = _compressed(data, name_at, previous)
        else:
            stop = data.index(b"\0", name_at)
            previous, end = data[name_at:stop], at + (stop - at + 8) // 8 * 8
        (mode,) = struct.unpack_from(">I", data, at + 24)
        found.append(Entry(os.fsdecode(previous), mode, data[at + _STAT_BYTES : flags_at].hex()))
        at = end
    return found, at


def _compressed(data: bytes, at: int, previous: bytes) -> tuple[bytes, int]:
    """A version 4 name: how many bytes of the previous name to drop, then the rest up to a NUL."""
    byte = data[at]
    drop = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = data[at]
        drop = ((drop + 1) << 7) | (byte & 0x7F)
    stop = data.index(b"\0", at + 1)
    return previous[: len(previous) - drop] + data[at + 1 : stop], stop + 1


def _shared_index(data: bytes, at: int, width: int) -> str:
    """The hex name of the shared index that a split index stands on, empty if it stands alone."""
    for name, body in _extensions(data, at, width):
        if name == b"link":
            return body[:width].hex() if any(body[:width]) else ""
    return ""


def _extensions(data: bytes, at: int, width: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= len(data) - width:
        name, size = struct.unpack_from(">4sI", data, at)
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size
