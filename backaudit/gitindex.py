"""What git tracks, read from ``.git/index`` itself (versions 2 to 4): no git is needed, and none is run."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

_HEADER = struct.Struct(">4sII")
_STAT_BYTES = 40
_EXTENDED = 0x4000
LINK_MODE = 0o120000
FILE_TYPE = 0o170000
REGULAR = 0o100000


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
    """The repository whose work tree's top is ``folder``; a ``.git`` file (work tree, submodule) is followed."""
    git = folder / ".git"
    if git.is_dir():
        return Repository(folder, git, git)
    try:
        head = git.read_text("utf-8", "surrogateescape")[:4096]
    except (OSError, ValueError):
        return None
    if not head.startswith("gitdir:"):
        return None
    git_dir = Path(os.path.normpath(folder / head[len("gitdir:") :].strip()))
    return Repository(folder, git_dir, _common(git_dir)) if git_dir.is_dir() else None


def repository_of(folder: Path) -> Repository | None:
    """The repository that ``folder`` lies in: the nearest ancestor-or-self that is a work tree's top."""
    for candidate in (folder, *folder.parents):
        found = repository_at(candidate)
        if found:
            return found
    return None


def entries(repository: Repository) -> list[Entry]:
    """All entries of the index, in its own (byte) order; none when nothing was ever added. Or UnreadableIndex."""
    width = 32 if _is_sha256(repository) else 20
    try:
        data = (repository.git_dir / "index").read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreadableIndex(error.strerror or "unreadable") from error
    try:
        own, end = _parse(data, width)
        shared = _shared_index(data, end, width)
        base = _parse((repository.git_dir / f"sharedindex.{shared}").read_bytes(), width)[0] if shared else []
    except (struct.error, IndexError, ValueError, OSError) as error:
        raise UnreadableIndex("malformed") from error
    # A split index lists only what changed; an entry without a name replaces one of the shared index in place.
    return [entry for entry in [*base, *own] if entry.path]


def _common(git_dir: Path) -> Path:
    try:
        text = (git_dir / "commondir").read_text("utf-8", "surrogateescape").strip()
    except (OSError, ValueError):
        return git_dir
    return Path(os.path.normpath(git_dir / text))


def _is_sha256(repository: Repository) -> bool:
    try:
        text = (repository.common_dir / "config").read_text("utf-8", "replace")
    except OSError:
        return False
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
