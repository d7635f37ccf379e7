"""What stands in the body of an answer when it is sent: as it was made, and what was put in on the way."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.responses import pairs_of
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.project import Code, Node
from backaudit.project.holding import same_path
from backaudit.project.locate import on_the_way

Pairs = dict[str, Node]


def pairs_at(node: Node, use: Value, made: Pairs | None = None) -> Pairs | None:
    """The keys and values of a mapping when operation ``use`` takes it; None if it is none.

    ``made``: what an object is made with that is no mapping, whose attributes count as its keys. A key that is set on
    some ways only is left out: nobody knows what stands under it.
    """
    node = node.origin
    inner = node.call.args if node.call is not None and node.is_call_of("body-wrappers") else ()
    if len(inner) == 1:
        return pairs_at(node.to(inner[0]), use)
    pairs = made if made is not None else pairs_of(node)
    if pairs is None and not _is_empty_mapping(node):
        return None
    found = dict(pairs or {})
    for value in sorted(node.code.effects.get(node.value, ())):
        if node.value < value < use and on_the_way(node.code, value, use):
            _put(node.code, found, value, surely=same_path(node.code, value, use))
    return found or None


def _is_empty_mapping(node: Node) -> bool:
    op = node.op
    if isinstance(op, ops.Build):
        return op.kind == "dict" and not op.items
    return node.method == "dict" and not node.args() and not node.keywords()


def _put(code: Code, pairs: Pairs, value: Value, *, surely: bool) -> None:
    for key, given in _given(code.node(value)):
        if surely:
            pairs[key] = given
        else:
            pairs.pop(key, None)


def _given(change: Node) -> Iterator[tuple[str, Node]]:
    """The keys that an operation sets, with their values."""
    op = change.op
    if isinstance(op, ops.SetItem):
        key = change.to(op.key).text
        if key is not None:
            yield key.lower(), change.to(op.value)
    elif isinstance(op, ops.SetAttr):
        yield op.name.lower(), change.to(op.value)
    elif isinstance(op, ops.Call) and change.method == "update":
        for argument in change.args():
            yield from (pairs_of(argument.origin) or {}).items()
        for name, value in op.keywords:
            if value != NONE:
                yield name.lower(), change.to(value)
