"""What the parts of an address can hold, and where they stand in what is made of them."""

from __future__ import annotations

from collections.abc import Iterable

from backaudit.backend.web.converters import is_one_segment
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.project import Node
from backaudit.project.holding import conditions


def is_segment(node: Node) -> bool:
    """Whether a value is a placeholder of an address that holds no slash."""
    op = node.origin.op
    if not isinstance(op, ops.Param):
        return False
    project, code = node.code.project, node.code
    param = client_input(project, code, op.index)
    return param is not None and param.where == "path" and is_one_segment(project, code, param)


def is_part_of_a_name(node: Node, use: Value) -> bool:
    """``f"{name}.map"``: what holds no slash cannot be the dots that lead up where it is a piece of a longer name."""
    if not is_segment(node):
        return False
    return any(_stands_beside(node.to(item), use) for item in _displays(node, use))


def _displays(node: Node, use: Value) -> Iterable[Value]:
    """The texts with fields that a formatted value is a piece of."""
    for display in node.code.nodes(ops.Build):
        op = display.op
        if isinstance(op, ops.Build) and op.kind == "fstring" and use in op.items:
            yield display.value


def _stands_beside(display: Node, piece: Value) -> bool:
    """Whether a literal piece touches it that is no slash."""
    op = display.op
    assert isinstance(op, ops.Build)
    at = op.items.index(piece)
    before = display.to(op.items[at - 1]).text if at else None
    after = display.to(op.items[at + 1]).text if at + 1 < len(op.items) else None
    return bool(before and not before.endswith("/")) or bool(after and not after.startswith("/"))


def is_joined_behind(node: Node, call: Node) -> bool:
    """Whether a path is put together of something else first: ``os.path.join(base, value)``."""
    if call.func is None or call.code.project.models.kinds["path-joins"].isdisjoint(call.code.project.names(call.func)):
        return False
    first = call.arg(0)
    return first is not None and first.origin != node.origin


def is_no_json(node: Node, use: Value) -> bool:
    """Whether a part of a JSON body is used where it would be bytes, which JSON has none of."""
    op = node.origin.op
    if not isinstance(op, ops.Param):
        return False
    param = client_input(node.code.project, node.code, op.index)
    if param is None or param.where != "body" or any("bytes" in name for name in param.types):
        return False
    return any(truth and _asks_for_bytes(node.to(test), node) for test, truth in conditions(node.code, use))


def _asks_for_bytes(test: Node, node: Node) -> bool:
    """``isinstance(value, bytes)``."""
    asked = test.args() if test.method == "isinstance" else ()
    if len(asked) != 2 or asked[0].origin != node.origin:
        return False
    return bool({"builtins.bytes", "builtins.bytearray"} & set(node.code.project.names(asked[1])))
