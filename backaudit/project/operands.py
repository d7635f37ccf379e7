"""What a value is made of, inside one body of code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project.code import Node


def operands(node: Node, depth: int) -> Iterator[Node]:
    """A value and the values that it is made of, to a depth; what is met twice may come twice."""
    yield node
    if depth:
        for value in inputs(node.op):
            if value != NONE:
                yield from operands(node.to(value), depth - 1)


def inputs(op: ops.Op) -> Iterable[int]:
    """The values that one operation is made of."""
    if isinstance(op, ops.Attr):
        return (op.base,)
    if isinstance(op, ops.Item):
        return (op.base, op.key)
    if isinstance(op, ops.Call):
        return (op.func, *op.args, *(value for _, value in op.keywords))
    if isinstance(op, (ops.Bin, ops.Compare)):
        return (op.left, op.right)
    if isinstance(op, (ops.Logic, ops.Phi)):
        return op.values
    if isinstance(op, ops.Choice):
        return (op.test, op.then, op.other)
    if isinstance(op, (ops.Unary, ops.Await, ops.Bind, ops.Enter, ops.Format)):
        return (op.value,)
    if isinstance(op, (ops.Element, ops.Part)):
        return (op.base,)
    if isinstance(op, ops.Build):
        return op.items
    return ()
