"""What a rule asks is counted, and ended where it is too much: by steps, the same in every run, not by time.

What is computed once for all who ask is counted by itself: a rule's steps do not depend on what was asked before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Spent(Exception):
    """More steps were taken than are allowed."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


class Steps:
    """Counts questions about types, names, calls and callers, and the steps of traces."""

    __slots__ = ("_end", "_most", "taken")

    def __init__(self) -> None:
        self.taken = 0
        self._most = self._end = 1 << 62

    def take(self) -> None:
        """One more step."""
        self.taken += 1
        if self.taken > self._end:
            raise Spent(self._most)

    @contextmanager
    def at_most(self, most: int) -> Iterator[None]:
        """Within the block :class:`Spent` is raised where it takes more steps than ``most``."""
        before = self._most, self._end
        self._most, self._end = most, self.taken + most
        try:
            yield
        finally:
            self._most, self._end = before

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Within the block a count of its own begins, with the bound of the one around it, to which it adds nothing."""
        before = self.begin()
        try:
            yield
        finally:
            self.resume(before)

    def begin(self) -> tuple[int, int]:
        """As :meth:`apart`, where a block would cost too much; what it gives has to be handed to :meth:`resume`."""
        before = self.taken, self._end
        self._end = self.taken + self._most
        return before

    def resume(self, before: tuple[int, int]) -> None:
        """Goes on counting where :meth:`begin` left off."""
        self.taken, self._end = before
