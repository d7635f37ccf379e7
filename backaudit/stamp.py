"""What code is running, as a stamp that changes with its files: no cache outlives the code that filled it."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterable
from functools import cache
from importlib import metadata

_DATA = (".py", ".toml", ".json", ".txt")


class _Known:
    """How the files of the running code are known: by their times, or by what is in them."""

    by_contents = False


def know_by_contents() -> None:
    """From now on stamps are the same on every machine that has the same code, wherever and whenever it was installed.

    It takes longer: for a process that lives long, or shares with others what it keeps.
    """
    if not _Known.by_contents:
        _Known.by_contents = True
        folder_stamp.cache_clear()


@cache
def folder_stamp(folder: str) -> bytes:
    """A digest of the names, sizes and times (or contents) of the code and data below a folder, or of one file."""
    digest = hashlib.blake2b(digest_size=20)
    for path, size, changed in sorted(_files(folder)):
        if _Known.by_contents:
            digest.update(f"{os.path.relpath(path, folder)}\0{size}\0".encode("utf-8", "surrogateescape"))
            digest.update(_contents(path))
        else:
            digest.update(f"{path}\0{size}\0{changed}\n".encode("utf-8", "surrogateescape"))
    return digest.digest()


def _contents(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _files(folder: str) -> Iterable[tuple[str, int, int]]:
    if os.path.isfile(folder):
        state = os.stat(folder)
        yield folder, state.st_size, state.st_mtime_ns
        return
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            if entry.name != "__pycache__":
                yield from _files(entry.path)
        elif entry.name.endswith(_DATA):
            state = entry.stat()
            yield entry.path, state.st_size, state.st_mtime_ns


@cache
def library_stamp(names: tuple[str, ...]) -> bytes:
    """The versions of libraries and of the interpreter."""
    parts = [f"{name}={_version(name)}" for name in names]
    return ";".join([*parts, "{}.{}".format(*sys.version_info)]).encode()


def _version(name: str) -> str:
    """A library's version; its metadata are read up to there only, they often hold a whole readme."""
    text = metadata.distribution(name).read_text("METADATA") or ""
    found = re.search(r"^Version:\s*(\S+)", text, re.MULTILINE)
    return found[1] if found else metadata.version(name)
