"""What a value is made of, and which are the same, inside one body of code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.project.code import Code
from backaudit.project.nodes import Node
from backaudit.project.nodes import operands as read_by


def operands(node: Node) -> Iterator[Node]:
    """A value and all that it is made of, each once, before what it is made of itself."""
    return _reached(node, lambda here: inputs(here.op))


def walk(node: Node, parts: Callable[[Node], Iterable[Value]]) -> Iterator[Node]:
    """A value and, of each that is reached, its ``parts``: each once, by where it comes from, however far back."""
    return _reached(node.origin, lambda here: (here.code.origin(value) for value in parts(here) if value != NONE))


def made_of(node: Node) -> Iterator[Node]:
    """A value and all that its body makes it of, by where they come from."""
    return walk(node, lambda here: read_by(here.op))


def _reached(node: Node, parts: Callable[[Node], Iterable[Value]]) -> Iterator[Node]:
    seen: set[Value] = set()
    todo = [node]
    while todo:
        here = todo.pop()
        if here.value not in seen:
            seen.add(here.value)
            yield here
            todo += [here.to(value) for value in reversed([*parts(here)]) if value != NONE]


def inputs(op: ops.Op) -> Iterable[int]:
    """The values that one operation is made of."""
    if isinstance(op, ops.Attr):
        return (op.base,)
    if isinstance(op, ops.Item):
        return (op.base, op.key)
    if isinstance(op, ops.Call):
        return (op.func, *op.args, *(value for _, value in op.keywords), *op.star, *op.dstar)
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


def same(code: Code, left: Value, right: Value) -> bool:
    """Whether two values are read from the same place: equal, or the same attribute or key of the same value."""
    firsts = code.firsts
    return firsts[left] == firsts[right]


def equal(
    bare: Callable[[Value], Value],
    left: Value,
    right: Value,
    compared: Callable[[Value, Value], Iterable[tuple[Value, Value]] | None],
) -> bool:
    """Whether two values are one, or made alike, however far back; ``bare`` tells which value a value stands for.

    ``compared`` gives the pairs that have to be alike for two values to be so, None if these differ themselves.
    """
    seen: set[tuple[Value, Value]] = set()
    todo = [(left, right)]
    while todo:
        one, two = map(bare, todo.pop())
        if one == two or (one, two) in seen:
            continue
        seen.add((one, two))
        pairs = compared(one, two)
        if pairs is None:
            return False
        todo += pairs
    return True
