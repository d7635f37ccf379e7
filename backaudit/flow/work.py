"""What a trace has still to look at: a value, the part of it that is wanted, and how it was reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

from backaudit.facts.ops import NONE, Value
from backaudit.facts.place import Place
from backaudit.project import Node
from backaudit.project.nodes import ANY, Access
from backaudit.rule import Assumed, Step, assume

KEY = "<key>"  # not what a mapping holds, but the keys under which it does

# A part of a part of a part …: only loops that wrap a value again and again come deeper.
MAX_ACCESS = 6

# What tells one thing to look at from others, however it was reached.
State: TypeAlias = "tuple[Node, Access, tuple[Node, ...], bool, Value, bool, bool]"

# The steps from a value to the use, the next one first, each with those behind it.
Steps: TypeAlias = "tuple[Step, Any] | None"


class Work(msgspec.Struct, frozen=True):
    """The part ``access`` of ``node`` is wanted, as it is where operation ``use`` takes it.

    ``calls``: the calls that the search has gone into and not yet left, the innermost last. ``built``: on its way to
    the use it becomes part of a text; ``stored``: it is kept in a table in between. ``picked``: the part is one of
    many, under a key that is computed; ``unsure``: a step on the way to the use supposes something.
    """

    node: Node
    access: Access
    use: Value
    calls: tuple[Node, ...] = ()
    steps: Steps = None
    built: bool = False
    stored: bool = False
    picked: bool = False
    unsure: bool = False

    @property
    def state(self) -> State:
        """All on which it depends where the search goes on from here."""
        return (self.node, self.access, self.calls, self.built, self.use, self.stored, self.picked)

    def to(self, value: Value, access: Access | None = None, step: Step | None = None) -> Iterator[Work]:
        """Another value of the same body, used here."""
        if value != NONE:
            yield self.at(self.node.to(value), self.access if access is None else access, self.node.value, step=step)

    def all(self, values: Any, access: Access | None = None) -> Iterator[Work]:
        """Several of them."""
        for value in values:
            yield from self.to(value, access)

    def at(
        self, node: Node, access: Access, use: Value, calls: tuple[Node, ...] | None = None, step: Step | None = None
    ) -> Work:
        """The same search at another value."""
        steps = self.steps if step is None else (step, self.steps)
        calls = self.calls if calls is None else calls
        return Work(node, access, use, calls, steps, self.built, self.stored, self.picked, self.unsure)

    def into_text(self) -> Work:
        """The same, on its way into a text."""
        return self if self.built else msgspec.structs.replace(self, built=True)

    def by_computed_key(self) -> Work:
        """The same, where the part that is wanted is one that a key picks which is not known."""
        return self if self.picked else msgspec.structs.replace(self, picked=True)

    def supposing(self, place: Place, text: str, supposed: Assumed) -> Work:
        """The same over a step that could not be read."""
        return msgspec.structs.replace(self, steps=(Step(place, text, supposed), self.steps), picked=False, unsure=True)

    def as_entry(self, name: object) -> Work:
        """The same for the entry of a mapping that is supposed to have this key."""
        return self.supposing(self.node.place, f"is `{name}` of it", assume("key", f"the key is `{name}`"))

    def elsewhere(self, node: Node, access: Access) -> Work:
        """The search goes on in another body, whoever runs it, with the state in which that leaves things."""
        return self.at(node, access, end(node), ())

    def told(self, last: Step) -> tuple[Step, ...]:
        """All steps, ``last`` first."""
        found, rest = [last], self.steps
        while rest is not None:
            step, rest = rest
            found.append(step)
        return tuple(found)


def end(node: Node) -> Value:
    """A use after everything in the body: closures and importers see its last state."""
    return len(node.code.ops)


def within(path: Access, access: Access) -> Access | None:
    """What is wanted of the part ``path`` of an object of which ``access`` is wanted; None if nothing is."""
    for part, wanted in zip(path, access, strict=False):
        if part != wanted and ANY not in (part, wanted):
            return None
    return access[len(path) :]
