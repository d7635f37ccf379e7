"""Writes that only count: views, likes, what is left in stock."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.queries.chains import chain_of
from backaudit.facts import ops
from backaudit.project import Node


def only_counts(write: Node) -> bool:
    """Whether an update sets each of its columns to itself and something more or less."""
    pairs = list(_columns_set(write))
    return bool(pairs) and all(is_count(name, value) for name, value in pairs)


def is_count(name: str, value: Node) -> bool:
    """Whether a value is a column of that name, and something more or less: ``Post.views + 1``, ``F("views") + 1``."""
    op = value.origin.op
    if not isinstance(op, ops.Bin) or op.operator not in ("+", "-"):
        return False
    return any(_is_column(name, value.origin.to(side).origin) for side in (op.left, op.right))


def _is_column(name: str, node: Node) -> bool:
    op = node.op
    first = node.arg(0)
    return (isinstance(op, ops.Attr) and op.name == name) or (first is not None and first.text == name)


def _columns_set(write: Node) -> Iterator[tuple[str, Node]]:
    """The columns that an update sets, wherever in its statement they are named."""
    given = [write, *(node for argument in write.args()[:1] for node in chain_of(argument))]
    for node in given:
        if node.method in ("update", "values"):
            yield from node.keywords().items()
            for argument in node.args():
                yield from ((str(name.keys[0]), value) for name, value in argument.entries() if name.keys)
