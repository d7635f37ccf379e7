"""Sinks that client input reaches: the question of every injection rule."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

import msgspec

from backaudit.analyses.validation.client_input import ClientInput
from backaudit.facts import ops
from backaudit.flow.folding import unreachable
from backaudit.flow.trace import Origin, Trace
from backaudit.models import Arguments
from backaudit.project import Given, Node, Project
from backaudit.project.handed import Indirect, indirect_calls
from backaudit.project.locate import argument_of
from backaudit.project.nodes import operands
from backaudit.project.types import split
from backaudit.rule import Step

_WRAPPERS = 6


class Sink(msgspec.Struct, frozen=True):
    """A call that does harm with the text of ``argument``; ``name`` is what the table calls it.

    ``does``: the call that the table names, where ``call`` only leads to it over functions of the project.
    ``given``: the arguments of what the table names, where ``call`` hands it over to be called.
    ``told``: the argument is a parameter, and each caller that passes it is a sink of its own (unless said: it is one).
    ``doubts``: checks between ``call`` and what it leads to that were not understood.
    """

    call: Node
    argument: Node
    name: str
    told: bool | None = None
    does: Node | None = None
    given: Given | None = None
    doubts: tuple[Node, ...] = ()


class Flow(msgspec.Struct, frozen=True):
    """Client input on its way into ``argument`` of the call ``sink``; ``passed``: the values it goes through.

    ``does``: the call that the table of sinks names, ``sink`` itself or inside a function that it runs.
    ``doubts``: checks on the way that were not understood.
    """

    sink: Node
    argument: Node
    origin: Origin
    name: str = ""
    passed: frozenset[Node] = frozenset()
    does: Node | None = None
    doubts: tuple[Node, ...] = ()

    @property
    def harm(self) -> Node:
        """The call that does the harm: the sink, or what it leads to."""
        return self.does or self.sink

    def trace(self, what: str) -> tuple[Step, ...]:
        """The steps from the source to the sink; ``what`` says what happens there."""
        asked = [Step(check.place, _asked(check)) for check in self.doubts]
        return (*self.origin.steps, *asked, Step(self.sink.place, what))


def _asked(check: Node) -> str:
    """How a check is told that was not read, or a collection in which the value was found."""
    return f"`{check.spelled}` is asked about it" if check.call is not None else f"it is found in `{check.spelled}`"


def sinks(project: Project, kind: str) -> Iterator[Sink]:
    """Calls that do harm with text, with the arguments that matter, in code that serves (no tests, no migrations).

    Where a function of the project only hands its parameter on, its callers are the sinks.
    """
    table = project.models.sinks.get(kind, {})
    seen: set[tuple[Node, Node]] = set()
    for name in sorted(table, key=lambda name: (name.startswith("*"), name)):
        for call in _called(project, name):
            for argument in table[name]:
                value = argument_of(call, argument)
                if value is None or (call, value) in seen or project.role(call.code.path) not in _SERVING:
                    continue
                if unreachable(call.code, call.value) or _is_plain_again(call):
                    continue
                value = _body_of(value) if kind == "html" else value
                yield from _expanded(project, kind, Sink(call, value, name), 0, seen)
    for sink in _handed(project, table):
        yield from _expanded(project, kind, sink, 0, seen)


def _is_plain_again(call: Node) -> bool:
    """``Markup(text).unescape()``: whether all that is done with what a call gives makes plain text of it."""
    plain = call.code.project.models.kinds["plain-again"]
    uses = [op for op in call.code.ops if call.value in operands(op)]
    return bool(uses) and all(isinstance(op, ops.Attr) and op.name in plain for op in uses)


def _handed(project: Project, table: Mapping[str, Arguments]) -> Iterator[Sink]:
    """As if it were called itself: what a call hands over to be called (``to_thread(os.system, line)``)."""
    for item in project.once(indirect_calls):
        name = next((name for name in project.names(item.function) if name in table), None)
        if name is None or project.role(item.call.code.path) not in _SERVING:
            continue
        for argument in table[name]:
            value = _given_as(item, argument)
            if value is not None and not unreachable(item.call.code, item.call.value):
                yield Sink(item.call, value, name, given=item.given)


def _given_as(item: Indirect, argument: int | str) -> Node | None:
    """An argument of what is handed over, as tables name it."""
    if argument == "self":
        op = item.function.op
        return item.function.to(op.base) if isinstance(op, ops.Attr) else None
    if isinstance(argument, str):
        return next((passed.node for name, passed in item.given.keywords if name == argument), None)
    return item.given.args[argument].node if argument < len(item.given.args) else None


def _body_of(answer: Node) -> Node:
    """Of ``(body, status, headers)``: the body."""
    made = answer.origin
    is_tuple = isinstance(made.op, ops.Build) and made.op.kind == "tuple" and made.op.items
    return made.to(made.op.items[0]) if is_tuple and isinstance(made.op, ops.Build) else answer


def _called(project: Project, name: str) -> Iterator[Node]:
    """Calls of a named thing; ``*.name`` of any method of that name that the project does not define itself."""
    if not name.startswith("*."):
        return project.calls(name)
    methods = project.calls_of(name[2:])
    return (call for call in methods if not project.callees(call) and _may_be(project, call.receiver))


def _may_be(project: Project, receiver: Node | None) -> bool:
    """Whether a method may be the one that is meant by its name: not that of a text, a list or a pattern."""
    if receiver is None:
        return False
    kinds = map(split, project.types(receiver))
    packages = {(over if head == "ext" else head).partition(".")[0] for head, over in kinds}  # "ext[re]": a module
    return not packages or not packages <= (sys.stdlib_module_names - {"xml"})


_SERVING = ("production", "script")


def _expanded(project: Project, kind: str, sink: Sink, depth: int, seen: set[tuple[Node, Node]]) -> Iterator[Sink]:
    if (sink.call, sink.argument) in seen:
        return
    seen.add((sink.call, sink.argument))
    value = sink.argument.origin
    if not isinstance(value.op, ops.Param):
        yield sink
        return
    expands = depth < _WRAPPERS
    callers = project.callers(value.code) if expands else ()
    passed = [(call, project.argument(call, value.code, value.op.index)) for call in callers]
    # What a caller unpacks, or hands over through something else, and what comes from further off, is told of here.
    told = expands and all(argument is not None for _, argument in passed)
    yield msgspec.structs.replace(sink, told=told)
    goal = ClientInput(project, kind)
    if goal.ends(Trace(project, goal), value, (), sink.call.value):
        return
    for call, argument in passed:
        if argument is not None and project.role(call.code.path) in _SERVING:
            doubts = (*sink.doubts, *(goal.doubts or ()))
            wrapped = Sink(call, argument, sink.name, None, sink.does or sink.call, sink.given, doubts)
            yield from _expanded(project, kind, wrapped, depth + 1, seen)


def flows(project: Project, kind: str, *more: str) -> Iterator[Flow]:
    """Each sink of these kinds that client input reaches unchecked, once, with the nearest source.

    A flow through a function that only hands its parameter on is told at the caller, who makes the text.
    """
    told: set[Node] = set()
    found = Flows(project, kind)
    for each in (kind, *more):
        for sink in sinks(project, each):
            if sink.call in told:
                continue
            flow = found.into(sink)
            if flow is not None:
                told.add(sink.call)
                yield flow


def into_parameter(sink: Sink) -> bool:
    """Whether the callers that pass the argument are told of in its place."""
    return sink.told if sink.told is not None else isinstance(sink.argument.origin.op, ops.Param)


class Flows:
    """How client input reaches sinks of a kind unchecked; what led nowhere from one is not asked again from another."""

    def __init__(self, project: Project, kind: str) -> None:
        self._project, self._kind = project, kind
        self._anything = ClientInput(project, kind)

    def into(self, sink: Sink) -> Flow | None:
        """How client input reaches a sink, if it does."""
        within = into_parameter(sink)
        asked = Trace(self._project, self._anything, within=within)
        reached = next(asked.origins(sink.argument, use=sink.call.value), None)
        if reached is None:
            return None
        # What was checked on the way is told of this one flow: it has a goal of its own.
        goal = ClientInput(self._project, self._kind)
        trace = Trace(self._project, goal, within=within)
        found = trace.origins(sink.argument, use=sink.call.value)
        origin = next(found, reached)
        if origin.stored:  # what comes straight from a client says more
            origin = next((other for other in found if not other.stored), origin)
        doubts = tuple(dict.fromkeys((*sink.doubts, *(goal.doubts or ()))))
        return Flow(sink.call, sink.argument, origin, sink.name, trace.visited, sink.does, doubts)
