"""Fixes of what the rules on input report."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.sinks import Flow, Sink
from backaudit.facts import ops
from backaudit.facts.changes import BindValues
from backaudit.project import Node, Project
from backaudit.project.changing import assigned, safer
from backaudit.project.nodes import operands
from backaudit.rule import Fix


def values_bound(project: Project, sink: Sink, name: str) -> Iterator[Fix]:
    """The values of a statement that is put together here, bound as the driver binds them."""
    call, given = sink.call, sink.argument
    inner = given.origin
    wrapped = next((each for each in _names(inner) if each in project.models.bound), "")
    if wrapped:
        first = inner.arg(0)
        call, given, name = inner, first if first is not None else given, wrapped
    style = project.models.bound.get(name)
    statement = assigned(given.origin)
    is_here = sink.does is None and statement.code is call.code and _used_once(given)
    if style is not None and is_here and isinstance(statement.op, (ops.Build, ops.Bin, ops.Call)):
        change = BindValues(call.place, statement.place, style)
        yield Fix(summary="Bind the values as parameters", changes=(change,))


def _names(call: Node) -> tuple[str, ...]:
    return call.code.project.names(call.func) if call.func is not None else ()


def _used_once(given: Node) -> bool:
    """Whether a name, where the statement has one, is read nowhere else."""
    if not isinstance(given.op, ops.Bind):
        return True
    reads = [op for op in given.code.ops if given.value in operands(op)]
    return len(reads) == 1


def loaded_safely(flow: Flow) -> Iterator[Fix]:
    """The same text read as data alone; not by a loader of the project's own, which makes more of it."""
    call = flow.harm
    loader = call.arg(1, "Loader")
    changes = safer(call.func if loader is None else loader)
    if changes:
        yield Fix(summary="Read it as data alone", changes=changes, safe=True)
