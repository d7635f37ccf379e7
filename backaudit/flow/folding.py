"""Conditions that always come out alike: literals, and names that the same file gives one literal."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.guards import arriving
from backaudit.project import Code, Node, Project
from backaudit.project.nodes import operands

_UNKNOWN = object()

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "is": operator.is_, "is not": operator.is_not,
}  # fmt: skip


def truth(node: Node) -> bool | None:
    """Whether a condition always holds (True) or never (False)."""
    if isinstance(node.origin.op, (ops.Param, ops.Call, ops.Attr, ops.Item, ops.Phi)):
        return None
    value = _Folding(node.code.project).value(node)
    return None if value is _UNKNOWN else bool(value)


def unreachable(code: Code, at: Value) -> bool:
    """Whether an operation stands in a branch that is never taken."""
    return any(_is_never_taken(code, region) for region in code.regions_of(at) if region.test >= 0)


def _is_never_taken(code: Code, region: ops.Region) -> bool:
    if region.kind == "case":
        before = (one for one in code.body.regions if one.kind == "case" and one.group == region.group)
        taken = any(one.first < region.first and truth(code.node(one.test)) for one in before if one.test >= 0)
        return taken or truth(code.node(region.test)) is False
    return region.kind in ("then", "else") and truth(code.node(region.test)) is (region.kind == "else")


def never_arrives(code: Code, value: Value, use: Value) -> bool:
    """Whether a value stands in, or comes through, a branch that is never taken."""
    return code.project.once_of(_never_arrives, code, value, use)


def _never_arrives(project: Project, code: Code, value: Value, use: Value) -> bool:
    if any(truth(code.node(test)) is (not holds) for test, holds in arriving(code, value, use)):
        return True
    return unreachable(code, value) and not unreachable(code, use)


class _Folding:
    """Values of literals and of what is made of them; a name that leads back to itself has none."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[Node, Any] = {}

    def value(self, node: Node) -> Any:
        node = node.origin
        if node not in self._known:
            self._known[node] = _UNKNOWN
            self._known[node] = self._folded(node, node.op)
        return self._known[node]

    def _folded(self, node: Node, op: ops.AnyOp) -> Any:
        if isinstance(op, ops.Const):
            return op.value
        if isinstance(op, ops.Name):
            found = self._project.free(node.code, op.name)
            fixed = found is not None and _is_constant(found, op.name) and not _is_changed(found, op.name)
            return self.value(found) if found is not None and fixed else _UNKNOWN
        if isinstance(op, ops.Unary):
            return _negated(op.operator, self.value(node.to(op.value)))
        if isinstance(op, ops.Logic):
            return _joined(op.operator, [self.value(node.to(value)) for value in op.values])
        if isinstance(op, (ops.Bin, ops.Compare)):
            table = _ARITHMETIC if isinstance(op, ops.Bin) else _COMPARE
            return _applied(table.get(op.operator), self.value(node.to(op.left)), self.value(node.to(op.right)))
        return self._of_collection(node, op)

    def _of_collection(self, node: Node, op: ops.AnyOp) -> Any:
        """A display, an element of a sequence, the length of one."""
        if isinstance(op, ops.Build) and op.kind in ("list", "tuple"):
            values = tuple(self.value(node.to(item)) for item in op.items)
            return _UNKNOWN if _UNKNOWN in values else values
        if isinstance(op, ops.Item):
            return _picked(self.value(node.to(op.base)), self.value(node.to(op.key)))
        if isinstance(op, ops.Call) and node.func is not None and "builtins.len" in self._project.names(node.func):
            given = self.value(node.args()[0]) if len(node.args()) == 1 else _UNKNOWN
            return len(given) if isinstance(given, (str, tuple)) else _UNKNOWN
        return _UNKNOWN


def _negated(sign: str, inner: Any) -> Any:
    return not inner if sign == "not" and inner is not _UNKNOWN else _UNKNOWN


def _joined(sign: str, values: list[Any]) -> Any:
    decides = sign == "or"
    if any(value is not _UNKNOWN and bool(value) is decides for value in values):
        return decides
    return _UNKNOWN if _UNKNOWN in values else not decides


def _applied(function: Callable[[Any, Any], Any] | None, left: Any, right: Any) -> Any:
    """What an operator makes of two short values. No number makes a text longer: it may be ``"x" * 10**10``."""
    sizes = [side for side in (left, right) if isinstance(side, (str, int)) and len(str(side)) < 40]
    grows = function in (operator.mul, operator.mod) and not (isinstance(left, int) and isinstance(right, int))
    if function is None or len(sizes) < 2 or grows:
        return _UNKNOWN
    try:
        return function(left, right)
    except (TypeError, ValueError, ArithmeticError):
        return _UNKNOWN


def _picked(sequence: Any, key: Any) -> Any:
    within = isinstance(sequence, (str, tuple)) and isinstance(key, int) and -len(sequence) <= key < len(sequence)
    return sequence[key] if within else _UNKNOWN


def _is_changed(bound: Node, name: str) -> bool:
    """Whether a list is one whose elements something may change: a method, an assignment, whoever else it goes to."""
    made = bound.origin.op
    if not isinstance(made, ops.Build) or made.kind != "list":
        return False
    by_itself = _may_change(bound.code, name, {bound.value, bound.origin.value})
    return by_itself or any(_may_change(code, name, set()) for code in bound.code.project.mentioning(name))


def _may_change(code: Code, name: str, known: set[Value]) -> bool:
    named = known | {node.value for node in code.nodes(ops.Name) if node.spelled == name}
    imported = any(isinstance(op, ops.Import) and op.name == name for op in code.ops)
    uses = (code.node(at) for at, op in enumerate(code.ops) if not named.isdisjoint(operands(op)))
    return imported or any(not _only_reads(use, named) for use in uses)


def _only_reads(use: Node, named: set[Value]) -> bool:
    op = use.op
    if isinstance(op, ops.Call):
        names = use.code.project.names(use.func) if use.func is not None and op.func not in named else ()
        return any(name.startswith("builtins.") for name in names)
    return isinstance(op, (ops.Bind, ops.Item, ops.Compare, ops.Element))


def _is_constant(bound: Node, name: str) -> bool:
    """Whether a module gives a name one value and nothing in the file rebinds it."""
    code = bound.code
    binds = [value for value, op in enumerate(code.ops) if isinstance(op, ops.Bind) and op.name == name]
    return code.function.kind == "module" and binds == [bound.value] and not code.rebinds(name)
