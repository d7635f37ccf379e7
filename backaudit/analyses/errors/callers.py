"""What the callers between a request and what it makes raise know of a value, and what is supposed of them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.missing import alike, asked
from backaudit.facts import ops
from backaudit.project import Code, Node
from backaudit.project.nodes import Access
from backaudit.rule import KNOWN, Assumed, assume


def unasked_by(path: tuple[Node, ...]) -> Assumed:
    """That no caller has refused the value before, where it comes through calls at all."""
    return assume("caller", f"{_named(path[-1])} has not refused it before") if path else KNOWN


def without_the_row(path: tuple[Node, ...]) -> Assumed:
    """That no caller has made sure that there is such a row."""
    if not path:
        return KNOWN
    return assume("caller", f"{_named(path[-1])} has not made sure of the row") + vetted(path)


def vetted(path: tuple[Node, ...]) -> Assumed:
    """That what a caller had asked about the value before lets by what is refused here: it looked the value up by a
    function that may refuse it, or asked whether it is one of several.
    """
    for call in path:
        asker = next((asker for given in _given(call) for asker in _asked_by(call, given)), "")
        if asker:
            return assume("guard", f"{asker} lets by what is refused here")
    return KNOWN


def _given(call: Node) -> list[Node]:
    given = [*call.args(), *call.keywords().values()]
    return [one for one in given if not isinstance(one.origin.op, ops.Const)]


def _asked_by(call: Node, given: Node) -> Iterator[str]:
    code = call.code
    for value in code.before(call.value, ops.Compare):
        if _is_membership(code.ops[value], code, given) and asked(code, value, call.value):
            yield "what was asked before"
    for node in map(code.node, code.before(call.value, ops.Call)):
        handed = any(alike(code, one.value, given.value) for one in _given(node))
        if handed and _may_refuse(node):
            yield f"`{node.method}()`"


def _is_membership(op: ops.AnyOp, code: Code, given: Node) -> bool:
    among = isinstance(op, ops.Compare) and op.operator in ("in", "not in")
    return among and isinstance(op, ops.Compare) and alike(code, op.left, given.value)


def _may_refuse(call: Node) -> bool:
    """Whether a call runs a function of the project that raises where it is not content."""
    return any(True for code in call.code.project.callees(call) for _ in code.nodes(ops.Raise))


def _named(call: Node) -> str:
    name = call.code.function.name
    return f"`{name}`" if name else "the module"


def in_callers_words(call: Node, callee: Code, base: Node) -> Iterator[Node]:
    """What ``base`` of the callee is where it is called: ``request.POST`` of the request that is handed over."""
    root, path = callee.root(base.value)
    op = callee.ops[root]
    given = call.code.project.argument(call, callee, op.index) if isinstance(op, ops.Param) else None
    if given is None or given.code is not call.code:
        return
    outer, before = call.code.root(given.value)
    yield from _values_at(call.code, outer, (*before, *path))


def _values_at(code: Code, root: int, path: Access) -> Iterator[Node]:
    for node in (*code.nodes(ops.Attr), *code.nodes(ops.Item)):
        if code.root(node.value) == (root, path):
            yield node
