"""Declarations that a project's own functions make: ``owner_id: int = key_to("users")``, ``index_on("name")``."""

from __future__ import annotations

from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import items, text


def returned_call(project: Project, call: Node, kind: str) -> Node | None:
    """The call of a kind that a function of the project returns to another."""
    for callee in project.callees(call.origin) if call.origin.call is not None else ():
        for op in callee.ops:
            made = callee.node(op.value).origin if isinstance(op, ops.Return) and op.value != ops.NONE else None
            if made is not None and made.call is not None and made.is_call_of(kind):
                return made
    return None


def given(project: Project, node: Node, outer: Node) -> Node:
    """What a parameter of a helper is at one call of it; any other value as it is."""
    op = node.origin.op
    inside = isinstance(op, ops.Param) and node.code is not outer.code
    passed = project.argument(outer.origin, node.code, op.index) if inside and isinstance(op, ops.Param) else None
    return passed if passed is not None else node


def listed_given(project: Project, node: Node, outer: Node) -> list[Node]:
    """The items of a list that a helper unpacks, at one call of it: one that it is given, or its ``*columns``."""
    op, call = node.origin.op, outer.origin.call
    if isinstance(op, ops.Param) and call is not None and node.code.function.params[op.index].kind == "star":
        return [outer.origin.to(value) for value in call.args[op.index :]]
    return items(given(project, node, outer))


def text_given(project: Project, node: Node, outer: Node) -> str:
    """The string that a value of a helper is at one call of it: ``f"{target}.id"``; empty if a part is unknown."""
    op = node.origin.op
    if isinstance(op, ops.Build) and op.kind == "fstring":
        parts = [text_given(project, node.origin.to(item), outer) for item in op.items]
        return "".join(parts) if all(parts) else ""
    if isinstance(op, ops.Format):
        return text_given(project, node.origin.to(op.value), outer)
    return text(project, given(project, node, outer))
