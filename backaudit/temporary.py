"""The only home of temporary folders: the user's alone, and gone with the run."""

from __future__ import annotations

import errno
import tempfile


def temporary_folder(purpose: str = "") -> tempfile.TemporaryDirectory[str]:
    """An empty folder that nobody else may read; an OSError for want of room where no folder takes a file."""
    prefix = f"backaudit-{purpose}-" if purpose else "backaudit-"
    try:
        return tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    except FileNotFoundError as error:
        raise OSError(errno.ENOSPC, "No folder for temporary files can be written to") from error
