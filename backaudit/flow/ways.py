"""Which ways of a search led to a source, and which to nothing: those no search with the same goal goes again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.flow.work import MAX_ACCESS, State, Work


class Ways:
    """The states of a search, each with those it was reached from.

    ``seen``: what the search has looked at. ``vain``: the states from which no source is reached, known from earlier
    searches; those that this one finds are added at its first source, and at its end.
    """

    def __init__(self, seen: set[State], vain: set[State]) -> None:
        self.vain = vain
        self._seen = seen
        self._before: dict[State, list[State]] = {}
        self._sources: list[State] = []

    def on(self, state: State, found: Iterable[Work]) -> Iterator[tuple[State, Work]]:
        """Where the search goes on from a state: no further than a part of a part of a part …."""
        for work in found:
            if len(work.access) <= MAX_ACCESS:
                further = work.state
                self._before.setdefault(further, []).append(state)
                yield further, work

    def leads(self, state: State) -> None:
        """A source was found there; whoever asked may ask for no more."""
        self._sources.append(state)
        if len(self._sources) == 1:
            self.told()

    def told(self) -> None:
        """Keeps what leads neither to a source nor to what was not looked at."""
        waiting = (state for state in self._before if state not in self._seen and state not in self.vain)
        reaching = [*self._sources, *waiting]
        leading = set(reaching)
        while reaching:
            for state in self._before.get(reaching.pop(), ()):
                if state not in leading:
                    leading.add(state)
                    reaching.append(state)
        self.vain |= self._seen - leading
