"""Bodies of JSON that are read as objects, and may be null, a list or a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backaudit.analyses.errors.callers import unasked_by
from backaudit.analyses.errors.requests import Wish, showing
from backaudit.backend.access.missing import asked
from backaudit.backend.web.catching import escapes, request_handlers
from backaudit.backend.web.request_names import request_names
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.rule import Finding, Step


def findings(project: Project) -> Iterator[Finding]:
    """Each body that is read as an object before anybody asks whether it is one, uncaught; its first use."""
    for code in dict.fromkeys((*project.once(request_handlers), *project.once(_handed))):
        told: set[str | Node] = set()
        for value, op in enumerate(code.ops):
            node = code.node(value)
            body = _body_read(project, node) if isinstance(op, (ops.Call, ops.Compare)) else None
            if body is None or (body.spelled or body) in told or asked(code, body.value, value):
                continue
            told.add(body.spelled or body)
            whole = _sent(project, body)
            if whole is not None:
                yield from _finding(project, node, whole)


def _sent(project: Project, body: Node) -> Node | None:
    """The body as it was read of the request, also by whoever has handed it over; None if it was asked for there."""
    handed = _handed_over(project, body)
    if handed is None:
        return body if not project.models.kinds["json-bodies"].isdisjoint(request_names(project, body)) else None
    call, argument = handed
    return None if asked(call.code, argument.value, call.value) else _sent(project, argument)


def _handed_over(project: Project, body: Node) -> tuple[Node, Node] | None:
    op = body.op
    return project.once(_handed).get(body.code, {}).get(op.index) if isinstance(op, ops.Param) else None


def _handed(project: Project) -> dict[Code, dict[int, tuple[Node, Node]]]:
    """The parameters to which handlers, or those that they call, hand a body of JSON: the call, and the body there."""
    found: dict[Code, dict[int, tuple[Node, Node]]] = {}
    waiting = sorted(project.once(request_handlers), key=lambda code: (code.path, code.index))
    seen = set(waiting)
    while waiting:
        code = waiting.pop()
        own = found.get(code, {})
        for call in code.nodes(ops.Call):
            for callee, index, body in _handing(project, call, own):
                found.setdefault(callee, {}).setdefault(index, (call, body))
                waiting += [callee] if callee not in seen else []
                seen.add(callee)
    return found


def _handing(project: Project, call: Node, own: Mapping[int, tuple[Node, Node]]) -> Iterator[tuple[Code, int, Node]]:
    bodies = [body for body in (argument.awaited for argument in call.args()) if _is_body(project, body, own)]
    for callee in project.callees(call) if bodies else ():
        for index in range(len(callee.function.params)):
            given = project.argument(call, callee, index)
            if given is not None and given.awaited in bodies:
                yield callee, index, given.awaited


def _is_body(project: Project, node: Node, own: Mapping[int, tuple[Node, Node]]) -> bool:
    op = node.op
    is_handed = isinstance(op, ops.Param) and op.index in own
    return is_handed or not project.models.kinds["json-bodies"].isdisjoint(request_names(project, node))


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
