"""Headers that code writes by their names, whatever they are sent with."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from backaudit.facts import ops
from backaudit.project import Code, Node


def speaks_of(code: Code, names: Collection[str]) -> bool:
    """Whether a body has the name of one of these headers as a text, ``names`` in small letters."""
    texts = (op.value for op in code.ops if isinstance(op, ops.Const))
    return any(isinstance(text, str) and text.lower() in names for text in texts)


def set_headers(code: Code) -> Iterator[tuple[Node, str, Node]]:
    """Where a body sets what may be a header, its name in small letters, and its value.

    An item that is set (``answer.headers["Location"] = target``), or a call of what sets one.
    """
    for node in code.nodes(ops.SetItem):
        op = node.op
        if isinstance(op, ops.SetItem):
            yield node, _name(node.to(op.key)), node.to(op.value)
    for call in code.nodes(ops.Call):
        given = call.args()
        if len(given) >= 2 and call.is_call_of("header-setters"):
            yield call, _name(given[0]), given[1]


def header_among(display: Node, name: str) -> Node | None:
    """The value of a header in a dict of them that is written out; ``name`` in small letters."""
    return next((value for key, value in display.entries() if _name(key) == name), None)


def _name(node: Node) -> str:
    return (node.text or "").lower()
