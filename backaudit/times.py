"""What a run took: the stages by the clock, the rules by their processor time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# Below this nothing is worth a line.
_LEAST = 0.005


class Times:
    """Seconds by stage and by rule. A stage within another counts for itself alone."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self.rules: dict[str, float] = {}
        self._within: list[float] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what runs here for a stage."""
        self._within.append(0.0)
        start = time.perf_counter()
        try:
            yield
        finally:
            whole = time.perf_counter() - start
            inner = self._within.pop()
            self.stages[name] = self.stages.get(name, 0.0) + whole - inner
            if self._within:
                self._within[-1] += whole

    def told(self) -> Iterator[str]:
        """The stages in the order of a run, then the rules, the dearest first."""
        for name, seconds in self.stages.items():
            yield _line(seconds, name)
        if not self.rules:
            yield "No rule was asked: the result was kept from an earlier run (see --no-cache)."
            return
        yield "of the rules, in processor time; the first to ask pays for what all of them build on:"
        yield from (_line(seconds, name) for name, seconds in _dearest(self.rules) if seconds >= _LEAST)


def _dearest(rules: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(rules.items(), key=lambda item: (-item[1], item[0]))


def _line(seconds: float, name: str) -> str:
    return f"{seconds:8.2f} s  {name}"
