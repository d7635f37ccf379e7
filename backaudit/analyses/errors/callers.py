"""What is supposed of the callers between a request and what it makes raise."""

from __future__ import annotations

from backaudit.project import Node
from backaudit.rule import KNOWN, Assumed, assume


def unasked_by(path: tuple[Node, ...]) -> Assumed:
    """That no caller has refused the value before, where it comes through calls at all."""
    return assume("caller", f"{_named(path[-1])} has not refused it before") if path else KNOWN


def without_the_row(path: tuple[Node, ...]) -> Assumed:
    """That no caller has made sure that there is such a row."""
    return assume("caller", f"{_named(path[-1])} has not made sure of the row") if path else KNOWN


def _named(call: Node) -> str:
    name = call.code.function.name
    return f"`{name}`" if name else "the module"
