"""Texts that are put together of parts that nothing fixes, whoever gives them."""

from __future__ import annotations

from backaudit.analyses.validation.client_input import ClientInput
from backaudit.backend.web.params import injection
from backaudit.backend.web.routes import entries
from backaudit.facts import ops
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Trace
from backaudit.project import Code, Node, Project


class _Unfixed(ClientInput):
    """A parameter that is free text as far as anyone can see, or what another service answers, put into a text."""

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        if isinstance(op, ops.Call):
            asks = search.models.sinks.get("url", {})
            names = search.project.names(node.func) if node.func is not None else ()
            return "another service answers" if any(name in asks for name in names) else None
        if not isinstance(op, ops.Param) or (node.code.cls is not None and op.index == 0):
            return None
        types = search.project.types(node)
        if _supplied(search.project, node.code, op.index) or any(
            name not in ("builtins.str", "builtins.dict") for name in types
        ):
            return None
        return f"`{op.name}` is not a constant"

    def through(self, search: Search, call: Node) -> list[Node]:
        """``answer.json()`` is still the answer."""
        return [call.receiver] if call.method in ("json", "text", "read") and call.receiver is not None else []


def _supplied(project: Project, code: Code, index: int) -> bool:
    """Whether the project itself says what a parameter gets: by a call, a decorator or an injection."""
    injected = code in project.once(entries) and injection(project, code, index) is not None
    return injected or bool(project.callers(code)) or project.graph.wrapping(code) is not None


def unknown_part(project: Project, text: Node) -> Node | None:
    """A part of a text that is built here or in a callee, and that neither a constant nor a type fixes."""
    if isinstance(text.origin.op, ops.Param):
        return None
    origin = next(Trace(project, _Unfixed(project, "sql")).origins(text), None)
    return origin.node if origin is not None else None
