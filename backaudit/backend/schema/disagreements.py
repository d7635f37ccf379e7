"""Where the models and the migrations of a project describe different tables.

A query is judged by all sources together; what differs between them is told here, column by column and index by index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from backaudit.backend.schema import declared, migrated
from backaudit.backend.schema.tables import Table
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.sql import Index

Kind = Literal["table", "column", "nullability", "index"]
Source = Literal["models", "migrations"]


class Disagreement(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Something that only one source says. ``name``: the column, or the index's columns; empty for a table.

    For ``nullability``, ``only``: the source that admits null.
    """

    table: str
    kind: Kind
    name: str = ""
    only: Source
    place: Place | None = None


def disagreements(project: Project) -> tuple[Disagreement, ...]:
    """All of them, by table; none where a project has no migrations."""
    return project.once(_disagreements)


def _disagreements(project: Project) -> tuple[Disagreement, ...]:
    models, migrations = declared(project).tables, migrated(project).tables
    if not models or not migrations:
        return ()
    found: list[Disagreement] = []
    for name in sorted(models.keys() | migrations.keys()):
        mine, theirs = models.get(name), migrations.get(name)
        if mine is None or theirs is None:
            known = mine or theirs
            if known is not None and known.columns:
                only: Source = "models" if theirs is None else "migrations"
                found.append(Disagreement(table=known.name, kind="table", only=only, place=known.place))
        elif mine.columns and theirs.columns:
            found += _of_columns(mine, theirs)
            found += _of_indexes(mine, theirs)
    return tuple(found)


def _of_columns(mine: Table, theirs: Table) -> Iterator[Disagreement]:
    sides: tuple[tuple[Source, Table, Table], ...] = (("models", mine, theirs), ("migrations", theirs, mine))
    for source, here, there in sides:
        for column in here.columns:
            other = there.column(column.name)
            if other is None:
                yield Disagreement(table=mine.name, kind="column", name=column.name, only=source, place=here.place)
            elif column.nullable and not other.nullable:
                yield Disagreement(table=mine.name, kind="nullability", name=column.name, only=source, place=here.place)


def _of_indexes(mine: Table, theirs: Table) -> Iterator[Disagreement]:
    sides: tuple[tuple[Source, Table, Table], ...] = (("models", mine, theirs), ("migrations", theirs, mine))
    for source, here, there in sides:
        known = {_described(index) for index in there.indexes}
        for index in here.indexes:
            if not index.primary and _described(index) not in known:
                name = ", ".join(index.columns)
                place = index.place or here.place
                yield Disagreement(table=mine.name, kind="index", name=name, only=source, place=place)


def _described(index: Index) -> tuple[object, ...]:
    keys = tuple((key.text.lower(), key.descending, bool(key.opclass)) for key in index.keys)
    return keys, index.unique, index.where, index.method
