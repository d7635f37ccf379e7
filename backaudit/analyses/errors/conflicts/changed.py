"""Rows that are there and are changed: attribute by attribute, or by a mapping."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.conflicts.rows import COMMITS, is_judged, stored
from backaudit.analyses.errors.conflicts.writes import Constrained, Write, client, constrained, together
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.data.updates import Update, updates
from backaudit.project import Code, Node, Project
from backaudit.project.nodes import Access

_STORING = (*sorted(COMMITS), "save", "asave")


def changed_rows(project: Project) -> Iterator[Write]:
    """The constrained columns of rows that a client changes."""
    for update, table in changes(project):
        yield from _alone(project, update, table)
        yield from _together(project, update, table)


def changes(project: Project) -> Iterator[tuple[Update, Table]]:
    """The updates of rows in bodies that store some, with the tables that they are of."""
    storing = frozenset(project.once(_storing))
    for code in project.once(_storing):
        for update in updates(project, code):
            if not storing.isdisjoint(project.callees(update.at)):
                continue  # what sets the columns stores the row itself, and is asked about there
            found = (project.once(schema).of_model(name) for name in project.types(update.row))
            table = next((table for table in found if table is not None), None)
            if table is not None:
                yield update, table


def _storing(project: Project) -> tuple[Code, ...]:
    """The bodies that store rows, themselves or by a function that they call."""
    own = dict.fromkeys(code for name in _STORING for code in project.calling(name))
    calling = dict.fromkeys(call.code for code in own for call in project.callers(code))
    return tuple(code for code in dict.fromkeys((*own, *calling)) if code.file.role == "production")


def _alone(project: Project, update: Update, table: Table) -> Iterator[Write]:
    for column in constrained(table):
        given = _set_to(table, update, column) if not column.key else None
        if given is None or is_judged(project, given[0]):
            continue
        origin = client(project, *given)
        place = stored(project, update.at, update.row) if origin is not None else None
        if origin is not None and place is not None:
            value, access = given
            yield Write(table, column.column, column.unique, value, update.at, place.node, origin, access, fresh=False)


def _set_to(table: Table, update: Update, column: Constrained) -> tuple[Node, Access] | None:
    """What an update sets a column to; in a mapping a reference stands by its key, where a form has the row itself."""
    if update.mapping and not column.unique:
        is_key = column.column != column.attribute or column.attribute.endswith("_id")
        return update.given(column.column) if is_key else None
    return update.given(column.attribute) or update.given(column.column)


def _together(project: Project, update: Update, table: Table) -> Iterator[Write]:
    """One of the columns that together are unique: with the others it may be another row's already."""
    for names in together(table) if update.name else ():
        given = next((found for name in names if (found := _given(table, update, name)) is not None), None)
        origin = client(project, given) if given is not None else None
        place = stored(project, update.at, update.row) if origin is not None else None
        if given is not None and origin is not None and place is not None:
            yield Write(table, ", ".join(names), True, given, update.at, place.node, origin, fresh=False)


def _given(table: Table, update: Update, name: str) -> Node | None:
    column = table.column(name)
    attribute = column.attribute if column is not None and column.attribute else name
    return update.value if update.name in (name, attribute) and not update.mapping else None
