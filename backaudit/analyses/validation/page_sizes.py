"""Lengths of lists that a client chooses, and that nothing cuts."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.catching import reached_functions
from backaudit.backend.web.params import is_capped
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.flow.client import ClientValue
from backaudit.flow.guards import arriving
from backaudit.flow.parameters import bound, sql_parameters
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Origin, Trace
from backaudit.project import Code, Node, Project
from backaudit.project.holding import conditions
from backaudit.project.types import split


class _Length(ClientValue):
    """A number that a client chose, unless it is cut to a maximum."""

    def ends(self, search: Search, node: Node, access: Access, use: int) -> bool:
        if isinstance(node.op, ops.Const) or (isinstance(node.op, ops.Call) and node.is_call_of("keeps-below")):
            return True
        code = node.code
        if not 0 <= use < len(code.ops):
            return False
        asked = (code.ops[test] for test, _ in (*conditions(code, use), *arriving(code, node.value, use)))
        return any(_measures(code, op, node) for op in asked)

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        if isinstance(node.op, ops.Param):
            param = client_input(search.project, node.code, node.op.index)
            if param is not None and not param.schema and is_capped(search.project, node.code, node.op.index):
                return None
        return super().source(search, node, access)

    def through(self, search: Search, call: Node) -> list[Node]:
        return call.args()[:1] if call.method in ("int", "float") else []


def _measures(code: Code, op: ops.Op, node: Node) -> bool:
    """Whether a condition compares the number with another."""
    if not isinstance(op, ops.Compare) or op.operator not in ("<", "<=", ">", ">="):
        return False
    return code.origin(node.value) in (code.origin(op.left), code.origin(op.right))


def client_limits(project: Project) -> Iterator[tuple[Node, Origin]]:
    """Limits of queries that a client chooses without a maximum, a route's parameter once for all of them."""
    told: set[Node] = set()
    for call, value, access in _limit_arguments(project):
        if project.role(call.code.path) == "production":
            found = list(Trace(project, _Length(project)).origins(value, access, call.value))
            declared = [origin for origin in found if isinstance(origin.node.op, ops.Param)]
            for origin in declared or found[:1]:
                if origin.node not in told:
                    yield call, origin
                told.update([origin.node] if declared else [])


def _limit_arguments(project: Project) -> Iterator[tuple[Node, Node, Access]]:
    yield from _limits(project)
    yield from _pages(project)
    yield from _sliced(project)
    yield from _slices(project)
    for call, parameter in sql_parameters(project):
        for value, access in bound(call, parameter) if parameter.use == "limited" else ():
            yield call, value, access


def _limits(project: Project) -> Iterator[tuple[Node, Node, Access]]:
    for method, keyword in (("limit", "n"), ("to_list", "length")):
        for call in project.calls_of(method):
            most = call.arg(0, keyword)
            if most is not None and (method != "limit" or call.receiver is not None):
                yield call, most, ()


def _pages(project: Project) -> Iterator[tuple[Node, Node, Access]]:
    for method in ("paginate", "Paginator"):
        for call in project.calls_of(method):
            size = call.arg(1, "per_page")
            if size is not None and call.arg(None, "max_per_page") is None:
                yield call, size, ()


def _sliced(project: Project) -> Iterator[tuple[Node, Node, Access]]:
    """``query.slice(start, start + size)``."""
    for call in project.calls_of("slice"):
        start, end = call.arg(0, "start"), call.arg(1, "stop")
        size = _between(start, end) if start is not None and end is not None and call.receiver is not None else None
        if size is not None:
            yield call, size, ()


def _slices(project: Project) -> Iterator[tuple[Node, Node, Access]]:
    """Slices of queries that run only where they are gone through: ``Note.objects.all()[start:end]``."""
    lazy = tuple(project.models.kinds["lazy-queries"])
    for code in reached_functions(project) if lazy else ():
        for node in code.nodes(ops.Item):
            size = _size(node) if isinstance(node.op, ops.Item) else None
            if size is not None and _is_lazy(project, node, lazy):
                yield node, size, ()


def _is_lazy(project: Project, cut: Node, lazy: tuple[str, ...]) -> bool:
    """Whether what is cut is a query that did not run yet, made here or by a function of the project."""
    assert isinstance(cut.op, ops.Item)
    base = cut.to(cut.op.base).origin
    given = [returned for callee in project.callees(base) for returned in callee.returned()] if base.call else []
    return any(split(name)[0].endswith(lazy) for node in (base, *given) for name in project.types(node))


def _size(cut: Node) -> Node | None:
    """How many a slice leaves: its end, without what its beginning says as well (``[start:start + size]``)."""
    assert isinstance(cut.op, ops.Item)
    bounds = cut.to(cut.op.key).origin
    if not isinstance(bounds.op, ops.Build) or bounds.op.kind != "slice":
        return None
    start, end = (*bounds.op.items, ops.NONE, ops.NONE)[:2]
    return _between(bounds.to(start) if start != ops.NONE else None, bounds.to(end)) if end != ops.NONE else None


def _between(start: Node | None, end: Node) -> Node | None:
    """How many rows stand between two bounds."""
    last = end.origin
    if not isinstance(last.op, ops.Bin):
        return last
    return _beyond(last, last.op, start.origin) if start is not None else None


def _beyond(last: Node, op: ops.Bin, begun: Node) -> Node | None:
    """What an end adds to its beginning: ``size`` of ``start + size``, and of ``page * size``."""
    left, right = last.to(op.left).origin, last.to(op.right).origin
    if op.operator == "+":
        return right if left == begun else left if right == begun else None
    shared = [side for side in (left, right) if side in _factors(begun)]
    return shared[0] if shared and op.operator == "*" else None


def _factors(node: Node) -> list[Node]:
    op = node.op
    if not isinstance(op, ops.Bin) or op.operator != "*":
        return []
    return [node.to(side).origin for side in (op.left, op.right)]
