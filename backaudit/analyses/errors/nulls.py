"""Columns that take no NULL, set to what a schema lets the client send as null."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from backaudit.analyses.errors.conflicts.changed import changes
from backaudit.analyses.errors.conflicts.rows import is_judged, new_rows, stored
from backaudit.analyses.errors.conflicts.statements import built
from backaudit.analyses.errors.conflicts.writes import exception_told, refused_by
from backaudit.analyses.errors.refused import Unchecked, is_about
from backaudit.analyses.errors.requests import showing, wrong
from backaudit.analyses.errors.unsent import may_be_absent, reads_json
from backaudit.backend.access.denial import operands
from backaudit.backend.access.missing import asked
from backaudit.backend.access.tables import touched_table
from backaudit.backend.data.schema import Column, Table, schema
from backaudit.backend.web.catching import ending, escapes
from backaudit.backend.web.inputs.records import Shape
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Trace
from backaudit.project import Node, Project
from backaudit.project.holding import conditions
from backaudit.project.operands import made_of
from backaudit.rule import Finding, Step, assume

_FILLED = assume("caller", "nothing that was called before puts a value in its place")


class _Set(NamedTuple):
    """A value, or a part of it, that a column is set to at ``made``; ``node`` stores the row."""

    table: Table
    column: Column
    value: Node
    access: Access
    made: Node
    node: Node


def findings(project: Project) -> Iterator[Finding]:
    """The first column of each write that the client may set to null, against the database's will."""
    told: set[Node] = set()
    raised = exception_told(project)
    for given in (*_changed(project), *_made(project), *_by_statements(project)):
        open_to_null = given.node not in told and not is_judged(project, given.value)
        path = escapes(project, given.node, refused_by(project)) if open_to_null else None
        goal = _Nullable(project)
        origins = Trace(project, goal).origins(given.value, given.access, given.made.value) if path is not None else ()
        origin = next(iter(origins), None)
        if path is None or origin is None:
            continue
        told.add(given.node)
        name, left_out = f"`{given.table.name}.{given.column.name}`", origin.node.call is not None
        place = given.node.place.first_line()
        end = ending(project, given.node, path, "a 500, not a 422")
        yield Finding(
            place=place,
            message=f"{name} takes no NULL, and the client may {'leave it out' if left_out else 'send null for it'}: "
            f"{raised.rpartition('.')[2]}, {end}.",
            assumed=_FILLED,
            shown="strict",
            trace=(*origin.steps, Step(place, "is stored, or refused")),
            request=showing(
                project, given.node, path, wrong(project, "absent" if left_out else "null", given.value, given.access),
                raises=raised, wanted=(422,),
            ),
        )  # fmt: skip


class _Nullable(Unchecked):
    """What a schema declares that may be null, and what is read as None where nothing was sent, as long as nobody asks
    whether it is.
    """

    def fits(self, shape: Shape) -> bool:
        return not shape.nullable

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        if isinstance(op, ops.Item):
            read = f"`{node.spelled}` is whatever JSON the client sends"
            return read if reads_json(search.project, node.to(op.base)) and node.to(op.key).text else None
        if isinstance(op, ops.Call):
            return f"`{node.spelled}` gives None if nothing was sent" if may_be_absent(search.project, node) else None
        param = client_input(search.project, node.code, op.index) if isinstance(op, ops.Param) else None
        return super().source(search, node, access) if param is not None and param.schema else None

    def ends(self, search: Search, node: Node, access: Access, use: int) -> bool:
        op = node.op
        if isinstance(op, ops.Logic) or (isinstance(op, ops.Call) and _leaves_nulls_out(node)):
            return True
        if super().ends(search, node, access, use):
            return True
        here = range(len(node.code.ops))
        if isinstance(op, (ops.Call, ops.Item)) and use in here and self.source(search, node, access):
            return asked(node.code, node.value, use) or _is_read_and_asked(node, use)
        tests = conditions(node.code, use) if use in here else ()
        return any(is_about(node.code.node(test), node) for test, _ in tests)


def _is_read_and_asked(read: Node, use: int) -> bool:
    """Whether a condition has read the same key of the body in another way: ``if not data.get("name"): return``."""
    op = read.op
    key = read.to(op.key).text if isinstance(op, ops.Item) else None
    tests = (read.code.node(test) for test, _ in conditions(read.code, use)) if key else ()
    asking = [test for test in tests if not _is_of_rows(test)]
    return any(_reads(part, key) for test in asking for part in made_of(test))


def _is_of_rows(test: Node) -> bool:
    """Whether a condition asks what a look-up has found, which says nothing of the key that it looked up by."""
    return any(touched_table(part.code.project, part) is not None for part in operands(test) if part.call is not None)


def _reads(part: Node, key: str | None) -> bool:
    op = part.op
    if isinstance(op, ops.Item):
        return part.to(op.key).text == key
    first = part.arg(0) if part.method == "get" else None
    return first is not None and first.text == key


def _leaves_nulls_out(call: Node) -> bool:
    """``given.model_dump(exclude_none=True)``."""
    said = call.keywords().get("exclude_none")
    return said is not None and said.const is not False


def _takes_no_null(column: Column) -> bool:
    return not (column.nullable or column.primary_key)


def _changed(project: Project) -> Iterator[_Set]:
    for update, table in changes(project):
        columns = [column for column in table.columns if _takes_no_null(column)]
        # Of a mapping that is gone through, each value may have been asked for.
        is_asked = update.mapping and any(True for _ in conditions(update.at.code, update.at.value))
        place = stored(project, update.at, update.row) if columns and not is_asked else None
        for column in columns if place is not None else ():
            given = update.given(column.attribute or column.name)
            if given is not None and place is not None:
                yield _Set(table, column, *given, update.at, place.node)


def _made(project: Project) -> Iterator[_Set]:
    for table in project.once(schema).tables.values():
        columns = [column for column in table.columns if _takes_no_null(column) and not column.default]
        for row in new_rows(project, table) if columns and table.model else ():
            place = stored(project, row.made, row.made)
            for column in columns if place is not None else ():
                given = row.named(project, column.attribute or column.name)
                if given is not None and place is not None:
                    yield _Set(table, column, *given, row.made, place.node)


def _by_statements(project: Project) -> Iterator[_Set]:
    """``insert(Model).values(kind=given.kind)`` and ``update(Model).values(**given.model_dump())``."""
    for one in built(project):
        columns = [column for column in one.table.columns if _takes_no_null(column)]
        for column in columns if not one.fresh else (column for column in columns if not column.default):
            given = _given(one.call, column.attribute or column.name)
            if given is not None:
                yield _Set(one.table, column, *given, one.call, one.run)


def _given(call: Node, name: str) -> tuple[Node, Access] | None:
    value = call.arg(None, name)
    spread = [call.to(whole) for whole in call.call.dstar] if call.call is not None else []
    if value is not None:
        return value, ()
    return (spread[0], (name,)) if len(spread) == 1 else None
