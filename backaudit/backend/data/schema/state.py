"""Tables as a sequence of changes leaves them: what migrations and statements of SQL create, alter and drop."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from backaudit.backend.data.schema.tables import Table, settled, with_definition
from backaudit.facts.place import Place
from backaudit.sql import Change, Column, Definition, Index, Key, changes


class State:
    """Tables by name, changed step by step; ``apart``: those of several schemas are told apart (``sales.orders``)."""

    def __init__(self, tables: Iterable[Table] = (), *, apart: bool = False) -> None:
        self._apart = apart
        self.tables = {table.name.lower(): table for table in tables}

    def run(self, text: str, place: Place | None) -> None:
        """A script of SQL: what it defines, drops and renames, in its order."""
        for change in changes(text):
            if isinstance(change, Definition):
                self.define(change, place)
            else:
                self.change(change)

    def run_file(self, path: str, text: str) -> None:
        """The same of a file, in which what is defined has its line."""
        for change in changes(text):
            if isinstance(change, Definition):
                self.define(change, Place.at_line(path, change.line))
            else:
                self.change(change)

    def define(self, definition: Definition, place: Place | None) -> None:
        """A table, or columns and indexes of one; a table that nobody creates may be another source's."""
        name = self._key(definition.schema, definition.table)
        known = self.tables.get(name) or Table(name=definition.table, orm="sql", place=place, partial=True)
        self.tables[name] = with_definition(known, definition, place)

    def change(self, change: Change) -> None:
        """A drop or a rename."""
        apply: dict[str, Callable[[Change], None]] = {
            "drop-table": lambda c: self._drop_table(c.table),
            "rename-table": lambda c: self._rename_table(c.table, c.to),
            "drop-column": lambda c: self._drop_column(c.table, c.name),
            "rename-column": lambda c: self._rename_column(c.table, c.name, c.to),
            "drop-index": lambda c: self._drop_index(c.name, ""),
            "drop-constraint": lambda c: self._drop_index(c.name, c.table),
            "drop-not-null": lambda c: self.alter(c.table, c.name, nullable=True),
            "set-not-null": lambda c: self.alter(c.table, c.name, nullable=False),
        }
        to = self._key(change.schema, change.to) if change.kind == "rename-table" else change.to
        apply[change.kind](msgspec.structs.replace(change, table=self._key(change.schema, change.table), to=to))

    def _key(self, schema: str, table: str) -> str:
        return (f"{schema}.{table}" if self._apart and schema and table else table).lower()

    def alter(self, table: str, column: str, **values: object) -> None:
        """Other values for fields of a column's record."""

        def altered(found: Column) -> Column:
            return msgspec.structs.replace(found, **values) if found.name.lower() == column.lower() else found

        self._each_column(table, altered)

    def _each_column(self, table: str, change: Callable[[Column], Column]) -> None:
        known = self.tables.get(table.lower())
        if known is not None:
            columns = tuple(map(change, known.columns))
            self.tables[table.lower()] = msgspec.structs.replace(known, columns=columns)

    def _drop_table(self, name: str) -> None:
        self.tables.pop(name.lower(), None)

    def _rename_table(self, old: str, to: str) -> None:
        known = self.tables.pop(old.lower(), None)
        if known is None or not to:
            return
        new = to.rpartition(".")[2]
        self.tables[to.lower()] = msgspec.structs.replace(known, name=new)

        def led(column: Column) -> Column:
            owner, _, name = column.references.rpartition(".")
            return msgspec.structs.replace(column, references=f"{new}.{name}") if owner == old else column

        for table in list(self.tables):
            self._each_column(table, led)

    def _drop_column(self, table: str, name: str) -> None:
        known = self.tables.get(table.lower())
        if known is not None:
            columns = tuple(column for column in known.columns if column.name.lower() != name.lower())
            indexes = tuple(index for index in known.indexes if name.lower() not in map(str.lower, index.columns))
            self.tables[table.lower()] = msgspec.structs.replace(known, columns=columns, indexes=indexes)

    def _rename_column(self, table: str, old: str, new: str) -> None:
        known = self.tables.get(table.lower())
        if known is None or not new:
            return

        def renamed(key: Key) -> Key:
            return msgspec.structs.replace(key, text=new) if key.text.lower() == old.lower() else key

        self.alter(table, old, name=new)
        indexes = tuple(
            msgspec.structs.replace(index, keys=tuple(map(renamed, index.keys)))
            for index in self.tables[table.lower()].indexes
        )
        self.tables[table.lower()] = msgspec.structs.replace(self.tables[table.lower()], indexes=indexes)

    def _drop_index(self, name: str, only: str) -> None:
        for table, known in list(self.tables.items()):
            if only and table != only.lower():
                continue
            indexes = tuple(index for index in known.indexes if not _is_called(index, known.name, name))
            self.tables[table] = msgspec.structs.replace(known, indexes=indexes)

    def settle(self) -> dict[str, Table]:
        """The tables, whose primary keys hold no null."""
        return {name: settled(table) for name, table in self.tables.items()}


def _is_called(index: Index, table: str, name: str) -> bool:
    """Whether an index has a name: given, or made up by PostgreSQL for a constraint without one."""
    if index.name:
        return index.name.lower() == name.lower()
    made_up = f"{table}_pkey" if index.primary else f"{table}_{'_'.join(index.columns)}_key" if index.unique else ""
    return made_up.lower() == name.lower()
