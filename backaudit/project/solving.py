"""Answers to questions that ask each other, each found once, in whatever order they are asked.

An answer that depends on itself (``self.query = self.query.filter(…)``) is the least that holds: everything on such a
circle starts from nothing and is asked again until nothing changes. A circle is worked off in the order of its
questions, not of who asked, so that the answers are the same whoever was first.

Chains may be longer than Python nests calls: below ``_DEPTH`` a question is put off, and those that wait for it are
asked again when it has its answer. So each is computed a small number of times, circles and depth included.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from backaudit.steps import Steps

KeyT = TypeVar("KeyT", bound=Hashable)
ItemT = TypeVar("ItemT")

_DEPTH = 24
# How often a question of a circle is asked before its answer is taken as it is: answers are small sets that grow, so
# one that still changes then swings for ever.
_ROUNDS = 24


class Solver(Generic[KeyT, ItemT]):
    """The questions of one kind: ``compute`` answers one, asking others; ``order`` tells which stands first.

    An answer is a tuple of what holds, and more of what it is made of never makes it less. ``budget`` counts what each
    takes apart from whoever asks first.
    """

    def __init__(
        self, compute: Callable[[KeyT], tuple[ItemT, ...]], order: Callable[[KeyT], Any], budget: Steps | None = None
    ) -> None:
        self._compute = compute
        self._order = order
        self._budget = budget or Steps()
        self.known: dict[KeyT, tuple[ItemT, ...]] = {}
        self.guesses = 0  # how often an answer was given that may still change
        self.steps = 0  # how often something was computed
        self._stack: list[KeyT] = []  # what is being answered, outermost first
        self._guess: dict[KeyT, tuple[ItemT, ...]] = {}
        self._number: dict[KeyT, int] = {}  # of guesses: as they came up, or as a circle is worked off
        self._stale: dict[KeyT, None] = {}  # guesses that were put off, or made of one that has changed
        self._reads: dict[KeyT, dict[KeyT, None]] = {}  # the guesses that an answer was made of
        self._readers: dict[KeyT, dict[KeyT, None]] = {}

    def ask(self, key: KeyT) -> tuple[ItemT, ...]:
        """The answer; inside of a circle that is not closed yet what is known of it so far."""
        found = self.known.get(key)
        if found is not None:
            return found
        if key not in self._guess:
            self._first(key)
            if key in self.known:
                return self.known[key]
        self.guesses += 1
        reader = self._stack[-1]
        self._reads.setdefault(reader, {})[key] = None
        self._readers.setdefault(key, {})[reader] = None
        return self._guess[key]

    def _first(self, key: KeyT) -> None:
        self._guess[key] = ()
        self._number[key] = len(self._number)
        if len(self._stack) >= _DEPTH:
            self._stale[key] = None
            return
        if self._stack:
            self._evaluate(key)
            return
        try:
            self._evaluate(key)
            self._settle()
        except BaseException:
            # A fault, or the end of the time for it: no guess may stay.
            self._forget()
            raise

    def _evaluate(self, key: KeyT) -> None:
        """Compute an answer from what is known now; if nothing in it is a guess it is known too."""
        self._reads.pop(key, None)
        self.steps += 1
        self._stack.append(key)
        before = self._budget.begin()
        try:
            found = self._compute(key)
        finally:
            self._budget.resume(before)
            self._stack.pop()
        changed = found != self._guess[key] and not _are_alike(found, self._guess[key])
        if key in self._reads:
            self._guess[key] = found
        else:
            self.known[key] = found
            del self._guess[key]
        if changed:
            self._stale.update((reader, None) for reader in self._readers.get(key, ()) if reader in self._guess)

    def _forget(self) -> None:
        for table in (self._guess, self._number, self._stale, self._reads, self._readers):
            table.clear()

    # -- circles and depth -----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Nobody is being answered: ask what was put off and all that waits for it, then close every circle."""
        if self._guess:
            self._iterate(last_first=True)
            for circle in strongly_connected(self._guess, self._guessed):
                self._close(circle)
        self._forget()

    def _guessed(self, key: KeyT) -> Iterator[KeyT]:
        return (other for other in self._reads.get(key, ()) if other in self._guess)

    def _iterate(self, *, last_first: bool) -> None:
        """Ask what is stale until nothing is."""
        sign = -1 if last_first else 1
        asked: dict[KeyT, int] = {}
        waiting: dict[int, KeyT] = {}
        heap: list[int] = []
        while self._stale or heap:
            for key in self._stale:
                # While a circle is closed those that only read it have no number: their turn comes.
                at = sign * self._number.get(key, 0)
                if at not in waiting and key in self._number:
                    waiting[at] = key
                    heapq.heappush(heap, at)
            self._stale.clear()
            if not heap:
                return
            key = waiting.pop(heapq.heappop(heap))
            asked[key] = asked.get(key, 0) + 1
            if key in self._guess and asked[key] <= _ROUNDS:
                self._evaluate(key)

    def _close(self, circle: list[KeyT]) -> None:
        """Answer one strongly connected part for good; all that it depends on is known by now."""
        circle = [key for key in circle if key in self._guess]
        if len(circle) > 1:
            circle = list(_depth_first(min(circle, key=self._order), set(circle), self._reads))
            self._guess.update(dict.fromkeys(circle, ()))
        self._number = {key: at for at, key in enumerate(circle)}
        self._stale = dict.fromkeys(circle)
        self._iterate(last_first=False)
        for key in self._number:
            if key in self._guess:
                self.known[key] = self._guess.pop(key)


def _are_alike(one: tuple[ItemT, ...], other: tuple[ItemT, ...]) -> bool:
    """Whether two answers hold the same, in whatever order."""
    return len(one) == len(other) and all(item in other for item in one)


def _depth_first(start: KeyT, among: set[KeyT], reads: dict[KeyT, dict[KeyT, None]]) -> Iterator[KeyT]:
    """What is reached from ``start``, each after what it depends on."""
    seen = {start}
    path = [(start, iter(reads.get(start, ())))]
    while path:
        key, rest = path[-1]
        following = next((other for other in rest if other in among and other not in seen), None)
        if following is None:
            path.pop()
            yield key
        else:
            seen.add(following)
            path.append((following, iter(reads.get(following, ()))))


def strongly_connected(keys: Iterable[KeyT], below: Callable[[KeyT], Iterator[KeyT]]) -> list[list[KeyT]]:
    """The parts in which each key leads to each, those that others lead to first (Tarjan, without recursion)."""
    number: dict[KeyT, int] = {}
    low: dict[KeyT, int] = {}
    pending: dict[KeyT, None] = {}
    parts: list[list[KeyT]] = []
    path: list[tuple[KeyT, Iterator[KeyT]]] = []

    def enter(key: KeyT) -> None:
        number[key] = low[key] = len(number)
        pending[key] = None
        path.append((key, below(key)))

    def leave(key: KeyT) -> None:
        path.pop()
        if path:
            low[path[-1][0]] = min(low[path[-1][0]], low[key])
        if low[key] == number[key]:
            parts.append([])
            while not parts[-1] or parts[-1][-1] != key:
                parts[-1].append(pending.popitem()[0])

    for start in list(keys):
        if start not in number:
            enter(start)
        while path:
            key, rest = path[-1]
            for other in rest:
                if other not in number:
                    enter(other)
                    break
                if other in pending:
                    low[key] = min(low[key], number[other])
            else:
                leave(key)
    return parts
