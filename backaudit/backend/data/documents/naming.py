"""What a collection is called in its database."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import text
from backaudit.project.types import split

# How many attributes, parameters and functions are followed to the collection.
_DEPTH = 4
_SAME = ("with_options",)


def collection_name(project: Project, receiver: Node, depth: int = 0) -> str:
    """``users`` for ``db.users``, ``db["users"]``, ``db.get_collection("users")`` and what stands for one of them.

    Empty if the code does not tell: a parameter that no call of ours fills, a name that is computed.
    """
    made = project.resolved(receiver)
    op = made.op
    if project.gives_up(depth, _DEPTH, made.place):
        return ""
    if isinstance(op, ops.Await):
        return collection_name(project, made.to(op.value), depth)
    if isinstance(op, ops.Item):
        return text(project, made.to(op.key))
    if isinstance(op, ops.Attr):
        return _attribute_name(project, made.to(op.base), op.name, depth)
    if made.is_call_of("collection-givers"):
        return text(project, made.arg(1 if made.method == "Collection" else 0, "name"))
    if made.method in _SAME:
        return collection_name(project, made.receiver, depth + 1) if made.receiver is not None else ""
    names = {collection_name(project, node, depth + 1) for node in _behind(project, made)}
    return names.pop() if len(names) == 1 else ""


def _attribute_name(project: Project, base: Node, attribute: str, depth: int) -> str:
    kept = kept_in(project, base, attribute)
    if kept is not None:
        return collection_name(project, kept, depth + 1)
    return "" if attribute.startswith("_") or _is_ours(project, base) else attribute


def _behind(project: Project, made: Node) -> Iterator[Node]:
    """What functions give, what calls hand to a parameter, and what a dependency gives it."""
    if isinstance(made.op, ops.Call):
        for code in project.callees(made):
            yield from code.returned()
    elif isinstance(made.op, ops.Param):
        given = (project.argument(call, made.code, made.op.index) for call in project.callers(made.code))
        yield from (node for node in given if node is not None)
        default = project.default(made.code, made.op.index)
        if default is not None and default.method == "Depends":
            yield from _provided(project, default)


def _provided(project: Project, depends: Node) -> Iterator[Node]:
    """What the function behind ``Depends(…)`` returns or yields."""
    first = depends.arg(0, "dependency")
    function = project.resolved(first) if first is not None else None
    if function is not None and isinstance(function.op, ops.Def):
        provider = function.code.file.code(function.op.function)
        yield from provider.returned()
        yield from (node.to(node.op.value) for node in provider.nodes(ops.Yield) if isinstance(node.op, ops.Yield))


def kept_in(project: Project, base: Node, name: str) -> Node | None:
    """What methods of a class, or of the classes it extends, keep in ``self.name``."""
    for held in project.types(base):
        for cls in project.lineage_views(split(held)[0]):
            for store in cls.assigned.get(name, ()):
                if isinstance(store.op, ops.SetAttr):
                    return store.to(store.op.value)
    return None


def _is_ours(project: Project, base: Node) -> bool:
    return any(project.class_named(split(name)[0]) is not None for name in project.types(base))
