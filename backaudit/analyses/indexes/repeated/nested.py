"""Queries that nobody asks by themselves: they become a part of the one that is handed them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.queries.chains import root_table
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.nodes import operands


def is_part_of_another(project: Project, query: Node) -> bool:
    """Whether a query that is not ended is used as an argument of others alone: ``filter(team__in=teams_of(user))``."""
    if _is_asked(query) or root_table(project, query) is None:
        return False
    uses = list(_uses(query))
    return bool(uses) and all(_is_nested(project, query, use) for use in uses)


def _is_asked(query: Node) -> bool:
    return query.is_call_of("query-ends") or query.is_call_of("query-writes")


def _is_nested(project: Project, query: Node, use: Node) -> bool:
    op = use.op
    if isinstance(op, ops.Attr):
        chained = [call for call in use.code.nodes(ops.Call) if call.func is not None and call.func.value == use.value]
        return bool(chained) and all(is_part_of_another(project, call) for call in chained)
    if isinstance(op, ops.Return):
        calls = project.callers(query.code)
        return bool(calls) and all(_is_handed_over(call) for call in calls)
    return _takes(use, query)


def _is_handed_over(call: Node) -> bool:
    uses = list(_uses(call))
    return bool(uses) and all(_takes(use, call) for use in uses)


def _takes(use: Node, query: Node) -> bool:
    """Whether a query is given the other as a condition."""
    op = use.op
    asks = use.is_call_of("query-filters") or use.is_call_of("query-ends")
    return asks and isinstance(op, ops.Call) and use.code.origin(op.func) != query.value


def _uses(node: Node) -> Iterator[Node]:
    """The operations that take a value, but for the names that it gets."""
    code: Code = node.code
    for value, op in enumerate(code.ops):
        taken = not isinstance(op, (ops.Bind, ops.Discard)) and value != node.value
        if taken and any(code.origin(each) == node.value for each in operands(op)):
            yield code.node(value)
