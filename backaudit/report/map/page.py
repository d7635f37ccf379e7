"""The survey as the templates want it: for the page of ``map``, and for the sections of a scan's report."""

from __future__ import annotations

import re
from itertools import groupby

import msgspec

from backaudit.report.map import words
from backaudit.report.map.drawing import Drawing, drawing
from backaudit.survey.records import CollectionRow, DocumentFieldRow, RouteRow, Survey, TableRow

# Beyond these the tables, and the drawing, are closed until somebody opens them.
FEW_TABLES = 12
FEW_BOXES = 40


class RoutePart(msgspec.Struct, frozen=True):
    """A route's cells."""

    row: RouteRow
    methods: str
    handler: str
    guards: tuple[str, ...]
    taken: tuple[str, ...]
    raw: bool


class Group(msgspec.Struct, frozen=True):
    """The routes of one router, blueprint or app."""

    name: str
    routes: tuple[RoutePart, ...]


class ColumnPart(msgspec.Struct, frozen=True):
    """A column's cells; ``target`` is the anchor of the table that it refers to, empty if there is none."""

    name: str
    type: str
    notes: str
    reference: str
    target: str


class TablePart(msgspec.Struct, frozen=True):
    """A table with its anchor, and in words what models and migrations disagree about."""

    row: TableRow
    anchor: str
    columns: tuple[ColumnPart, ...]
    indexes: tuple[str, ...]
    differences: tuple[str, ...]


class CollectionPart(msgspec.Struct, frozen=True):
    """A collection of a document store."""

    row: CollectionRow
    fields: tuple[DocumentFieldRow, ...]
    indexes: tuple[str, ...]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the sections show."""

    survey: Survey
    groups: tuple[Group, ...]
    tables: tuple[TablePart, ...]
    collections: tuple[CollectionPart, ...]
    anchors: dict[str, str]
    drawing: Drawing | None
    open: int
    raw: int
    few_tables: bool
    few_boxes: bool


def page(survey: Survey) -> Page:
    """The survey, cut into what the templates repeat."""
    anchors = _anchors(survey)
    groups = [
        Group(name, tuple(_route(row, survey) for row in rows))
        for name, rows in groupby(survey.routes, key=lambda row: row.group)
    ]
    return Page(
        survey=survey,
        groups=tuple(groups),
        tables=tuple(_table(row, anchors) for row in survey.tables),
        collections=tuple(
            CollectionPart(row, row.fields, tuple(map(words.index_text, row.indexes))) for row in survey.collections
        ),
        anchors=anchors,
        drawing=drawing(survey.tables) if survey.tables else None,
        open=sum(not row.authenticates for row in survey.routes),
        raw=sum(bool(row.raw) for row in survey.routes),
        few_tables=len(survey.tables) <= FEW_TABLES,
        few_boxes=len(survey.tables) <= FEW_BOXES,
    )


def _anchors(survey: Survey) -> dict[str, str]:
    """For each table an anchor of its own."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for row in survey.tables:
        base = "table-" + (re.sub(r"[^0-9A-Za-z_]+", "-", row.name) or "-")
        names = (base, *(f"{base}-{number}" for number in range(2, 1000)))
        found[row.name] = next(name for name in names if name.lower() not in taken)
        taken.add(found[row.name].lower())
    return found


def _route(row: RouteRow, survey: Survey) -> RoutePart:
    guards = (*(guard.name for guard in row.guards if guard.proves), *words.besides(row))
    return RoutePart(
        row, words.methods(row), words.handler(row), guards, tuple(words.taken(row, survey)), bool(row.raw)
    )


def _table(row: TableRow, anchors: dict[str, str]) -> TablePart:
    columns = []
    for column in row.columns:
        notes = [note for note in words.column_notes(column) if not note.startswith("→")]
        target = column.references.rpartition(".")[0] or column.references
        columns.append(
            ColumnPart(
                column.name, words.column_type(column), ", ".join(notes), column.references, anchors.get(target, "")
            )
        )
    return TablePart(
        row,
        anchors[row.name],
        tuple(columns),
        tuple(map(words.index_text, row.indexes)),
        tuple(map(words.difference_text, row.differences)),
    )
