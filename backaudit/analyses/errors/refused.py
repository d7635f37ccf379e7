"""Values that an ORM refuses by itself, before the database is asked: texts too long for a column, pages below zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from backaudit.analyses.errors.conflicts.rows import constructions
from backaudit.analyses.errors.requests import showing, wrong
from backaudit.backend.data.orms import traits
from backaudit.backend.data.queries import call_place
from backaudit.backend.data.schema import Column, Table, schema
from backaudit.backend.data.updates import updates
from backaudit.backend.web.catching import escapes
from backaudit.backend.web.inputs.mappings import schema_named
from backaudit.backend.web.inputs.records import Shape
from backaudit.backend.web.inputs.shapes import narrowed, parsed, shape_of, united
from backaudit.backend.web.params import marked
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.flow.client import ClientValue
from backaudit.flow.guards import arriving
from backaudit.flow.search import Search
from backaudit.flow.trace import ANY, Access, Origin, Trace
from backaudit.project import Code, Node, Project
from backaudit.project.holding import conditions
from backaudit.project.types import split
from backaudit.rule import Finding, Step, assume
from backaudit.vocabulary.protocols import NARROW_FORMATS

_PAGES = ("offset", "limit")
_UPDATES = ("save", "update_from_dict")
_FLOORS = ("minimum", "exclusiveMinimum")


def findings(project: Project) -> Iterator[Finding]:
    """Each value of a client's that the ORM refuses with an exception that nobody catches."""
    yield from _pages(project)
    yield from _texts(project)


class Unchecked(ClientValue):
    """What a client chose, and no declaration or condition holds within what the ORM takes."""

    def fits(self, shape: Shape) -> bool:
        """Whether all that a declaration admits is taken."""
        raise NotImplementedError

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        if isinstance(op, ops.Param):
            shape = _declared(search.project, node.code, op.index, access)
            if shape is None or any(map(self.fits, shape.either or (shape,))):
                return None
        return super().source(search, node, access)

    def ends(self, search: Search, node: Node, access: Access, use: int) -> bool:
        code = node.code
        if not 0 <= use < len(code.ops):
            return False
        tests = (*conditions(code, use), *arriving(code, node.value, use))
        return any(_is_measured(code.node(test), node) for test, _ in tests)


class _BelowZero(Unchecked):
    def fits(self, shape: Shape) -> bool:
        return any(shape.limit(name) is not None for name in _FLOORS) or bool(shape.choices)

    def ends(self, search: Search, node: Node, access: Access, use: int) -> bool:
        if isinstance(node.op, ops.Call) and node.is_call_of("keeps-above"):
            return True
        return super().ends(search, node, access, use)


class TooLong(Unchecked):
    """What a client chose, and nothing holds to the length that is taken."""

    def __init__(self, project: Project, most: int) -> None:
        super().__init__(project)
        self._most = most

    def fits(self, shape: Shape) -> bool:
        formed = shape.choices or shape.format in NARROW_FORMATS or shape.limit("pattern") is not None
        if shape.kind != "string" or formed:
            return True
        longest = shape.limit("maxLength")
        return isinstance(longest, (int, float)) and longest <= self._most


def _declared(project: Project, code: Code, index: int, access: Access) -> Shape | None:
    """What a parameter, or the field of its schema, is declared to admit; None where nothing is known of it."""
    param = client_input(project, code, index)
    if param is None or param.where == "path":
        return None
    of_library = list(_of_library(project, param.types, access))
    if of_library:
        return united(of_library)
    if not param.schema:
        seen = marked(project, code, index)
        annotation = code.outside(code.function.params[index].annotation)
        return narrowed(project, shape_of(project, annotation), seen.markers) if annotation is not None else None
    found: list[Shape] = []
    for name in param.types:
        made = schema_named(project, split(name)[0])
        field = made.field(str(access[0])) if made is not None and access and access[0] != ANY else None
        if field is None or field.validated:
            return None
        found.append(field.shape)
    return united(found) if found else None


def _of_library(project: Project, types: tuple[str, ...], access: Access) -> Iterator[Shape]:
    """The shape of a field of a form that a library brings."""
    for form in (project.models.library_forms[name] for name in types if name in project.models.library_forms):
        notation = form.get(str(access[0])) if access else None
        if notation is not None:
            yield parsed(notation.replace("?", ""))[0]


def _is_measured(test: Node, node: Node) -> bool:
    """Whether a condition compares the value, or its length, with something."""
    op = test.origin.op
    sides = (op.left, op.right) if isinstance(op, ops.Compare) else ()
    return any(is_about(test.origin.to(side), node) for side in sides)


def is_about(side: Node, node: Node) -> bool:
    """Whether a part of a condition is a value, or its length."""
    here = side.origin
    if here.value == node.origin.value or (here.spelled and here.spelled == node.spelled):
        return True
    return here.method == "len" and any(is_about(argument, node) for argument in here.args())


# -- pages ---------------------------------------------------------------------------------------------------------


