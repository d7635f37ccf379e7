"""Follows a value backwards to where it comes from, through the whole project.

A trace starts at a use (what a query, a store or a response is given) and walks the definitions: bindings, joins,
elements and attributes, arguments of callers, results of callees. It is demand-driven, so code that reaches no use
costs nothing. An *access path* says which part of a value is wanted: behind ``d["a"]`` only what was stored under
``"a"`` is followed. Going into a callee remembers the call, so that its parameters lead back to that call alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from backaudit.facts.ops import Value
from backaudit.facts.problem import Problem
from backaudit.flow import heap, values
from backaudit.flow.contents import certain
from backaudit.flow.work import KEY, Work
from backaudit.project import Code, Node, Project
from backaudit.project.code import ANY, Access
from backaudit.rule import Step

_TRIALS = ("test", "example")

_MAX_STEPS = 12_000


class Goal:
    """What a trace looks for. Subclasses name the sources, and what ends the search in vain.

    ``stored``: whether the search goes on from a row that is read to what was written into it: ``never``, ``always``,
    or where the text ``built`` with it is wanted (a whole statement that is kept in a table is meant to be one).
    """

    stored = "never"

    def source(self, trace: Trace, node: Node, access: Access) -> str | None:
        """What the value is, if it is what we look for (``the query string``)."""
        return None

    def ends(self, trace: Trace, node: Node, access: Access, use: Value) -> bool:
        """Whether nothing harmful can come through this value."""
        return False

    def parts(self, trace: Trace, node: Node, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """Of the pieces that ``node`` puts together to one text: those that matter."""
        return values

    def enters(self, trace: Trace, call: Node, code: Code) -> bool:
        """Whether to look into a function of the project, or take its name's word for it."""
        return True

    def through(self, trace: Trace, call: Node) -> Iterable[Node]:
        """For a call of something unknown: the values that its result is made of."""
        return ()


class Origin(msgspec.Struct, frozen=True):
    """A source that was found, and the steps from it to the use, cause first. ``stored``: over a row in a table."""

    node: Node
    what: str
    steps: tuple[Step, ...]
    stored: bool = False


class Trace:
    """One search. ``origins`` runs it to the first sources; what is visited once is not visited again.

    ``within``: the search does not go on in the callers of the body where it starts.
    """

    def __init__(self, project: Project, goal: Goal, *, within: bool = False) -> None:
        self.project = project
        self.goal = goal
        self.models = project.models
        self._within = within
        self._start: Code | None = None
        self._seen: set[tuple[Node, Access, tuple[Node, ...], bool]] = set()

    def origins(self, node: Node, access: Access = (), use: Value | None = None) -> Iterator[Origin]:
        """The sources that reach ``node`` where operation ``use`` takes it, nearest first in breadth."""
        queue = deque([Work(node, access, node.value if use is None else use)])
        self._start = node.code
        done = 0
        while queue:
            work = queue.popleft()
            key = (work.node, work.access, work.calls, work.built)
            if key in self._seen:
                continue
            self._seen.add(key)
            done += 1
            if done > _MAX_STEPS:
                self._bound(node)
                return
            if self.goal.ends(self, work.node, work.access, work.use):
                continue
            if heap.overwritten(work):
                queue.extend(heap.stored(self, work))
                continue
            what = self.goal.source(self, work.node, work.access)
            if what is not None:
                yield Origin(work.node, what, work.told(Step(work.node.place, what)), work.stored)
            else:
                queue.extend(values.back(self, work))

    @property
    def visited(self) -> frozenset[Node]:
        """The values that the search has looked at."""
        return frozenset(node for node, *_ in self._seen)

    def counts(self, code: Code) -> bool:
        """What tests do says nothing of what clients do: it counts only where a test itself is asked about."""
        return code.file.role not in _TRIALS or (self._start is not None and self._start.file.role in _TRIALS)

    def callers_of(self, code: Code) -> list[Node]:
        """The calls in whose arguments the search goes on."""
        if self._within and code is self._start:
            return []
        return [call for call in self.project.callers(code) if self.counts(call.code)]

    def _bound(self, node: Node) -> None:
        problem = Problem(
            node.place.path, "bound", f"A trace was cut short after {_MAX_STEPS} steps.", node.place.span.line
        )
        if problem not in self.project.bounds:
            self.project.bounds.append(problem)


__all__ = ["ANY", "KEY", "Access", "Goal", "Origin", "Trace", "certain"]
