"""The only home of temporary folders: the user's alone, and gone with the run."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

# Linux's file system in memory, where there is one, and the bytes that have to be free before much is put into it.
_MEMORY = Path("/dev/shm")
_ENOUGH = 4 << 30


def temporary_folder(purpose: str = "", *, of_many_files: bool = False) -> tempfile.TemporaryDirectory[str]:
    """An empty folder that nobody else may read; an OSError for want of room where no folder takes a file.

    One ``of_many_files`` that are written, synced and removed within seconds is in memory, where there is plenty and
    the user has not said where temporary files go.
    """
    prefix = f"backaudit-{purpose}-" if purpose else "backaudit-"
    try:
        home = tempfile.gettempdir()  # it writes a byte: where that cannot be, there is no room in memory either
        if of_many_files and _has_room():
            home = str(_MEMORY)
        return tempfile.TemporaryDirectory(prefix=prefix, dir=home, ignore_cleanup_errors=True)
    except FileNotFoundError as error:
        raise OSError(errno.ENOSPC, "No folder for temporary files can be written to") from error


def _has_room() -> bool:
    if any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")):
        return False
    return os.access(_MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(_MEMORY).free >= _ENOUGH
