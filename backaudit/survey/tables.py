"""Tables and collections as the survey shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.backend.data.documents import Collection
from backaudit.backend.data.schema import Column, Index, Table, schema
from backaudit.backend.data.schema.disagreements import Disagreement, disagreements
from backaudit.project import Project
from backaudit.survey.records import (
    CollectionRow,
    ColumnRow,
    DifferenceRow,
    DocumentFieldRow,
    IndexRow,
    TableRow,
)
from backaudit.survey.spots import spot


def table_rows(project: Project) -> Iterator[TableRow]:
    differing: dict[str, list[Disagreement]] = {}
    for one in disagreements(project):
        differing.setdefault(one.table.lower(), []).append(one)
    for name, table in sorted(schema(project).tables.items()):
        if is_shown(project, table):
            yield _table(table, differing.get(name, ()))


def is_shown(project: Project, table: Table) -> bool:
    return bool(table.columns) and (table.place is None or project.role(table.place.path) not in ("test", "example"))


def _table(table: Table, differing: Iterable[Disagreement]) -> TableRow:
    return TableRow(
        name=table.name,
        source=table.orm,
        model=table.model,
        at=spot(table.place) if table.place is not None else None,
        columns=tuple(_column(column, table) for column in table.columns),
        primary=table.primary_key or tuple(c.name for c in table.columns if c.primary_key),
        indexes=tuple(
            dict.fromkeys(_index(index) for index in table.indexes if not index.primary and not _is_twin(index))
        ),
        differences=tuple(dict.fromkeys(map(_difference, differing))),
    )


def _difference(one: Disagreement) -> DifferenceRow:
    at = spot(one.place) if one.place is not None else None
    return DifferenceRow(kind=one.kind, name=one.name, only=one.only, at=at)


def collection_row(one: Collection) -> CollectionRow:
    return CollectionRow(
        name=one.name,
        source=one.store,
        model=one.model,
        at=spot(one.place) if one.place is not None else None,
        fields=tuple(
            DocumentFieldRow(name=f.name, type=f.type, required=f.required, references=f.references) for f in one.fields
        ),
        indexes=tuple(dict.fromkeys(map(_index, one.indexes))),
    )


def _is_twin(index: Index) -> bool:
    """Django's second index for LIKE, which PostgreSQL alone gets."""
    return index.place is None and any(key.opclass for key in index.keys)


def _column(column: Column, table: Table) -> ColumnRow:
    return ColumnRow(
        name=column.name,
        type=column.type,
        length=column.length,
        nullable=column.nullable and not column.primary_key,
        primary=column.primary_key or column.name in table.primary_key,
        unique=column.unique and not column.primary_key,
        default=bool(column.default),
        references=column.references,
    )


def _index(index: Index) -> IndexRow:
    keys = tuple(f"{key.text} desc" if key.descending else key.text for key in index.keys)
    return IndexRow(keys=keys, name=index.name, unique=index.unique, where=index.where, method=index.method)
