"""Where the models and the migrations of a project describe different tables.

A query is judged by all sources together; what differs between them is told here, column by column and index by index.
Only what both tell wholly is compared: migrations that alter a table which something else made say little of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from backaudit.backend.data.schema import declared, migrated
from backaudit.backend.data.schema.tables import Table
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
    whole = _create_most(models, migrations)
    automatic = project.models.kinds.get("indexed-types", frozenset())
    for name in sorted(models.keys() | migrations.keys()):
        mine, theirs = models.get(name), migrations.get(name)
        if mine is not None and theirs is not None:
            if mine.primary_key and theirs.primary_key:
                found += [*_of_columns(mine, theirs), *_of_indexes(mine, theirs, automatic)]
        elif whole:
            found += _alone(project, mine, "models") if mine is not None else _alone(project, theirs, "migrations")
    return tuple(found)


def _alone(project: Project, known: Table | None, only: Source) -> list[Disagreement]:
    """A table that one side alone knows, if it is of the project's own."""
    if known is None or not known.columns or _is_librarys(project, known):
        return []
    return [Disagreement(table=known.name, kind="table", only=only, place=known.place)]


def _create_most(models: Mapping[str, Table], migrations: Mapping[str, Table]) -> bool:
    """Whether the migrations begin with an empty database, so that a table that they do not create is missing."""
    created = [name for name in models if name in migrations and migrations[name].primary_key]
    return len(created) * 2 > len(models)


def _is_librarys(project: Project, table: Table) -> bool:
    """Whether a table is that of an installed package, whose migrations are not ours."""
    return bool(table.model) and project.class_named(table.model) is None


def _of_columns(mine: Table, theirs: Table) -> Iterator[Disagreement]:
    sides: tuple[tuple[Source, Table, Table], ...] = (("models", mine, theirs), ("migrations", theirs, mine))
    for source, here, there in sides:
        for column in here.columns:
            other = there.column(column.name)
            if other is None:
                yield Disagreement(table=mine.name, kind="column", name=column.name, only=source, place=here.place)
            elif column.nullable and not other.nullable:
                yield Disagreement(table=mine.name, kind="nullability", name=column.name, only=source, place=here.place)


def _of_indexes(mine: Table, theirs: Table, automatic: frozenset[str]) -> Iterator[Disagreement]:
    sides: tuple[tuple[Source, Table, Table], ...] = (("models", mine, theirs), ("migrations", theirs, mine))
    for source, here, there in sides:
        known = {_described(index) for index in there.indexes}
        for index in here.indexes:
            columns = [mine.column(name) for name in index.columns]
            if any(column is not None and column.type.rpartition(".")[2] in automatic for column in columns):
                continue
            if not index.primary and _described(index) not in known:
                name = ", ".join(index.columns)
                place = index.place or here.place
                yield Disagreement(table=mine.name, kind="index", name=name, only=source, place=place)


def _described(index: Index) -> tuple[object, ...]:
    keys = tuple((key.text.lower(), key.descending, bool(key.opclass)) for key in index.keys)
    return keys, index.unique, index.where, index.method
