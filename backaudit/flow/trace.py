"""Follows a value backwards to where it comes from, through the whole project.

A trace starts at a use (what a query, a store or a response is given) and walks the definitions: bindings, joins,
elements and attributes, arguments of callers, results of callees. It is demand-driven, so code that reaches no use
costs nothing. An *access path* says which part of a value is wanted: behind ``d["a"]`` only what was stored under
``"a"`` is followed. Going into a callee remembers the call, so that its parameters lead back to that call alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from backaudit.facts.ops import Value
from backaudit.flow import heap, values
from backaudit.flow.contents import certain
from backaudit.flow.search import Goal, Origin, Search
from backaudit.flow.ways import Ways
from backaudit.flow.work import KEY, State, Work
from backaudit.project import Node, Project
from backaudit.project.nodes import ANY, Access
from backaudit.rule import Step

_MAX_STEPS = 12_000
# So much of a state says which source it is; the rest, how it was come to.
_SAME_SOURCE = 4
_Met: TypeAlias = 'tuple[Literal["end", "overwritten", "source", "open"], str | None]'


class Trace(Search):
    """One search, run. ``origins`` runs it to the first sources; what is visited once is not visited again.

    Ways on which something is supposed are gone after all others: what is known says more than what is near. Ways that
    an earlier search with the same goal followed to their end in vain are not gone again.
    """

    def __init__(self, project: Project, goal: Goal, *, within: bool = False) -> None:
        super().__init__(project, goal, within=within)
        self._seen: set[State] = set()
        self._known: dict[tuple[Node, Access, Value], _Met] = {}

    def origins(self, node: Node, access: Access = (), use: Value | None = None) -> Iterator[Origin]:
        """The sources that reach ``node`` where operation ``use`` takes it, nearest first in breadth."""
        first = Work(node, access, node.value if use is None else use)
        queue = deque([(first.state, first)])
        unsure: deque[tuple[State, Work]] = deque()
        self._start = node.code
        ways = Ways(self._seen, self.goal.vain(self.outlook))
        told: set[tuple[object, ...]] = set()
        done = 0
        while queue or unsure:
            state, work = queue.popleft() if queue else unsure.popleft()
            if state in self._seen or state in ways.vain:
                continue
            self._seen.add(state)
            self.project.steps.take()
            done += 1
            if done > _MAX_STEPS:
                self.bound(node, _MAX_STEPS)
                break
            met, what = self._met(work)
            if met == "end":
                continue
            if met == "overwritten":
                self._wait(ways.on(state, heap.stored(self, work)), queue, unsure)
            elif what is None:
                self._wait(ways.on(state, values.back(self, work)), queue, unsure)
            else:
                ways.leads(state)
                if state[:_SAME_SOURCE] in told:
                    continue
                told.add(state[:_SAME_SOURCE])
                yield Origin(work.node, what, work.told(Step(work.node.place, what)), work.stored)
        ways.told()

    def _met(self, work: Work) -> _Met:
        """What a part of a value is to the goal; whatever the calls were by which the search has come to it."""
        at = (work.node, work.access, work.use)
        known = self._known.get(at)
        if known is not None:
            return known
        if self.ends(*at):
            found: _Met = ("end", None)
        elif heap.overwritten(work):
            found = ("overwritten", None)
        else:
            what = self.goal.source(self, work.node, work.access)
            if what is not None:
                return "source", what  # a goal may note each that it tells
            found = ("open", None)
        self._known[at] = found
        return found

    def _wait(
        self,
        found: Iterable[tuple[State, Work]],
        queue: deque[tuple[State, Work]],
        unsure: deque[tuple[State, Work]],
    ) -> None:
        for state, work in found:
            (unsure if work.unsure else queue).append((state, work))

    @property
    def visited(self) -> frozenset[Node]:
        """The values that the search has looked at."""
        return frozenset(node for node, *_ in self._seen)


__all__ = ["ANY", "KEY", "Access", "Goal", "Origin", "Trace", "certain"]
