"""Sinks that client input reaches: the question of every injection rule."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.flow.labels import ClientInput
from backaudit.flow.trace import Origin, Trace
from backaudit.project import Node, Project
from backaudit.rule import Step


class Flow(msgspec.Struct, frozen=True):
    """Client input on its way into ``argument`` of the call ``sink``."""

    sink: Node
    argument: Node
    origin: Origin

    def trace(self, what: str) -> tuple[Step, ...]:
        """The steps from the source to the sink; ``what`` says what happens there."""
        return (*self.origin.steps, Step(self.sink.place, what))


def sink_calls(project: Project, kind: str) -> Iterator[tuple[Node, list[Node]]]:
    """Calls that do harm with text, and the arguments that matter, in code that serves (no tests, no migrations)."""
    table = project.models.sinks.get(kind, {})
    seen: set[Node] = set()
    for name in sorted(table):
        for call in project.calls(name):
            if call in seen or project.role(call.code.path) not in ("production", "script"):
                continue
            seen.add(call)
            found = [_argument(call, argument) for argument in table[name]]
            yield call, [node for node in found if node is not None]


def _argument(call: Node, argument: int | str) -> Node | None:
    if argument == "self":
        return call.receiver
    return call.arg(argument, None) if isinstance(argument, int) else call.arg(None, argument)


def flows(project: Project, kind: str) -> Iterator[Flow]:
    """Each sink of a kind that client input reaches unchecked, once, with the nearest source."""
    for call, arguments in sink_calls(project, kind):
        for argument in arguments:
            origin = next(Trace(project, ClientInput(project, kind)).origins(argument), None)
            if origin is not None:
                yield Flow(call, argument, origin)
                break
