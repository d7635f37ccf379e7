"""Conditions that rest on what a function made of a value, where that could not be read to its end."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.project import Code, Node
from backaudit.project.operands import operands, same, walk


def unread_verdicts(code: Code, held: Iterable[tuple[Value, bool]], node: Node) -> Iterator[Node]:
    """The calls that were given the value, whose answer a condition asks, and that may have judged it."""
    for test, _ in held:
        call = _asked(code.node(test))
        given = [] if call is None else [arg for arg in call.args() if same(code, arg.value, node.value)]
        if call is not None and given and _is_unread(call, given):
            yield call


def may_refuse(call: Node, node: Node) -> bool:
    """Whether a call that gives nothing takes a part of the value (``url.hostname``), and its function may raise."""
    code, project = call.code, call.code.project
    for callee in project.callees(call):
        for index in range(len(callee.function.params)):
            given = project.argument(call, callee, index)
            parts = operands(given) if given is not None and given.code is code else ()
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
    return next((here for here in walk(test, _answered_by) if isinstance(here.op, ops.Call)), None)


def _answered_by(node: Node) -> tuple[Value, ...]:
    op = node.op
    if isinstance(op, (ops.Unary, ops.Await)):
        return (op.value,)
    if isinstance(op, (ops.Attr, ops.Part, ops.Item)):
        return (op.base,)
    return (op.left,) if isinstance(op, ops.Compare) and op.operator in ("is", "is not") else ()


def _is_unread(call: Node, given: list[Node]) -> bool:
    """Whether a function is not the project's or the language's, or hands its parameter to one that is not."""
    todo, seen = [(call, given)], set[Node]()
    while todo:
        call, given = todo.pop()
        taken = [param for param in _taken_by(call, given) if param not in seen]
        if any(map(_is_compared, taken)) or (_is_foreign(call) and not call.code.project.callees(call)):
            return True
        seen.update(taken)
        todo += [handed for param in taken for handed in _handed_on(param)]
    return False


def _taken_by(call: Node, given: list[Node]) -> Iterator[Node]:
    """The parameters of the project's functions as which a call hands over what is given."""
    project = call.code.project
    for callee in project.callees(call):
        for param in callee.nodes(ops.Param):
            if isinstance(param.op, ops.Param) and project.argument(call, callee, param.op.index) in given:
                yield param


def _is_foreign(call: Node) -> bool:
    project = call.code.project
    names = project.names(call.func) if call.func is not None else ()
    packages = {name.partition(".")[0] for name in names if not name.startswith("*.")}
    return bool(packages) and packages.isdisjoint(sys.stdlib_module_names | project.models.packages | {"builtins"})


def _is_compared(param: Node) -> bool:
    """Whether a function compares its parameter with what it found."""
    callee = param.code
    for node in callee.nodes(ops.Compare):
        op = node.op
        if isinstance(op, ops.Compare) and op.operator in ("==", "!="):
            sides = (node.to(op.left), node.to(op.right))
            mine = [same(callee, side.value, param.value) for side in sides]
            other = sides[0] if mine[1] else sides[1]
            if any(mine) and not isinstance(other.origin.op, ops.Const):
                return True
    return False


def _handed_on(param: Node) -> Iterator[tuple[Node, list[Node]]]:
    """The calls that are given the parameter."""
    callee = param.code
    for call in callee.nodes(ops.Call):
        given = [arg for arg in call.args() if same(callee, arg.value, param.value)]
        if given:
            yield call, given
