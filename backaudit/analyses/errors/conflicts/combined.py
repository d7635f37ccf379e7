"""New rows whose columns together are unique, where a client chooses one of them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.conflicts.rows import NewRow, new_rows, stored
from backaudit.analyses.errors.conflicts.writes import Write, client, together
from backaudit.backend.data.schema import schema
from backaudit.facts import ops
from backaudit.flow.trace import Origin
from backaudit.project import Node, Project
from backaudit.project.nodes import Access


def combinations(project: Project) -> Iterator[Write]:
    """The writes of columns that together are unique."""
    for table in project.once(schema).tables.values():
        groups = list(together(table)) if table.model else []
        for row in new_rows(project, table) if groups else ():
            if stored(project, row.made, row.made) is not None:
                found = (_combination(project, row, names) for names in groups)
                yield from (write for write in found if write is not None)


def _combination(project: Project, row: NewRow, names: tuple[str, ...]) -> Write | None:
    values = [_value_of(project, row, name) for name in names]
    known = [value for value in values if value is not None]
    place = stored(project, row.made, row.made)
    chosen = _chosen(project, known) if place is not None and len(known) == len(names) else None
    if chosen is None or place is None:
        return None
    value, access, origin = chosen
    return Write(row.table, ", ".join(names), True, value, row.made, place.node, origin, access, row=place.row)


def _chosen(project: Project, known: list[tuple[Node, Access]]) -> tuple[Node, Access, Origin] | None:
    """The first of the values that a client chooses, where the same ones may be there already."""
    fresh = any(_is_fresh(value) for value, access in known if not access)
    for value, access in known:
        origin = client(project, value, access)
        if origin is not None and (not fresh or _may_repeat(value)):
            return value, access, origin
    return None


def _value_of(project: Project, row: NewRow, name: str) -> tuple[Node, Access] | None:
    """What a column is given: by one of its names, or as a field of the schema that is spread out."""
    column = row.table.column(name)
    attributes = [name, *([column.attribute] if column is not None and column.attribute else [])]
    given = (row.made.arg(None, attribute) for attribute in (*attributes, name.removesuffix("_id")))
    value = next((value for value in given if value is not None), None)
    if value is not None:
        return value, ()
    found = row.named(project, attributes[-1])
    spread = client(project, *found) if found is not None else None
    is_field = spread is not None and isinstance(spread.node.op, ops.Param)
    return found if is_field else None


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
