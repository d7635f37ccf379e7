"""The records of the schema: tables, and how models lead from one to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Literal

import msgspec

from backaudit.facts.place import Place
from backaudit.sql import Column, Definition, Index, Key

# A name of ``[orms.NAME]`` in the tables of libraries, which say what tells it from others.
Orm = str
Engine = Literal["postgresql", "mysql", "sqlite"]


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute of a model that leads to rows of another (``target``: the other model's class, a dotted name).

    ``column``: the foreign key here; empty if the key stands in the other table: ``remote``, ``*`` for one between:
    ``link``, as the code names it, by its name or class, where the code does.
    ``eager``: its rows come with the owner's, so that reading it runs no query. ``cascades``: they are loaded and
    deleted when their owner is. ``removes``: they are deleted with it, by whomever; ``passive``: by the database.
    ``typed``: the column there that says of which model the owner is.
    ``upwards``: it was said which column stands on the other side, which of a table that leads to itself is the key.
    """

    name: str
    target: str
    column: str = ""
    remote: str = ""
    link: str = ""
    many: bool = False
    eager: bool = False
    dynamic: bool = False
    cascades: bool = False
    removes: bool = False
    passive: bool = False
    upwards: bool = False
    typed: str = ""


class Table(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A table. ``model``: the class behind it, empty if there is none. ``parents``: models whose tables it extends.

    ``ordering``: the order of every list of its rows, as column names with ``-``. ``partitioned``: the columns by which
    it is cut into parts, of which a condition on them reads one. ``engine``: the database that it is in. ``view``: it
    is none of its own, but a view of others.
    """

    name: str
    orm: Orm
    model: str = ""
    columns: tuple[Column, ...] = ()
    indexes: tuple[Index, ...] = ()
    relations: tuple[Relation, ...] = ()
    ordering: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    place: Place | None = None
    seeded: bool = False
    partial: bool = False
    partitioned: tuple[str, ...] = ()
    engine: Engine = "postgresql"
    view: bool = False

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        attributes = {column.attribute: column for column in self.columns if column.attribute}
        return {column.name.lower(): column for column in self.columns} | attributes

    def column(self, name: str) -> Column | None:
        """A column by its name, or by its attribute in the model."""
        return self._by_name.get(name) or self._by_name.get(name.lower())

    @cached_property
    def _relations(self) -> dict[str, Relation]:
        return {relation.name: relation for relation in self.relations}

    def relation(self, name: str) -> Relation | None:
        return self._relations.get(name)

    @property
    def primary_key(self) -> tuple[str, ...]:
        return next((index.columns for index in self.indexes if index.primary), ())


class Schema:
    """All tables of a project, by name and by model."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables: dict[str, Table] = {table.name.lower(): table for table in tables}
        self._models = {table.model: table for table in self.tables.values() if table.model}

    def table(self, name: str) -> Table | None:
        """A table by its name, whatever the case."""
        return self.tables.get(name.lower())

    def of_model(self, model: str) -> Table | None:
        """The table behind a model class, given by its dotted name."""
        return self._models.get(model)

    def alias(self, model: str, table: Table) -> None:
        """Let another class name stand for a table: a library's model that the project replaces."""
        self._models.setdefault(model, table)

    def find(self, table: Table, attribute: str) -> tuple[Table, Column] | None:
        """A column of a table or of the tables that it extends."""
        for owner in self.family(table):
            column = owner.column(attribute)
            if column is not None:
                return owner, column
        return None

    def relation(self, table: Table, name: str) -> tuple[Table, Relation] | None:
        """A relation of a table or of the tables that it extends."""
        for owner in self.family(table):
            relation = owner.relation(name)
            if relation is not None:
                return owner, relation
        return None

    def family(self, table: Table) -> Iterator[Table]:
        """A table and those that it extends, nearest first."""
        yield table
        for parent in table.parents:
            base = self._models.get(parent)
            if base is not None and base is not table:
                yield from self.family(base)


def columns_index(
    *names: str, unique: bool = False, primary: bool = False, place: Place | None = None, name: str = ""
) -> Index:
    """A plain index over columns; a leading ``-`` says descending."""
    keys = tuple(Key(key.lstrip("-"), False, key.startswith("-")) for key in names)
    return Index(keys=keys, name=name, unique=unique, primary=primary, place=place)


def with_definition(table: Table, definition: Definition, place: Place | None) -> Table:
    """The table with what a statement of SQL or a migration adds; what the model says of a column stays."""
    known = {column.name.lower() for column in table.columns}
    added = tuple(column for column in definition.columns if column.name.lower() not in known)
    columns = tuple(_referring(column, definition) for column in (*table.columns, *added))
    indexes = tuple(msgspec.structs.replace(index, place=index.place or place) for index in definition.indexes)
    fresh = tuple(index for index in indexes if not _has(table.indexes, index))
    return msgspec.structs.replace(
        table,
        columns=columns,
        indexes=(*table.indexes, *fresh),
        place=table.place or place,
        partitioned=table.partitioned or definition.partitioned,
    )


def _referring(column: Column, definition: Definition) -> Column:
    for name, target in definition.references:
        if name.lower() == column.name.lower() and not column.references:
            removal = dict(definition.on_delete).get(name, "")
            return msgspec.structs.replace(column, references=target, on_delete=column.on_delete or removal)
    return column


def _has(indexes: Iterable[Index], index: Index) -> bool:
    return any(
        (i.keys, i.unique, i.primary, i.where, i.method)
        == (index.keys, index.unique, index.primary, index.where, index.method)
        for i in indexes
    )


def settled(table: Table, references: Mapping[str, str] = {}) -> Table:
    """The table with its primary key as an index over columns without null, and with its foreign keys' targets."""
    declared = next((index.columns for index in table.indexes if index.primary), ())
    primary = declared or tuple(column.name for column in table.columns if column.primary_key)
    columns = tuple(
        msgspec.structs.replace(
            column,
            primary_key=column.name in primary,
            nullable=column.nullable and column.name not in primary,
            references=column.references or references.get(column.name, ""),
        )
        for column in table.columns
    )
    keys = (columns_index(*primary, unique=True, primary=True),) if primary and not declared else ()
    return msgspec.structs.replace(table, columns=columns, indexes=(*keys, *table.indexes))
