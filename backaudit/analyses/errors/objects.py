"""Bodies of JSON that are read as objects, and may be null, a list or a text."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.callers import unasked_by
from backaudit.analyses.errors.requests import Wish, showing
from backaudit.backend.access.missing import asked
from backaudit.backend.web.catching import escapes, request_handlers
from backaudit.backend.web.handed import Parameter, handed_parameters
from backaudit.backend.web.request_names import request_names
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.holding import conditions
from backaudit.project.operands import made_of
from backaudit.rule import Finding, Step


def findings(project: Project) -> Iterator[Finding]:
    """Each body that is read as an object before anybody asks whether it is one, uncaught; its first use."""
    handed = (code for code, _ in project.once(_handed))
    for code in dict.fromkeys((*project.once(request_handlers), *handed)):
        told: set[str | Node] = set()
        for value, op in enumerate(code.ops):
            node = code.node(value)
            body = _body_read(project, node) if isinstance(op, (ops.Call, ops.Compare)) else None
            if body is None or (body.spelled or body) in told or _is_kind_asked(node, body):
                continue
            told.add(body.spelled or body)
            whole = _sent(project, body)
            if whole is not None:
                yield from _finding(project, node, whole, is_empty_asked=asked(code, body.value, value))


def _is_kind_asked(node: Node, body: Node) -> bool:
    """Whether something was asked of the body before but whether it is empty: what it is, or by a function."""
    code = node.code
    for test, _ in conditions(code, node.value):
        for part in made_of(code.node(test)):
            if part.call is not None and any(argument.awaited == body for argument in part.args()):
                return True
    return False


def _sent(project: Project, body: Node) -> Node | None:
    """The body as it was read of the request, also by whoever has handed it over; None if it was asked for there."""
    handed = _handed_over(project, body)
    if handed is None:
        return body if not project.models.kinds["json-bodies"].isdisjoint(request_names(project, body)) else None
    call, argument = handed
    return None if asked(call.code, argument.value, call.value) else _sent(project, argument)


def _handed_over(project: Project, body: Node) -> tuple[Node, Node] | None:
    op = body.op
    return project.once(_handed).get((body.code, op.index)) if isinstance(op, ops.Param) else None


def _handed(project: Project) -> dict[Parameter, tuple[Node, Node]]:
    """The parameters to which handlers, or those that they call, hand a body of JSON."""
    bodies = project.models.kinds["json-bodies"]
    return handed_parameters(
        project,
        project.once(request_handlers),
        lambda value: not bodies.isdisjoint(request_names(project, value)),
    )


def _body_read(project: Project, node: Node) -> Node | None:
    """The whole body of JSON that is asked for a key, made a mapping of, or looked into."""
    read = _read_as_object(project, node)
    body = _copied(read.awaited) if read is not None else None
    return None if body is None or _is_read_before(node, body) else body


def _copied(body: Node) -> Node:
    """What a body is a copy of."""
    first = body.arg(0) if body.call is not None and body.method == "deepcopy" else None
    return first.awaited if first is not None else body


def _read_as_object(project: Project, node: Node) -> Node | None:
    op = node.op
    if isinstance(op, ops.Compare):
        return node.to(op.right) if op.operator in ("in", "not in") else None
    if node.receiver is not None:
        is_asked = any(map(node.is_call_of, ("key-reads", "mapping-views", "mapping-changes")))
        return node.receiver if is_asked else None
    is_dict = node.func is not None and "builtins.dict" in project.names(node.func)
    return node.arg(0) if is_dict else None


def _is_read_before(node: Node, body: Node) -> bool:
    """Whether a key was read or set before, which raises first."""
    code = node.code
    items = (code.ops[value] for value in code.before(node.value, ops.Item, ops.SetItem))
    return any(code.node(op.base).awaited == body for op in items if isinstance(op, (ops.Item, ops.SetItem)))


_NUMBER = 7
_NOTHING = ("null or a list", Wish("null", "body"))


def _finding(project: Project, node: Node, body: Node, *, is_empty_asked: bool) -> Iterator[Finding]:
    raised = "AttributeError" if node.receiver is not None else "TypeError"
    path = escapes(project, node, (f"builtins.{raised}",))
    if path is None:
        return
    may_be, wrong = ("a number", Wish("equal", "body", value=_NUMBER)) if is_empty_asked else _NOTHING
    what = f"that `{node.method}()` is asked of" if node.receiver is not None else "that is read as an object here"
    yield Finding(
        place=node.place.first_line(),
        message=f"The body {what} may be {may_be}: {raised}, a 500, not a 400.",
        assumed=unasked_by(path),
        shown="strict",
        trace=(Step(body.place.first_line(), f"`{body.spelled}` is whatever JSON the client sends"),),
        request=showing(project, node, path, (wrong,), raises=f"builtins.{raised}"),
    )
