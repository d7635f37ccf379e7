"""Lists whose content is known: made here, and changed by nothing but known steps on the way."""

from __future__ import annotations

from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.project import Code

_FIXED = ("with", "try", "body", "finally")


def certain(code: Code, effect: Value, other: Value) -> bool:
    """Whether an operation runs whenever ``other`` does: no branch or loop is around it alone."""
    return all(region.kind in _FIXED or region.first <= other < region.last for region in code.regions_of(effect))


def content(code: Code, listed: Value, use: Value) -> list[Value] | None:
    """The items of a list when operation ``use`` takes it; None if that is not known."""
    made = code.ops[listed]
    if not isinstance(made, ops.Build) or made.kind != "list" or any(_starred(code, item) for item in made.items):
        return None
    items = list(made.items)
    for path, value in sorted(code.changes.get(listed, ()), key=lambda change: change[1]):
        if path or value >= use:
            continue
        if not certain(code, value, use) or any(r.kind == "loop" for r in code.regions_of(value)):
            return None
        if not _apply(code, items, value):
            return None
    given = any(value < use and not path for path, value in code.handed.get(listed, ()))
    return None if given and code.changes.get(listed) else items


def _apply(code: Code, items: list[Value], value: Value) -> bool:
    """Change the items as an operation does; False if that is not known."""
    op = code.ops[value]
    if isinstance(op, ops.SetItem):
        index = code.node(op.key).const
        known = isinstance(index, int) and -len(items) <= index < len(items)
        if known:
            items[index] = op.value  # type: ignore[index]
        return known
    if not isinstance(op, ops.Call) or op.star or op.dstar or op.keywords:
        return False
    name = code.node(value).method
    first = code.node(op.args[0]).const if op.args else None
    if name == "append" and len(op.args) == 1:
        items.append(op.args[0])
    elif name == "insert" and len(op.args) == 2 and isinstance(first, int):
        items.insert(first, op.args[1])
    elif name == "pop" and (not op.args or isinstance(first, int)):
        index = first if isinstance(first, int) else -1
        if not -len(items) <= index < len(items):
            return False
        items.pop(index)
    elif name == "reverse":
        items.reverse()
    elif name == "clear":
        items.clear()
    else:
        return name in code.project.models.kinds["list-reads"]
    return True


def _starred(code: Code, item: Value) -> bool:
    made = code.ops[item]
    return isinstance(made, ops.Build) and made.kind == "slice"
