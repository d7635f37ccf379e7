"""Calls of a library's functions that are handed over (``to_thread(os.system, line)``), or kept by ``partial``.

A function of the project that is handed over is an edge of the call graph. A library's has no body to go into: what
counts is that it is called, and with what.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from backaudit.facts import ops
from backaudit.facts.python import VALUE_CALLS
from backaudit.project.calls import Given, Passed, handed_arguments, written_arguments
from backaudit.project.code import Code
from backaudit.project.nodes import Node

if TYPE_CHECKING:
    from backaudit.project import Project
    from backaudit.project.knowledge import Handover

_PARTIAL = "functools.partial"
_DEPTH = 4
_TRIALS = ("test", "example")


class Indirect(msgspec.Struct, frozen=True):
    """``call`` has a library's ``function`` run with ``given``."""

    call: Node
    function: Node
    given: Given


def indirect_calls(project: Project) -> tuple[Indirect, ...]:
    """The calls of what the project does not define that are not written as such. Ask with ``project.once``."""
    found = [*_handed_over(project), *_partial(project), *_called_by_helpers(project)]
    return tuple(dict.fromkeys(item for item in found if item.call.code.file.role not in _TRIALS))


def _targets(project: Project, node: Node, depth: int = 0) -> Iterator[tuple[Node, Given]]:
    """The functions of libraries that a value stands for, with what ``partial`` has filled in."""
    here = project.resolved(node)
    if project.gives_up(depth, _DEPTH, here.place):
        return
    if _is_partial(project, here):
        written = written_arguments(here)
        rest = msgspec.structs.replace(written, args=written.args[1:])
        for first in written.args[:1]:
            yield from ((function, rest.after(given)) for function, given in _targets(project, first.node, depth + 1))
    elif isinstance(here.op, (ops.Attr, ops.Import)) and not project.graph.targets(node):
        yield here, Given()


def _is_partial(project: Project, node: Node) -> bool:
    return node.call is not None and node.func is not None and _PARTIAL in project.names(node.func)


def _handed_over(project: Project) -> Iterator[Indirect]:
    known = project.knowledge.handovers
    for last in sorted({name.rpartition(".")[2] for name in known}):
        for call in project.calls_of(last):
            table = _handover_of(project, call, last)
            function = call.argument(table.function) if table is not None else None
            for target, filled in _targets(project, function) if function is not None else ():
                if table is not None:
                    yield Indirect(call, target, handed_arguments(call, table).after(filled))


def _handover_of(project: Project, call: Node, last: str) -> Handover | None:
    """What the tables know of a library's function that is called."""
    if call.func is None or project.callees(call):
        return None
    known = project.knowledge.handovers
    return next((known[name] for name in (*project.names(call.func), f"*.{last}") if name in known), None)


def _partial(project: Project) -> Iterator[Indirect]:
    """Calls of what ``partial`` gave, at once or by the name that it was given."""
    for made in project.calls(_PARTIAL):
        for call in dict.fromkeys(_calls_of_value(project, made)):
            if call.func is not None and project.resolved(call.func) == made:
                for function, filled in _targets(project, made):
                    yield Indirect(call, function, written_arguments(call).after(filled))


def _calls_of_value(project: Project, made: Node) -> Iterator[Node]:
    """The calls of a value in its own body, and of the names that it is given there."""
    code = made.code
    yield from (call for call in code.nodes(ops.Call) if call.func is not None and call.func.origin == made)
    binds = (op for op in code.ops if isinstance(op, ops.Bind) and code.origin(op.value) == made.value)
    for name in sorted({op.name for op in binds}):
        yield from project.calls_of(name)


def _called_by_helpers(project: Project) -> Iterator[Indirect]:
    """Calls of functions of the project that call what they are given: ``patiently(requests.get, url)``."""
    for code in dict.fromkeys(project.calling(VALUE_CALLS)):
        for inner in code.nodes(ops.Call):
            called = inner.func.origin.op if inner.func is not None else None
            if isinstance(called, ops.Param):
                yield from _by_callers(project, code, inner, called.index)


def _by_callers(project: Project, code: Code, inner: Node, index: int) -> Iterator[Indirect]:
    for call in project.callers(code):
        passed = project.argument(call, code, index)
        for function, filled in _targets(project, passed) if passed is not None else ():
            yield Indirect(call, function, _as_called(project, code, inner, call).after(filled))


def _as_called(project: Project, code: Code, inner: Node, call: Node) -> Given:
    """What ``inner`` hands on of what ``call`` has given the function that it stands in."""
    written, outer = written_arguments(inner), project.graph.given(call, code)
    args = [_passed(project, code, call, passed) for passed in written.args]
    keywords = [(name, _passed(project, code, call, passed)) for name, passed in written.keywords]
    if written.star:
        first = sum(param.kind in ("positional", "normal") for param in code.function.params) - int(outer.bound)
        args += outer.args[first:]
    named = {param.name for param in code.function.params}
    rest = [(name, passed) for name, passed in outer.keywords if name not in named] if written.dstar else []
    return Given(tuple(args), (*keywords, *rest))


def _passed(project: Project, code: Code, call: Node, passed: Passed) -> Passed:
    """A value inside of a function as its caller knows it, where it is a parameter."""
    op = passed.node.origin.op
    found = project.argument(call, code, op.index) if isinstance(op, ops.Param) else None
    return Passed(found) if found is not None else passed
