"""What is done with one row: lazy relations that are touched, queries that are run for it, here or in helpers."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.data.queries import call_place, root_table
from backaudit.backend.data.queries.chains import denoted_table, table_of
from backaudit.backend.data.schema import Table, schema
from backaudit.facts import ops
from backaudit.facts.place import Place, Span
from backaudit.project import Code, Node, Project
from backaudit.project.strings import spelled_strings
from backaudit.sql import looks_like_query

_ENDS = frozenset(
    (
        "first",
        "one",
        "one_or_none",
        "all",
        "get",
        "count",
        "exists",
        "first_or_404",
        "get_or_404",
        "one_or_404",
        "scalar",
    )
) | frozenset(
    ("get_or_none", "get_or_create", "aggregate", "latest", "earliest", "last", "in_bulk", "update_or_create")
)
_LISTS = frozenset({"filter", "exclude", "filter_by", "where"})
_SESSION = frozenset({"execute", "scalars", "scalar", "exec", "get", "scalar_one_or_none"})
_RAW = frozenset({"execute", "fetchrow", "fetchval", "fetch", "fetch_one", "fetch_all"})
_WRITES = frozenset(
    ("save", "delete", "commit", "flush", "bulk_create", "create", "update", "delay", "apply_async", "send", "add_all")
)
_DEPTH = 4


class Work(msgspec.Struct, frozen=True):
    """Something that runs a query for every row. ``relation``: the lazy relation touched, empty for a query.

    ``path``: the calls that hand the row on, outermost first. ``writes``: one of the functions called changes things.
    ``explicit``: the relation is not only read but awaited, or asked for its rows by a call.
    """

    place: Place
    relation: str
    text: str
    path: tuple[Place, ...] = ()
    writes: bool = False
    explicit: bool = False


def work_on(project: Project, row: Node, table: Table, depth: int = 0) -> Iterator[Work]:
    """What a body does for the row that ``row`` is, deeper calls included; each relation once per body."""
    code = row.code
    for value, op in enumerate(code.ops):
        node = code.node(value)
        if _ends_loop(code, row, value):
            continue
        if isinstance(op, ops.Attr) and code.origin(op.base) == row.value:
            yield from _attribute(project, node, op, table, depth)
        elif isinstance(op, ops.Call):
            yield from _call(project, node, row, table, depth)


def _ends_loop(code: Code, row: Node, value: int) -> bool:
    """Whether the operation stands in a branch that leaves the loop: it runs for one row at most."""
    if not isinstance(row.op, (ops.Element, ops.Part)):
        return False
    branches = [
        region for region in code.regions_of(value) if region.first > row.value and region.kind in ("then", "else")
    ]
    return any(region.exits in ("return", "break", "raise") for region in branches)


def _attribute(project: Project, node: Node, op: ops.Attr, table: Table, depth: int) -> Iterator[Work]:
    found = schema(project).relation(table, op.name)
    if found is not None:
        relation = found[1]
        if not relation.eager and not (relation.many and _only_changed(node)):
            text = f"`{op.name}` is loaded for each row"
            yield Work(_name_place(node, op), op.name, text, explicit=_is_asked(node))
        return
    method = project.method(table.model, op.name) if table.model else None
    if method is not None and depth < _DEPTH and _is_property(method):
        for inner in _inside(project, method, 0, table, depth):
            yield Work(
                _name_place(node, op), inner.relation, f"the property `{op.name}` asks the database: {inner.text}"
            )
            return


def _only_changed(node: Node) -> bool:
    """Whether a row is only added to or removed from the relation, which reads nothing."""
    changes = ("add", "append", "set", "remove", "clear")
    return any(
        isinstance(op, ops.Attr) and op.name in changes and node.code.origin(op.base) == node.value
        for op in node.code.ops
    )


def _is_asked(node: Node) -> bool:
    """Whether a relation is awaited, or asked for its rows by a call."""
    calls = _ENDS | _LISTS | {"order_by", "limit", "values", "prefetch_related"}
    return any(
        (isinstance(op, ops.Attr) and op.name in calls and node.code.origin(op.base) == node.value)
        or (isinstance(op, ops.Await) and node.code.origin(op.value) == node.value)
        for op in node.code.ops
    )


def _is_property(method: Code) -> bool:
    return any(
        d.spelled.rpartition(".")[2] in ("property", "cached_property", "hybrid_property") for d in method.decorators
    )


def _name_place(node: Node, op: ops.Attr) -> Place:
    at = node.at
    return Place(node.code.path, Span(at.end_line, max(at.end_column - len(op.name), 0), at.end_line, at.end_column))


def _call(project: Project, node: Node, row: Node, table: Table, depth: int) -> Iterator[Work]:
    given = [argument for argument in node.args() if argument.origin.value == row.value]
    receiver = node.receiver
    on_row = receiver is not None and receiver.origin.value == row.value
    if on_row or (given and not runs_query(project, node)):
        if depth < _DEPTH:
            yield from _handed_on(project, node, row, table, depth, on_row)
        return
    if not given and not any(_derives(argument, row, 0) for argument in node.args()):
        return
    if runs_query(project, node):
        yield Work(call_place(node), "", f"`{node.spelled or node.method}` runs a query")
        return
    if any(queries(project, callee) for callee in _certain_callees(project, node)):
        yield Work(call_place(node), "", f"`{node.spelled or node.method}` runs a query")


def _certain_callees(project: Project, node: Node) -> tuple[Code, ...]:
    """The functions that a call runs, unless its name alone connects it to one of the project's."""
    func = node.func
    if func is None or (node.method in _ENDS and not project.types(func)):
        return ()
    return project.callees(node)


