"""Fixes of what the rules on errors report."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.catching import Handler
from backaudit.backend.web.routes import by_handler
from backaudit.facts import ops
from backaudit.facts.changes import Import, LogFailure, Replace
from backaudit.facts.place import Place, Span
from backaudit.project import Code, Node, Project
from backaudit.project.changing import behind
from backaudit.project.knowledge import FrameworkModel
from backaudit.rule import Fix


def answered_404(project: Project, call: Node) -> Iterator[Fix]:
    """A check behind the look-up of a handler, which answers 404 where it has given nothing."""
    framework = _framework(project, call.code)
    bind = _bound(call)
    if not framework.not_found or bind is None or _is_tried(bind):
        return
    module, _, name = framework.not_found_import.rpartition(".")
    check = behind(bind, f"if {bind.spelled} is None:", f"    {framework.not_found}")
    changes = (check, Import(call.code.path, module, name))
    yield Fix(summary="Answer 404 if nothing is found", changes=changes, safe=True)


def logged(handler: Handler) -> Fix:
    """What a handler drops, logged with its traceback."""
    return Fix(summary="Log what was caught", changes=(LogFailure(handler.place),), safe=not handler.bare)


def looked_up_or_404(project: Project, call: Node, exception: str) -> Iterator[Fix]:
    """The look-up of a handler by the function of its framework that answers 404 where there is no such row."""
    module, _, name = _framework(project, call.code).row_or_404.rpartition(".")
    if exception.partition(".")[0] != module.partition(".")[0] or call.method != "get":
        return
    func, receiver = call.func, call.receiver
    if func is None or receiver is None or not (receiver.spelled and call.args()):
        return
    span = func.at
    opening = Place(func.code.path, Span(span.line, span.column, span.end_line, span.end_column + len("(")))
    asked = Replace(opening, f"{name}({{0}}, ", (_model(receiver).place,))
    yield Fix(summary=f"Look it up with `{name}`", changes=(asked, Import(call.code.path, module, name)), safe=True)


def _model(receiver: Node) -> Node:
    """What a manager is asked of, if it is the one that every model has."""
    op = receiver.op
    return receiver.to(op.base) if isinstance(op, ops.Attr) and op.name == "objects" else receiver


def _framework(project: Project, code: Code) -> FrameworkModel:
    """That of the routes which a body handles itself; of any other body nothing is known."""
    routes = project.once(by_handler).get(code, ())
    return project.models.framework(routes[0].framework if routes else "")


def _bound(call: Node) -> Node | None:
    """The statement that gives a name to what a call, awaited or not, has found."""
    values = {call.value}
    for node in call.code.nodes(ops.Await):
        if isinstance(node.op, ops.Await) and node.op.value == call.value:
            values.add(node.value)
    for bind in call.code.nodes(ops.Bind):
        if isinstance(bind.op, ops.Bind) and bind.op.value in values and bind.op.scope == "local":
            return bind
    return None


def _is_tried(bind: Node) -> bool:
    """Whether a handler around the statement might catch what answers 404."""
    return any(region.kind == "try" for region in bind.code.regions_of(bind.value))
