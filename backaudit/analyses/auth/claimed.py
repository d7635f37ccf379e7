"""New rows whose owner the client names, though it is known who calls."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.auth.ownership import is_private, rules_others
from backaudit.backend.access.caller import Values, context_of
from backaudit.backend.access.changes import written
from backaudit.backend.access.events import events
from backaudit.backend.access.guards import acting, authenticated
from backaudit.backend.access.owners import columns_given, filled_table, owner_column
from backaudit.backend.access.tables import touched_table
from backaudit.backend.data.schema import Table
from backaudit.backend.web.records import Route
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.flow.parameters import bound, sql_parameters
from backaudit.project import Node, Project
from backaudit.project.locate import makes_object
from backaudit.rule import KNOWN, Assumed, Step, assume, capitalized
from backaudit.sqlparams import Parameter

# A table with no more columns than these ties two others together: adding somebody is what it is for.
_LINK = 4
_MAKER = assume("effect", "whoever is named in the row is the one who may make it")
_MEMBER = assume("purpose", "nobody adds somebody else")


# A call that adds a row, its table, a column and what that is given.
Given = tuple[Node, Table, str, Node]


class Claimed(msgspec.Struct, frozen=True):
    """A row that is made ``at`` a place for whomever the client names in ``column``."""

    route: Route
    at: Place
    table: Table
    column: str
    assumed: Assumed

    @property
    def told(self) -> str:
        what = self.table.model.rpartition(".")[2] or self.table.name
        shown = capitalized(self.route.label)
        return f"{shown}: the client says whose the new `{what}` is (`{self.column}`), though it is known who calls."

    @property
    def remedy(self) -> str:
        return f"Set `{self.column}` from the caller, and take it out of what a client sends."

    @property
    def trace(self) -> tuple[Step, ...]:
        known = Step(self.route.place, "the route knows who calls")
        return known, Step(self.at, f"`{self.column}` is what the client sent")

    @property
    def scope(self) -> str:
        return self.route.handler.function.qualname


def claimed(project: Project) -> tuple[Claimed, ...]:
    """All such rows, by place."""
    found: dict[Place, Claimed] = {}
    for route in project.once(acting):
        if _is_asked(route):
            found.update((item.at, item) for item in _of_route(project, route))
    return tuple(found[place] for place in sorted(found))


def _is_asked(route: Route) -> bool:
    """Whether anybody who is logged in may call a route of what is deployed."""
    plain = route.handler.file.role == "production" and route.handler.function.kind == "function"
    return plain and authenticated(route) and not any(rules_others(guard) for guard in route.guards)


def _of_route(project: Project, route: Route) -> Iterator[Claimed]:
    values = Values(project, route.handler, context_of(project, route))
    for call, table, name, value in (*_by_columns(project, route), *_by_statements(project, route)):
        owner = owner_column(project, table)
        own = owner is not None and name in (owner.name, owner.attribute, owner.name.removesuffix("_id"))
        believed = values.chosen(value) and not values.identifies(value) and not _of_a_row(project, route, value)
        if own and believed and not _compares(project, route):
            yield Claimed(route, call.place.first_line(), table, name, _assumed(project, table))


def _of_a_row(project: Project, route: Route, value: Node) -> bool:
    """Whether a value is an attribute of what was looked up: the client chose the row, and not what stands in it."""
    op = value.origin.op
    if not isinstance(op, ops.Attr):
        return False
    base = value.origin.to(op.base).origin
    if base.call is None or makes_object(project, base):
        return False
    return touched_table(project, base) is not None or _is_asked_by_key(route, base)


def _is_asked_by_key(route: Route, call: Node) -> bool:
    """Whether a call is given nothing but what the route's address holds, which is a key and no row."""
    keys = {param.index for param in route.params if param.where == "path"}
    given = [argument.origin.op for argument in call.args()]
    return bool(given) and all(isinstance(op, ops.Param) and op.index in keys for op in given)


def _by_columns(project: Project, route: Route) -> Iterator[Given]:
    """What constructors and documents give the columns of a new row."""
    for call in route.handler.nodes(ops.Call):
        table = _new(project, call)
        yield from ((call, table, name, value) for name, value in columns_given(call) if table is not None)


def _by_statements(project: Project, route: Route) -> Iterator[Given]:
    """What is bound to the columns of an INSERT."""
    for call, parameter in sql_parameters(project):
        change = written(project, call) if call.code is route.handler and parameter.use == "stored" else None
        if change is not None and change.how == "insert" and change.table is not None:
            for value in _values(call, parameter):
                yield call, change.table, parameter.column, value


def _values(call: Node, parameter: Parameter) -> Iterator[Node]:
    """What stands in the driver's arguments for a parameter, as far as they are written out."""
    for value, access in bound(call, parameter):
        parts = value.elements()
        slot = access[0] if access else None
        if slot is None:
            yield value
        elif isinstance(slot, int) and slot < len(parts) and parts[0] != value:
            yield parts[slot]


def _new(project: Project, call: Node) -> Table | None:
    """The table, or collection, to which a call adds a row."""
    makes = makes_object(project, call)
    adds = makes or call.is_call_of("row-creators") or call.is_call_of("collection-inserts")
    return filled_table(project, call) if adds else None


def _compares(project: Project, route: Route) -> bool:
    """Whether a condition holds the caller against something, which may be what the client named."""
    return any(event.tie and event.table is None for event in events(project, route))


def _assumed(project: Project, table: Table) -> Assumed:
    keys = [column for column in table.columns if column.references]
    if len(table.columns) <= _LINK and len(keys) > 1:
        return _MEMBER
    return KNOWN if is_private(project, table) else _MAKER