def _handed_on(project: Project, node: Node, row: Node, table: Table, depth: int, on_row: bool) -> Iterator[Work]:
    """The work of a function that gets the row itself, as argument or as ``self``."""
    if on_row and table.model and (method := project.method(table.model, node.method)) is not None:
        yield from _from_outside(node, method, _inside(project, method, 0, table, depth))
        return
    for callee in project.callees(node):
        for index, _ in enumerate(callee.function.params):
            passed = project.argument(node, callee, index)
            if passed is not None and passed.origin.value == row.value:
                yield from _from_outside(node, callee, _inside(project, callee, index, table, depth))


def _from_outside(node: Node, code: Code, found: Iterator[Work]) -> Iterator[Work]:
    for work in found:
        yield msgspec.structs.replace(work, path=(call_place(node), *work.path), writes=work.writes or _writes(code))


def _writes(code: Code) -> bool:
    """Whether a function changes something: what it does row by row is its business, and reading the least of it."""
    return any(node.method in _WRITES for node in code.nodes(ops.Call))


def _inside(project: Project, code: Code, index: int, table: Table, depth: int) -> Iterator[Work]:
    for value, op in enumerate(code.ops):
        if isinstance(op, ops.Param) and op.index == index:
            yield from work_on(project, code.node(value), table, depth + 1)
            return


def work_of_param(project: Project, code: Code, index: int, table: Table) -> Iterator[Work]:
    """What a function does with the row that its parameter is."""
    return _inside(project, code, index, table, 0)


def _derives(node: Node, row: Node, depth: int) -> bool:
    """Whether a value is made from the row: an attribute of it, or a comparison with one."""
    node = node.origin
    if node.value == row.value:
        return True
    op = node.op
    if depth > 6:
        return False
    parts: tuple[int, ...] = ()
    if isinstance(op, (ops.Attr, ops.Item)):
        parts = (op.base,)
    elif isinstance(op, (ops.Compare, ops.Bin)):
        parts = (op.left, op.right)
    elif isinstance(op, ops.Build):
        parts = op.items
    elif isinstance(op, ops.Format):
        parts = (op.value,)
    elif isinstance(op, ops.Call):
        parts = (*op.args, *(value for _, value in op.keywords), op.func)
    return any(_derives(node.to(part), row, depth + 1) for part in parts)


def runs_query(project: Project, node: Node) -> bool:
    """Whether a call reads from the database: the end of a query's chain, a session's execution, SQL text."""
    method = node.method
    first = node.arg(0)
    if method in _ENDS | _LISTS and root_table(project, node) is not None:
        return True
    if (
        method in _SESSION
        and first is not None
        and (table_of(project, first) or denoted_table(project, first)) is not None
    ):
        return True
    if method in ("get_object_or_404", "get_list_or_404") and first is not None:
        return denoted_table(project, first) is not None
    if method in _RAW and first is not None:
        return any(
            looks_like_query(text) and text.lstrip()[:6].lower() == "select" for text in spelled_strings(project, first)
        )
    return False


def queries(project: Project, code: Code) -> bool:
    """Whether running a function may read from the database, a few calls deep."""
    return project.once(_reading).get(project, code, 0)


class _Reading:
    def __init__(self) -> None:
        self._known: dict[Code, bool] = {}

    def get(self, project: Project, code: Code, depth: int) -> bool:
        found = self._known.get(code)
        if found is None and depth < _DEPTH:
            self._known[code] = False
            found = self._known[code] = self._reads(project, code, depth)
        return bool(found)

    def _reads(self, project: Project, code: Code, depth: int) -> bool:
        calls = list(code.nodes(ops.Call))
        if any(runs_query(project, node) for node in calls):
            return True
        return any(self.get(project, callee, depth + 1) for node in calls for callee in _certain_callees(project, node))


def _reading(project: Project) -> _Reading:
    return _Reading()
