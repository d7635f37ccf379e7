"""New rows whose columns together are unique, where a client chooses one of them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.conflicts.rows import NewRow, new_rows, stored
from backaudit.analyses.errors.conflicts.writes import Write, client, together
from backaudit.backend.data.schema import Table, schema
from backaudit.facts import ops
from backaudit.project import Node, Project


def combinations(project: Project) -> Iterator[Write]:
    """The writes of columns that together are unique."""
    for table in project.once(schema).tables.values():
        groups = list(together(table)) if table.model else []
        for row in new_rows(project, table) if groups else ():
            if stored(project, row.made, row.made) is not None:
                found = (_combination(project, row, names) for names in groups)
                yield from (write for write in found if write is not None)


def _combination(project: Project, row: NewRow, names: tuple[str, ...]) -> Write | None:
    values = [_value_of(row.table, row.made, name) for name in names]
    known = [value for value in values if value is not None]
    place = stored(project, row.made, row.made)
    if len(known) < len(names) or place is None:
        return None
    fresh = any(_is_fresh(value) for value in known)
    for value in known:
        origin = client(project, value)
        if origin is not None and (not fresh or _may_repeat(value)):
            return Write(row.table, ", ".join(names), True, value, row.made, place.node, origin, row=place.row)
    return None


def _value_of(table: Table, made: Node, name: str) -> Node | None:
    column = table.column(name)
    attributes = [name, *([column.attribute] if column is not None and column.attribute else [])]
    given = (made.arg(None, attribute) for attribute in (*attributes, name.removesuffix("_id")))
    return next((value for value in given if value is not None), None)


def _is_fresh(value: Node) -> bool:
    """Whether a value belongs to a row that the same body has made: nothing refers to it yet."""
    op = value.origin.op
    owner = value.origin.to(op.base).origin if isinstance(op, ops.Attr) else value.origin
    return owner.call is not None and owner.method[:1].isupper()


def _may_repeat(value: Node) -> bool:
    """Whether a value is of an element of a list, which may hold the same twice."""
    node = value.origin
    while isinstance(node.op, (ops.Attr, ops.Item)):
        node = node.to(node.op.base).origin
    return isinstance(node.op, ops.Element) and node.to(node.op.base).method not in ("items", "keys", "set", "values")
