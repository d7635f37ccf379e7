"""Files of a tree that may be hostile: only regular ones are opened, so much of them is read, and no link leads out."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

# More than any file that configures something: what is larger is data, or a trap.
SMALL = 4_000_000
_PIECE = 1 << 20


class Unfit(OSError):
    """It is no regular file, a link that leads out, or larger than anybody would write; the text says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(0, reason)


def read_regular(path: Path, limit: int = SMALL, *, within: Path | None = None) -> bytes:
    """The bytes of a regular file. :class:`Unfit` for anything else, other OSErrors where there is none to be read.

    ``within``: a link has to lead to a file of this folder; without it no link is followed.
    """
    if os.path.islink(path) and (within is None or not leads_inside(path, within)):
        raise Unfit("it is a link" if within is None else "it is a link out of the project")
    # Told before it is opened: to open a device or a pipe may do something, or wait.
    _check(os.stat(path))
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        _check(os.fstat(descriptor))
        return _read(file, limit)


def read_named(path: Path, limit: int = SMALL) -> bytes:
    """The bytes of what the user named, a pipe or a link too; :class:`Unfit` where it is too large, or never ends."""
    with open(path, "rb") as file:
        return _read(file, limit)


def leads_inside(path: Path, folder: Path) -> bool:
    """Whether a path, its links followed, lies in a folder; the folder's own links are taken as they are."""
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except (OSError, ValueError):
        return False


def _check(state: os.stat_result) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise Unfit("it is not a regular file")


def _read(file: BinaryIO, limit: int) -> bytes:
    """All of a file, a piece at a time: to ask for as much as there may be would take the memory for it."""
    data = bytearray()
    while piece := file.read(_PIECE):
        data += piece
        if len(data) > limit:
            raise Unfit(f"it is larger than {limit:,} bytes")
    return bytes(data)