def _pages(project: Project) -> Iterator[Finding]:
    for use, bound, value, raised in (*_by_methods(project), *_by_slices(project)):
        path = escapes(project, use, (raised,))
        origin = _origin(project, _BelowZero(project), value, (), use.value) if path is not None else None
        if origin is not None and use.code.file.role == "production":
            what = f"{bound} refuses a number below zero, which the client may send"
            found = _finding(use, what, raised, origin, "is the bound of the query")
            below = wrong(project, "negative", value)
            yield msgspec.structs.replace(found, request=showing(project, use, path or (), below, raises=raised))


_Page: TypeAlias = "tuple[Node, str, Node, str]"


def _by_methods(project: Project) -> Iterator[_Page]:
    """``rows.offset(skip)``, where that is refused: the call, its name, what it is given, what it raises."""
    for method in _PAGES:
        for call in project.calls_of(method):
            table, value = _asked(project, call.receiver), call.arg(0, method)
            raised = traits(project, table.orm).refuses_negative if table is not None else ""
            if raised and value is not None:
                yield call, f"`{method}()`", value, raised


def _by_slices(project: Project) -> Iterator[_Page]:
    """``rows[skip : skip + limit]``: a use for each bound."""
    asking = (call.code for method in sorted(project.models.kinds["all-rows"]) for call in project.calls_of(method))
    for node in (node for code in dict.fromkeys(asking) for node in code.nodes(ops.Item)):
        op = node.op
        key = node.to(op.key).op if isinstance(op, ops.Item) else None
        if not isinstance(op, ops.Item) or not isinstance(key, ops.Build) or key.kind != "slice":
            continue
        table = _asked(project, node.to(op.base))
        raised = traits(project, table.orm).refuses_slices if table is not None else ""
        bounds = key.items[:2] if raised else ()
        yield from ((node, "A slice of rows", node.to(bound), raised) for bound in bounds if bound != ops.NONE)


def _asked(project: Project, rows: Node | None) -> Table | None:
    """The table whose rows a query gives."""
    types = project.types(rows) if rows is not None else ()
    tables = (project.once(schema).of_model(split(name)[1] or split(name)[0]) for name in types)
    return next((table for table in tables if table is not None), None)


# -- texts ---------------------------------------------------------------------------------------------------------


def _texts(project: Project) -> Iterator[Finding]:
    for table in project.once(schema).tables.values():
        raised = traits(project, table.orm).refuses_long
        columns = [column for column in table.columns if column.length and column.attribute]
        if not raised or not columns or not table.model:
            continue
        for call, given in (*_made(project, table), *_changed(project, table)):
            yield from _too_long(project, table, columns, call, given, raised)


_Given = dict[str, tuple[Node, Access]]


def _made(project: Project, table: Table) -> Iterator[tuple[Node, _Given]]:
    """The calls that make a row, with what they give for each column."""
    for call in constructions(project, table):
        op = call.call
        spread = [call.to(value) for value in op.dstar] if op is not None else []
        named: _Given = {name: (value, ()) for name, value in call.keywords().items()}
        for column in table.columns:
            if column.attribute not in named and len(spread) == 1:
                named[column.attribute] = (spread[0], (column.attribute,))
        yield call, named


def _changed(project: Project, table: Table) -> Iterator[tuple[Node, _Given]]:
    """The changes of a row that is there, with what they set each column to."""
    bodies = dict.fromkeys(code for name in _UPDATES for code in project.calling(name))
    for code in bodies:
        if code.file.role != "production":
            continue
        for update in updates(project, code):
            if table.model in project.types(update.row):
                given = {column.attribute: update.given(column.attribute) for column in table.columns}
                yield update.at, {name: pair for name, pair in given.items() if pair is not None}


def _too_long(
    project: Project, table: Table, columns: list[Column], call: Node, given: _Given, raised: str
) -> Iterator[Finding]:
    path = escapes(project, call, (raised,))
    if path is None:
        return
    for column in columns:
        pair = given.get(column.attribute)
        goal = TooLong(project, column.length or 0)
        origin = _origin(project, goal, *pair, call.value) if pair is not None else None
        if origin is not None and isinstance(origin.node.op, ops.Param):
            what = f"`{table.name}.{column.name}` holds {column.length} characters, and the client may send more"
            found = _finding(call, what, raised, origin, f"is stored in `{column.name}`")
            long = wrong(project, "long", *pair, limit=column.length) if pair is not None else ()
            yield msgspec.structs.replace(found, request=showing(project, call, path, long, raises=raised))
            return


def _origin(project: Project, goal: Unchecked, value: Node, access: Access, use: int) -> Origin | None:
    return next(Trace(project, goal).origins(value, access, use), None)


def _finding(call: Node, what: str, raised: str, origin: Origin, end: str) -> Finding:
    place = (call_place(call) if call.call is not None else call.place).first_line()
    return Finding(
        place=place,
        message=f"{what}: {raised.rpartition('.')[2]}, which no one catches, a 500 and not a 422.",
        assumed=assume("caller", "nothing that was called before refuses it"),
        shown="strict",
        trace=(*origin.steps, Step(place, end)),
    )
