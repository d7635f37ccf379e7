"""The texts that a value may be, built from literals: names, sums, formats and displays followed, the rest a hole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.cases import gathered, mapped
from backaudit.project.circles import cut_circles
from backaudit.project.declarations import items
from backaudit.sql import HOLE

_BOUND = 12
_DEPTH = 20
_FIELD = re.compile(r"\{[^{}]*\}")


def spelled_strings(project: Project, node: Node) -> tuple[str, ...]:
    """The texts that ``node`` may be, unknown parts as :data:`backaudit.sql.HOLE`; none if nothing of it is known."""
    found = dict.fromkeys(text for text in _texts(project, node, 0) if text.replace(HOLE, "").strip())
    return tuple(found)[:_BOUND]


@cut_circles((HOLE,), remembered=True)
def _texts(project: Project, node: Node, depth: int) -> list[str]:
    op = node.origin.op
    if project.gives_up(depth, _DEPTH, node.place):
        return [HOLE]
    reader = _READERS.get(type(op))
    found = reader(project, node.origin, op, depth + 1) if reader is not None else _constant(project, node)
    return [*project.bounded(found, _BOUND, node.place, "texts that this may be")] or [HOLE]


def _constant(project: Project, node: Node) -> list[str]:
    """A literal, or what a name, import or class attribute is bound to elsewhere."""
    found = project.constant(node)
    if found is not None:
        return [found.text] if found.text is not None else [str(found.const)]
    defined = project.definition(node)
    return _texts(project, defined, 12) if defined is not None and defined != node.origin else [HOLE]


def _join(project: Project, node: Node, op: ops.Bin, depth: int) -> list[str]:
    left = _texts(project, node.to(op.left), depth)
    if op.operator == "+":
        right = _texts(project, node.to(op.right), depth)
        return [a + b for a in left for b in right]
    return left if op.operator == "%" else [HOLE]


def _fstring(project: Project, node: Node, op: ops.Build, depth: int) -> list[str]:
    if op.kind in ("list", "tuple"):
        return [text for item in op.items for text in _texts(project, node.to(item), depth)]
    if op.kind != "fstring":
        return [HOLE]
    found = [""]
    for item in op.items:
        following = _texts(project, node.to(item), depth)
        # One more than is kept, so that it is told.
        found = [a + b for a in found for b in following][: _BOUND + 1]
    return found


def _field(project: Project, node: Node, op: ops.Format, depth: int) -> list[str]:
    return [text if text else HOLE for text in _texts(project, node.to(op.value), depth)]


def _either(project: Project, node: Node, op: ops.Phi, depth: int) -> list[str]:
    return [text for value in op.values for text in _texts(project, node.to(value), depth)]


def _choice(project: Project, node: Node, op: ops.Choice, depth: int) -> list[str]:
    return [*_texts(project, node.to(op.then), depth), *_texts(project, node.to(op.other), depth)]


def _element(project: Project, node: Node, op: ops.Element, depth: int) -> list[str]:
    listed = [one.node for one in gathered(project, node.to(op.base))] or [node.to(op.base)]
    return [text for one in listed for text in _texts(project, one, depth)]


def _item(project: Project, node: Node, op: ops.Item, depth: int) -> list[str]:
    """What a mapping holds under a key, or under any where that is not known."""
    key = node.to(op.key).text
    held = mapped(project, node.to(op.base))
    fitting = [value for name, value in held if key is None or name.text is None or name.text == key]
    return [text for value in fitting for text in _texts(project, value, depth)]


def _part(project: Project, node: Node, op: ops.Part, depth: int) -> list[str]:
    """A part of each row of a list, or the key or the value of each pair of a mapping."""
    rows = node.to(op.base).origin
    listed = gathered(project, rows.to(rows.op.base)) if isinstance(rows.op, ops.Element) else []
    found: list[Node] = []
    for one in listed:
        pair = items(one.node) if one.key is None else [one.key, one.node]
        found += pair[op.index : op.index + 1] if op.index >= 0 else []
    return [text for value in found for text in _texts(project, value, depth)]


def _call(project: Project, node: Node, op: ops.Call, depth: int) -> list[str]:
    first, receiver = node.arg(0), node.receiver
    if node.is_call_of("wraps-texts") and first is not None:
        return _texts(project, first, depth)
    if receiver is not None and node.is_call_of("keeps-texts"):
        return _texts(project, receiver, depth)
    if receiver is not None and node.is_call_of("remakes-texts"):
        return [text for whole in _texts(project, receiver, depth) for text in _changed(node, whole)]
    return [text for value in _given_back(project, node) for text in _texts(project, value, depth)]


def _changed(call: Node, text: str) -> list[str]:
    return _split(text, call.arg(0)) if call.method == "split" else [_FIELD.sub(HOLE, text)]


def _split(text: str, by: Node | None) -> list[str]:
    """The parts of a text; of one that has more than are kept the whole, in which each of them stands."""
    mark = by.text if by is not None else None
    parts = [text] if by is not None and not mark else text.split(mark)
    return parts if len(parts) <= _BOUND else [text]


def _given_back(project: Project, call: Node) -> Iterator[Node]:
    """What the project's functions give to a call: what they return, or the argument that they return as it is."""
    for code in project.callees(call):
        for value in code.returned():
            op = value.origin.op
            given = project.argument(call, code, op.index) if isinstance(op, ops.Param) else value
            yield value if given is None else given


def _attribute(project: Project, node: Node, op: ops.Attr, depth: int) -> list[str]:
    return _constant(project, node)


_READERS: dict[type[ops.Op], Callable[[Project, Node, Any, int], list[str]]] = {
    ops.Bin: _join,
    ops.Build: _fstring,
    ops.Format: _field,
    ops.Phi: _either,
    ops.Choice: _choice,
    ops.Element: _element,
    ops.Item: _item,
    ops.Part: _part,
    ops.Call: _call,
    ops.Attr: _attribute,
}
