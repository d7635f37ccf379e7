"""Expressions that are evaluated: put together of a text and a value, or written by the client as a whole."""

from __future__ import annotations

from backaudit.analyses.validation.sinks import Flow
from backaudit.facts import ops
from backaudit.project import Node
from backaudit.project.operands import made_of
from backaudit.rule import KNOWN, Assumed, assume

_WHOLE = assume("purpose", "clients are not meant to write expressions of their own")


def is_meant_whole(flow: Flow) -> Assumed:
    """What is supposed of an expression that nothing was put around: what a user writes whole breaks out of nothing."""
    return KNOWN if any(map(_puts_together, made_of(flow.argument))) else _WHOLE


def _puts_together(node: Node) -> bool:
    op = node.op
    if isinstance(op, ops.Bin):
        return op.operator in ("+", "%")
    if isinstance(op, ops.Build):
        return op.kind == "fstring"
    return node.method in ("format", "join", "replace", "substitute", "safe_substitute")
