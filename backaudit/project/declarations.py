"""Reading declarations: literals, lists of names and conditions as models and migrations write them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import ClassView, Node, Project

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """``UserProfile`` as ``user_profile``."""
    return _WORD.sub("_", name).lower()


def text(project: Project, node: Node | None) -> str:
    """The string that a value is, through names and constants; empty if unknown."""
    if node is None:
        return ""
    found = project.constant(node)
    return found.text or "" if found is not None else ""


def on_delete(project: Project, node: Node | None) -> str:
    """What is to become of a row when the one it refers to is deleted, in SQL's words: ``"set null"``, ``SET_NULL``,
    ``OnDelete.set_null`` and what ``SET(...)`` gives are named alike.
    """
    if node is None:
        return ""
    written = text(project, node) or (node.origin.method if node.origin.call is not None else node.spelled)
    return written.rpartition(".")[2].replace("_", " ").strip().upper()


def truth(project: Project, node: Node | None) -> bool:
    """Whether a value is literally true."""
    if node is None:
        return False
    found = project.constant(node)
    return found is not None and found.const is True


def number(node: Node | None) -> int | None:
    value = node.const if node is not None else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def items(node: Node | None) -> list[Node]:
    """The elements of a list, tuple or set display; sums of displays are followed."""
    if node is None:
        return []
    op = node.origin.op
    if isinstance(op, ops.Build) and op.kind in ("list", "tuple", "set"):
        return [node.origin.to(item) for item in op.items]
    if isinstance(op, ops.Bin) and op.operator == "+":
        return [*items(node.origin.to(op.left)), *items(node.origin.to(op.right))]
    return []


def items_anywhere(project: Project, node: Node | None) -> list[Node]:
    """As :func:`items`, of a name that is bound elsewhere and of sums with some: ``("id", "name") + SHARED``."""
    found: list[Node] = []
    seen: set[Node] = set()
    todo = [node] if node is not None else []
    while todo:
        here = project.resolved(todo.pop())
        op = here.op
        if here in seen:
            continue
        seen.add(here)
        if isinstance(op, ops.Bin) and op.operator == "+":
            todo += [here.to(op.right), here.to(op.left)]
        else:
            found += items(here)
    return found


def entries(node: Node | None) -> dict[str, Node]:
    """The entries of a dict display with literal keys."""
    return {key.text: value for key, value in node.entries() if key.text is not None} if node is not None else {}


def told_of(node: Node | None, name: str) -> Node | None:
    """What a mapping that is written out, as a display or as ``dict(name=…)``, holds under a name."""
    if node is None:
        return None
    return entries(node).get(name) or (node.arg(None, name) if node.method == "dict" else None)


def texts(project: Project, node: Node | None) -> tuple[str, ...]:
    """The strings of a display, or the one string that it is."""
    listed = [text(project, item) for item in items_anywhere(project, node)]
    alone = text(project, node)
    return tuple(name for name in listed if name) or ((alone,) if alone else ())


def field_calls(project: Project, cls: ClassView) -> Iterator[tuple[ClassView, str, Node]]:
    """(owner, name, value) of what a class and its bases bind, the farthest base first; later ones override."""
    found: dict[str, tuple[ClassView, str, Node]] = {}
    for view in reversed(project.lineage_views(cls.name)):
        found |= {name: (view, name, bind) for name, bind in view.fields.items()}
    return iter(found.values())


def annotation_of(bind: Node) -> Node | None:
    op = bind.op
    return bind.to(op.annotation) if isinstance(op, ops.Bind) and op.annotation != NONE else None


def enumerated(project: Project, names: tuple[str, ...]) -> bool:
    """Whether one of the types named is an enumeration or a truth value."""
    return any(
        name in ("builtins.bool", "typing.Literal")
        or project.inherits(name, "enum.Enum", "enum.StrEnum", "enum.IntEnum")
        for name in names
    )
