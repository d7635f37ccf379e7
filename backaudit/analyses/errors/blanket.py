"""Handlers that answer whatever goes wrong in one way, and what is lost by it."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.changes import changes
from backaudit.backend.web.catching import Handler, ancestry, answers_in, handlers_in
from backaudit.backend.web.responses import Answer, answering, answers
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.code import last_name
from backaudit.vocabulary.protocols import CLIENT_ERRORS


def error_answers(project: Project, handler: Handler) -> list[Answer]:
    """The handler's error answers, empty if one of its answers is no error."""
    final = handler.code in answering(project)
    found = [a for a in answers_in(project, handler) if a.how == "raise" or final]
    return found if all(a.status is not None and a.status >= 400 for a in found) else []


def tells_apart(handler: Handler) -> bool:
    """Whether the handler looks at what it caught, or passes some of it on."""
    for node in handler.nodes():
        op = node.op
        if isinstance(op, ops.Call) and node.method in ("isinstance", "hasattr", "getattr", "issubclass"):
            return True
        if isinstance(op, ops.Raise) and (op.exception < 0 or node.to(op.exception).origin == handler.exception):
            return True
    return False


def has_siblings(project: Project, handler: Handler) -> bool:
    """Whether other handlers of the same try take what was expected."""
    group = handler.region.group
    return any(other.region.group == group and other != handler for other in handlers_in(project, handler.code))


def acts(project: Project, handler: Handler) -> bool:
    """Whether the block changes something outside the process, itself or by what it calls."""
    acting = project.models.kinds["acting-methods"]
    calls = {node.value: node for node in handler.tried() if isinstance(node.op, ops.Call)}
    if any(node.method in acting for node in calls.values()):
        return True
    return any(change.node.value in calls for change in changes(project, handler.code))


def wraps_unknown(handler: Handler) -> bool:
    """Whether the block calls a function it was given: a decorator or a middleware, the one place for a catch-all."""
    return any(_is_given(handler, node) for node in handler.tried())


def _is_given(handler: Handler, node: Node) -> bool:
    op = node.op
    func = node.to(op.func).origin.op if isinstance(op, ops.Call) else None
    if isinstance(func, ops.Param):
        return func.index > 0 or handler.code.cls is None
    if isinstance(func, ops.Attr):
        return func.name in ("get_response", "dispatch", "full_dispatch_request")
    outer = handler.code.enclosing
    return isinstance(func, ops.Name) and outer is not None and func.name in {p.name for p in outer.function.params}


def lost_errors(project: Project, handler: Handler, status: int) -> list[tuple[Node, str]]:
    """Client errors that the block raises and this handler takes: where, and what they would have answered."""
    found: list[tuple[Node, str]] = []
    inside = {node.value for node in handler.tried()}
    for answer in answers(project, handler.code):
        if answer.value in inside and _is_lost(project, handler, answer, status):
            found.append((answer.node, _said(answer)))
    for node in handler.tried():
        if isinstance(node.op, ops.Call):
            found += _lost_in_call(project, handler, node, status)
    return sorted(found, key=lambda pair: pair[0].value)


def _is_lost(project: Project, handler: Handler, answer: Answer, status: int) -> bool:
    refuses = answer.how == "raise" and answer.status in CLIENT_ERRORS
    if not refuses or answer.status == status:
        return False
    names = ancestry(project, answer.maker) | {"HTTPException", "HttpException"}
    groups = {region.group for region in handler.code.regions_of(answer.value) if region.kind == "try"}
    rivals = (rival for rival in handlers_in(project, handler.code) if rival.region.first < handler.region.first)
    return not any(
        rival.region.group in groups and not names.isdisjoint(map(last_name, rival.caught)) for rival in rivals
    )


def _lost_in_call(project: Project, handler: Handler, call: Node, status: int) -> Iterator[tuple[Node, str]]:
    names = project.names(call.func) if call.func is not None else ()
    if not project.models.kinds["answers-404"].isdisjoint(names):
        maker = Answer(call, "raise", 404, True, (), "builtins.Exception")
        if _is_lost(project, handler, maker, status):
            yield call, f"404 from {call.method}"
        return
    for code in project.callees(call):
        for answer in answers(project, code):
            moved = Answer(call, answer.how, answer.status, answer.stated, (), answer.maker)
            if not _caught_inside(answer) and _is_lost(project, handler, moved, status):
                yield call, f"{answer.status} from {code.function.name}"
                return


def _caught_inside(answer: Answer) -> bool:
    return any(region.kind == "try" for region in answer.node.code.regions_of(answer.value))


def _said(answer: Answer) -> str:
    """The status of an answer, and what makes it if that has a name."""
    maker = last_name(answer.maker)
    return f"{answer.status} by {maker}" if maker else str(answer.status)
