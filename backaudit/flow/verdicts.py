"""Conditions that rest on what a function made of a value, where that could not be read to its end."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.project import Code, Node
from backaudit.project.operands import operands, same

_DEPTH = 3


def unread_verdicts(code: Code, held: Iterable[tuple[Value, bool]], node: Node) -> Iterator[Node]:
    """The calls that were given the value, whose answer a condition asks, and that may have judged it."""
    for test, _ in held:
        call = _asked(code.node(test))
        given = [] if call is None else [arg for arg in call.args() if same(code, arg.value, node.value)]
        if call is not None and given and _is_unread(call, given, 0):
            yield call


def may_refuse(call: Node, node: Node) -> bool:
    """Whether a call that gives nothing takes a part of the value (``url.hostname``), and its function may raise."""
    code, project = call.code, call.code.project
    for callee in project.callees(call):
        for index in range(len(callee.function.params)):
            given = project.argument(call, callee, index)
            parts = operands(given, _DEPTH) if given is not None and given.code is code else ()
            if any(same(code, part.value, node.value) for part in parts) and _may_raise(callee):
                return True
    return False


def _may_raise(code: Code) -> bool:
    """Whether a body raises under a condition, outside of handlers."""
    for node in code.nodes(ops.Raise):
        around = {region.kind for region in code.regions_of(node.value)}
        if "then" in around and "except" not in around:
            return True
    return False


def _asked(test: Node) -> Node | None:
    """The call whose answer is asked: itself, ``not`` it, whether it is None, a part of it."""
    here = test.origin
    for _ in range(_DEPTH):
        op = here.op
        if isinstance(op, ops.Call):
            return here
        if isinstance(op, (ops.Unary, ops.Await)):
            here = here.to(op.value).origin
        elif isinstance(op, (ops.Attr, ops.Part, ops.Item)):
            here = here.to(op.base).origin
        elif isinstance(op, ops.Compare) and op.operator in ("is", "is not"):
            here = here.to(op.left).origin
        else:
            return None
    return here if isinstance(here.op, ops.Call) else None


def _is_unread(call: Node, given: list[Node], depth: int) -> bool:
    """Whether a function is not the project's or the language's, or hands its parameter to one that is not."""
    project = call.code.project
    callees = project.callees(call)
    if not callees:
        return _is_foreign(call)
    if depth >= _DEPTH:
        return True
    return any(
        _hands_on(callee, index, depth)
        for callee in callees
        for index in range(len(callee.function.params))
        if project.argument(call, callee, index) in given
    )


def _is_foreign(call: Node) -> bool:
    project = call.code.project
    names = project.names(call.func) if call.func is not None else ()
    packages = {name.partition(".")[0] for name in names if not name.startswith("*.")}
    return bool(packages) and packages.isdisjoint(sys.stdlib_module_names | project.models.packages | {"builtins"})


def _hands_on(callee: Code, index: int, depth: int) -> bool:
    """Whether a function compares its parameter with what it found, or has it judged elsewhere."""
    param = next((n for n in callee.nodes(ops.Param) if isinstance(n.op, ops.Param) and n.op.index == index), None)
    if param is None:
        return False
    for node in callee.nodes(ops.Compare):
        op = node.op
        if isinstance(op, ops.Compare) and op.operator in ("==", "!="):
            sides = (node.to(op.left), node.to(op.right))
            mine = [same(callee, side.value, param.value) for side in sides]
            other = sides[0] if mine[1] else sides[1]
            if any(mine) and not isinstance(other.origin.op, ops.Const):
                return True
    for call in callee.nodes(ops.Call):
        given = [arg for arg in call.args() if same(callee, arg.value, param.value)]
        if given and _is_unread(call, given, depth + 1):
            return True
    return False
