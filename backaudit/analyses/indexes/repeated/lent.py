"""Serializers that are handed over: to a helper beside the rows, or to a decorator of the function that gives them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.repeated.loading import Rows, rows_from, rows_handed
from backaudit.backend.web.catching import reached_functions
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import truth


def lent(project: Project) -> Iterator[tuple[Node, ClassView, Rows]]:
    """(call, serializer, rows) of the calls ``serializer_class(rows, many=True)`` of a class that a caller chose."""
    classes = {cls.name: cls for cls in project.subclasses(*sorted(project.models.kinds["row-serializers"]))}
    for code in reached_functions(project) if classes else ():
        for call in code.nodes(ops.Call):
            first = call.arg(0, "instance")
            if first is not None and truth(project, call.arg(None, "many")) and (made := _parameter(project, call)):
                yield from (
                    (call, cls, rows) for cls, rows in _pairs(project, made, call, first) if cls.name in classes
                )


def _parameter(project: Project, call: Node) -> Node | None:
    """The parameter that a call runs, of its own function or of one around it."""
    func = call.func
    op = func.origin.op if func is not None else None
    bound = project.free(call.code, op.name) if isinstance(op, ops.Name) else func
    return bound.origin if bound is not None and isinstance(bound.origin.op, ops.Param) else None


def _pairs(project: Project, made: Node, call: Node, first: Node) -> Iterator[tuple[ClassView, Rows]]:
    """Which class shows which rows: what one decorator, or one caller, brings together."""
    assert isinstance(made.op, ops.Param)
    if made.code is not call.code:
        for code, rows in rows_from(project, first):
            yield from ((cls, rows) for cls in _decorated_with(project, code, made.code, made.op.index))
        return
    for caller in project.callers(call.code):
        given = project.argument(caller, call.code, made.op.index)
        shown = rows_handed(project, first, caller) if given is not None else None
        if given is not None and shown is not None:
            yield from ((cls, shown) for cls in project.denoted_classes(given))


def _decorated_with(project: Project, code: Code, factory: Code, index: int) -> Iterator[ClassView]:
    """The classes that decorators of a function which ``factory`` makes are given."""
    for decorator in code.decorators:
        given = project.argument(decorator, factory, index) if factory in project.callees(decorator) else None
        yield from project.denoted_classes(given) if given is not None else ()
