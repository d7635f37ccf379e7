"""Paths that are made from the root downwards before they are put behind a folder: ``normpath("/" + name)``."""

from __future__ import annotations

from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.project import Node


def is_rooted(node: Node, use: Value) -> bool:
    """Whether a path has lost its dots below ``/``, and then the slash, or stands behind another text at once."""
    if node.method in ("lstrip", "strip") and node.receiver is not None:
        return _is_resolved_below_root(node.receiver.origin)
    op = node.op
    if isinstance(op, ops.Item):
        return _drops_first(node, op) and _is_resolved_below_root(node.to(op.base).origin)
    behind = node.code.ops[use] if 0 <= use < len(node.code.ops) else None
    is_second = isinstance(behind, ops.Bin) and behind.operator == "+" and node.to(behind.right).origin == node.origin
    return is_second and _is_resolved_below_root(node.origin)


def _drops_first(node: Node, op: ops.Item) -> bool:
    """``path[1:]``."""
    cut = node.to(op.key).op
    first = cut.items[0] if isinstance(cut, ops.Build) and cut.kind == "slice" else NONE
    return first != NONE and node.to(first).const == 1


def _is_resolved_below_root(call: Node) -> bool:
    """``normpath("/" + name)``, ``normpath(join("/", name))``: of an absolute path no dots are left to go up by."""
    given = call.arg(0)
    if given is None or not call.is_call_of("resolves-paths"):
        return False
    first = _first_piece(given.origin)
    return first is not None and first.text is not None and first.text.startswith("/")


def _first_piece(path: Node) -> Node | None:
    """What a path begins with that is put together of pieces."""
    op = path.op
    if isinstance(op, ops.Bin) and op.operator == "+":
        return path.to(op.left).origin
    if isinstance(op, ops.Build) and op.kind == "fstring" and op.items:
        return path.to(op.items[0]).origin
    return path.arg(0) if path.method == "join" else None
