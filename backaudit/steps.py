"""What a rule asks is counted, and ended where it is too much: by steps, the same in every run, not by time."""

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
