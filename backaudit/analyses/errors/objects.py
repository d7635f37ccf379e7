"""Bodies of JSON that are read as objects, and may be null, a list or a text."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.callers import unasked_by
from backaudit.analyses.errors.lookups import asked
from backaudit.analyses.errors.requests import Wish, showing
from backaudit.backend.web.catching import escapes, request_handlers
from backaudit.backend.web.reads import request_names
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.rule import Finding, Step

_RAISED = "builtins.AttributeError"


def findings(project: Project) -> Iterator[Finding]:
    """Each body whose keys are asked for before anybody asks whether it has any, uncaught; its first use."""
    for code in project.once(request_handlers):
        told: set[str | Node] = set()
        for call in code.nodes(ops.Call):
            body = _body_read(project, call)
            if body is None or (body.spelled or body) in told or asked(code, body.value, call.value):
                continue
            told.add(body.spelled or body)
            yield from _finding(project, code, call, body)


def _body_read(project: Project, call: Node) -> Node | None:
    """The whole body of JSON that a call asks for a key."""
    receiver = call.receiver
    if receiver is None or not call.is_call_of("key-reads"):
        return None
    body = receiver.awaited
    is_json = not project.models.kinds["json-bodies"].isdisjoint(request_names(project, body))
    return body if is_json and not _is_read_before(call, body) else None


def _is_read_before(call: Node, body: Node) -> bool:
    """Whether a key was read or set before, which raises first."""
    code = call.code
    items = (code.ops[value] for value in code.before(call.value, ops.Item, ops.SetItem))
    return any(code.node(op.base).awaited == body for op in items if isinstance(op, (ops.Item, ops.SetItem)))


def _finding(project: Project, code: Code, call: Node, body: Node) -> Iterator[Finding]:
    path = escapes(project, call, (_RAISED,))
    if path is None:
        return
    yield Finding(
        place=call.place.first_line(),
        message=f"The body that `{call.method}()` is asked of may be null or a list: AttributeError, a 500, not a 400.",
        assumed=unasked_by(path),
        shown="strict",
        trace=(Step(body.place.first_line(), f"`{body.spelled}` is whatever JSON the client sends"),),
        request=showing(project, call, path, (Wish("null", "body"),), raises=_RAISED),
    )
