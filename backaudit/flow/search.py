"""What a search for the origins of a value is: what it looks for, what it knows, and what it found.

``trace`` runs a search; its steps back through operations, objects and calls are ``values``, ``heap``, ``invocation``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from backaudit.facts.ops import Value
from backaudit.flow.work import State
from backaudit.project import Code, Node, Project
from backaudit.project.nodes import Access
from backaudit.rule import Step

# Calls in each other that a search goes into.
MAX_CALLS = 12
TRIALS = ("test", "example")
Outlook: TypeAlias = "tuple[bool, Code | None]"


class Goal:
    """What a trace looks for. Subclasses name the sources, and what ends the search in vain.

    ``stored``: whether the search goes on from a row that is read to what was written into it: ``never``, ``always``,
    or where the text ``built`` with it is wanted (a whole statement that is kept in a table is meant to be one).
    """

    stored = "never"

    def vain(self, outlook: Outlook) -> set[State]:
        """What searches with this goal followed to its end in vain; the same for all that may go on alike."""
        kept: dict[Outlook, set[State]] = vars(self).setdefault("_vain", {})
        return kept.setdefault(outlook, set())

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        """What the value is, if it is what we look for (``the query string``)."""
        return None

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        """Whether nothing harmful can come through this value."""
        return False

    def parts(self, search: Search, node: Node, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """Of the pieces that ``node`` puts together to one text: those that matter."""
        return values

    def enters(self, search: Search, call: Node, code: Code) -> bool:
        """Whether to look into a function of the project, or take its name's word for it."""
        return True

    def through(self, search: Search, call: Node) -> Iterable[Node]:
        """For a call of something unknown: the values that its result is made of."""
        return ()


class Origin(msgspec.Struct, frozen=True):
    """A source that was found, and the steps from it to the use, cause first. ``stored``: over a row in a table."""

    node: Node
    what: str
    steps: tuple[Step, ...]
    stored: bool = False


class Search:
    """The project, the goal, and where the search may go on.

    ``within``: the search does not go on in the callers of the body where it starts.
    """

    def __init__(self, project: Project, goal: Goal, *, within: bool = False) -> None:
        self.project = project
        self.goal = goal
        self.models = project.models
        self._within = within
        self._ended: dict[tuple[Node, Access, Value], bool] = {}
        self._start: Code | None = None

    def ends(self, node: Node, access: Access, use: Value) -> bool:
        """As the goal says, asked once: a value is come to by as many stacks of calls as there are."""
        at = (node, access, use)
        known = self._ended.get(at)
        if known is None:
            known = self._ended[at] = self.goal.ends(self, node, access, use)
        return known

    def counts(self, code: Code) -> bool:
        """What tests do says nothing of what clients do: it counts only where a test itself is asked about."""
        return self.on_trial or code.file.role not in TRIALS

    @property
    def outlook(self) -> Outlook:
        """What of a search decides where it goes on, beside the state that it is in."""
        return self.on_trial, self._start if self._within else None

    @property
    def on_trial(self) -> bool:
        """Whether the search began in a test or an example."""
        return self._start is not None and self._start.file.role in TRIALS

    def callers_of(self, code: Code) -> list[Node]:
        """The calls in whose arguments the search goes on."""
        if self._within and code is self._start:
            return []
        return [call for call in self.project.callers(code) if self.counts(call.code)]

    def may_enter(self, calls: tuple[Node, ...], node: Node) -> bool:
        """Whether the search may go into one more call, from ``node``; that it may not is told."""
        if len(calls) < MAX_CALLS:
            return True
        self.project.not_asked(node.place, f"what this call does with a value, beyond {MAX_CALLS} calls in each other.")
        return False

    def entered(self, calls: tuple[Node, ...], call: Node, code: Code) -> tuple[Node, ...]:
        """The calls that were gone into when one more is, ``code`` by ``call``.

        Of functions that call each other in a circle only the call that led into it is remembered: there are as many
        ways round it as one likes.
        """
        circle = self.project.circle(code) if calls else None
        return calls if circle is not None and self.project.circle(call.code) is circle else (*calls, call)

    def bound(self, node: Node, steps: int) -> None:
        """Records that the search from ``node`` ended after ``steps`` steps."""
        self.project.not_asked(node.place, f"where else this value comes from, after {steps:,} steps.")
