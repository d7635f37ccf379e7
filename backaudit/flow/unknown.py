"""Texts that are put together of parts that nothing fixes, whoever gives them."""

from __future__ import annotations

from backaudit.facts import ops
from backaudit.flow.labels import ClientInput
from backaudit.flow.trace import Access, Trace
from backaudit.project import Node, Project


class _Unfixed(ClientInput):
    """A parameter that is free text as far as anyone can see, and that is put into a text."""

    def source(self, trace: Trace, node: Node, access: Access) -> str | None:
        op = node.op
        if not isinstance(op, ops.Param) or (node.code.cls is not None and op.index == 0):
            return None
        types = trace.project.types(node)
        if trace.project.callers(node.code) or any(name not in ("builtins.str", "builtins.dict") for name in types):
            return None
        return f"`{op.name}` is not a constant"


def unknown_part(project: Project, text: Node) -> Node | None:
    """A part of a text that is built here or in a callee, and that neither a constant nor a type fixes."""
    if isinstance(text.origin.op, ops.Param):
        return None
    origin = next(Trace(project, _Unfixed(project, "sql")).origins(text), None)
    return origin.node if origin is not None else None
