"""Bodies of JSON that are read as objects, and may be null, a list or a text."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.callers import unasked_by
from backaudit.analyses.errors.requests import Wish, showing
from backaudit.backend.access.missing import asked
from backaudit.backend.web.catching import escapes, request_handlers
from backaudit.backend.web.request_names import request_names
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.rule import Finding, Step


def findings(project: Project) -> Iterator[Finding]:
    """Each body that is read as an object before anybody asks whether it is one, uncaught; its first use."""
    for code in project.once(request_handlers):
        told: set[str | Node] = set()
        for value, op in enumerate(code.ops):
            node = code.node(value)
            body = _body_read(project, node) if isinstance(op, (ops.Call, ops.Compare)) else None
            if body is None or (body.spelled or body) in told or asked(code, body.value, value):
                continue
            told.add(body.spelled or body)
            yield from _finding(project, node, body)


def _body_read(project: Project, node: Node) -> Node | None:
    """The whole body of JSON that is asked for a key, made a mapping of, or looked into."""
    read = _read_as_object(project, node)
    body = read.awaited if read is not None else None
    if body is None or project.models.kinds["json-bodies"].isdisjoint(request_names(project, body)):
        return None
    return None if _is_read_before(node, body) else body


def _read_as_object(project: Project, node: Node) -> Node | None:
    op = node.op
    if isinstance(op, ops.Compare):
        return node.to(op.right) if op.operator in ("in", "not in") else None
    if node.receiver is not None:
        return node.receiver if node.is_call_of("key-reads") else None
    is_dict = node.func is not None and "builtins.dict" in project.names(node.func)
    return node.arg(0) if is_dict else None


def _is_read_before(node: Node, body: Node) -> bool:
    """Whether a key was read or set before, which raises first."""
    code = node.code
    items = (code.ops[value] for value in code.before(node.value, ops.Item, ops.SetItem))
    return any(code.node(op.base).awaited == body for op in items if isinstance(op, (ops.Item, ops.SetItem)))


def _finding(project: Project, node: Node, body: Node) -> Iterator[Finding]:
    raised = "AttributeError" if node.receiver is not None else "TypeError"
    path = escapes(project, node, (f"builtins.{raised}",))
    if path is None:
        return
    what = f"that `{node.method}()` is asked of" if node.receiver is not None else "that is read as an object here"
    yield Finding(
        place=node.place.first_line(),
        message=f"The body {what} may be null or a list: {raised}, a 500, not a 400.",
        assumed=unasked_by(path),
        shown="strict",
        trace=(Step(body.place.first_line(), f"`{body.spelled}` is whatever JSON the client sends"),),
        request=showing(project, node, path, (Wish("null", "body"),), raises=f"builtins.{raised}"),
    )
