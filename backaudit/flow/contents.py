"""Lists whose content is known: made here, and changed by nothing but known steps on the way."""

from __future__ import annotations

from typing import TypeGuard

from backaudit.facts import ops
from backaudit.facts.ops import RegionKind, Value
from backaudit.project import Code, Node

_FIXED: tuple[RegionKind, ...] = ("with", "try", "body", "finally")


def certain(code: Code, effect: Value, other: Value) -> bool:
    """Whether an operation runs whenever ``other`` does: no branch or loop is around it alone."""
    return all(region.kind in _FIXED or region.first <= other < region.last for region in code.regions_of(effect))


def content(code: Code, listed: Value, use: Value) -> list[Value] | None:
    """The items of a list when operation ``use`` takes it; None if that is not known."""
    made = code.ops[listed]
    if not isinstance(made, ops.Build) or made.kind != "list" or any(_starred(code, item) for item in made.items):
        return None
    items = list(made.items)
    for value in _changes_before(code, listed, use):
        once = certain(code, value, use) and all(region.kind != "loop" for region in code.regions_of(value))
        if not once or not _apply(code, items, value):
            return None
    given = any(value < use and not path for path, value in code.handed.get(listed, ()))
    return None if given and code.changes.get(listed) else items


def _changes_before(code: Code, listed: Value, use: Value) -> list[Value]:
    """The operations that change the list itself before it is used, in order."""
    return sorted(value for path, value in code.changes.get(listed, ()) if not path and value < use)


def _apply(code: Code, items: list[Value], value: Value) -> bool:
    """Change the items as an operation does; False if that is not known."""
    op = code.ops[value]
    if isinstance(op, ops.SetItem):
        index = code.node(op.key).const
        if not _is_index(index, items):
            return False
        items[index] = op.value
        return True
    if not isinstance(op, ops.Call) or op.star or op.dstar or op.keywords:
        return False
    return _call(code.node(value), items, op.args)


def _call(call: Node, items: list[Value], args: tuple[Value, ...]) -> bool:
    """The same for a call of a list's method."""
    first = call.to(args[0]).const if args else -1
    match call.method, len(args):
        case "append", 1:
            items.append(args[0])
        case "insert", 2 if isinstance(first, int):
            items.insert(first, args[1])
        case "pop", _ if _is_index(first, items):
            items.pop(first)
        case "reverse", _:
            items.reverse()
        case "clear", _:
            items.clear()
        case method, _:
            return method in call.code.project.models.kinds["list-reads"]
    return True


def _is_index(index: object, items: list[Value]) -> TypeGuard[int]:
    return isinstance(index, int) and -len(items) <= index < len(items)


def _starred(code: Code, item: Value) -> bool:
    made = code.ops[item]
    return isinstance(made, ops.Build) and made.kind == "slice"
