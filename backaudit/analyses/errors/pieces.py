"""Parts of a client's text that it may not have."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.conversions import unread
from backaudit.analyses.errors.requests import wrong
from backaudit.backend.access.denial import conditions, operands, sides
from backaudit.backend.access.missing import alike, tests
from backaudit.backend.web.catching import escapes
from backaudit.facts import ops
from backaudit.flow.client import client_origin
from backaudit.project import Node, Project
from backaudit.rule import Finding


def findings(project: Project) -> Iterator[Finding]:
    """``header.split(" ")[1]``, ``name, token = header.split()``: parts that the text may not have."""
    for call in project.calls_of("split"):
        receiver = call.receiver
        if receiver is None or call.code.file.role != "production":
            continue
        for use, exception in _parts_used(call):
            path = escapes(project, use, (f"builtins.{exception}",))
            origin = client_origin(project, receiver, texts=True) if path is not None else None
            if origin is not None and path is not None and not _form_asked(call, receiver, use):
                one_part = wrong(project, "pieces", receiver)
                yield unread(use, f"`{call.spelled}` may have fewer parts", origin, (exception,), path, one_part)
                break


def _parts_used(call: Node) -> Iterator[tuple[Node, str]]:
    """Where more than the first part is read, and what that raises if it is not there."""
    code = call.code
    for node in code.nodes(ops.Item):
        op = node.op
        if not isinstance(op, ops.Item) or code.origin(op.base) != call.value:
            continue
        key = node.to(op.key).const
        if type(key) is int and key not in (0, -1):
            yield node, "IndexError"
    for node in code.nodes(ops.Part):
        op = node.op
        if isinstance(op, ops.Part) and code.origin(op.base) == call.value and op.index > 0:
            yield node, "ValueError"


def _form_asked(call: Node, text: Node, use: Node) -> bool:
    """Whether a condition before has looked at the form of the text or at the number of its parts."""
    code = call.code
    for test in tests(code, use.value):
        for condition in conditions(code.node(test)):
            looks = isinstance(condition.op, (ops.Compare, ops.Call)) and not _with_none(condition)
            parts = operands(condition) if looks else ()
            if any(alike(code, part.value, wanted.value) for part in parts for wanted in (text, call)):
                return True
    return False


def _with_none(condition: Node) -> bool:
    return any(isinstance(side.origin.op, ops.Const) and side.const is None for side in sides(condition))
