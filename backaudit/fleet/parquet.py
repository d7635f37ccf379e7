"""The store as Parquet, for a warehouse: a file for each table, written anew from the database beside them.

Parquet cannot be added to: what a run changes (a finding that is fixed, a repository that is scanned again) changes in
the database while the run goes on, and all tables are written when it ends, however it ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow
import pyarrow.parquet

from backaudit.fleet.store import Store

TABLES = ("runs", "repositories", "scans", "findings", "problems")
_BATCH = 50_000
_TYPES = {"INTEGER": pyarrow.int64(), "REAL": pyarrow.float64(), "TEXT": pyarrow.string()}


def write(store: Store) -> None:
    """Put every table into a file of the store's folder, whole or not at all."""
    for table in TABLES:
        target = store.path / f"{table}.parquet"
        fresh = target.with_suffix(".parquet.new")
        _write(store, table, fresh)
        os.replace(fresh, target)


def _write(store: Store, table: str, target: Path) -> None:
    schema = _schema(store, table)
    with pyarrow.parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        for columns in _batches(store, table, schema):
            writer.write_table(pyarrow.table(columns, schema=schema))


def _schema(store: Store, table: str) -> pyarrow.Schema:
    columns = store.rows(f"PRAGMA table_info({table})")
    return pyarrow.schema([(column["name"], _TYPES[column["type"]]) for column in columns])


def _batches(store: Store, table: str, schema: pyarrow.Schema) -> Iterator[dict[str, list[object]]]:
    """The rows of a table by column, so many at a time."""
    names = schema.names
    cursor = store.connection.execute(f"SELECT {', '.join(names)} FROM {table}")
    while rows := list(islice(cursor, _BATCH)):
        yield {name: [row[place] for row in rows] for place, name in enumerate(names)}
