"""What a run took: the stages by the clock, the rules and the queries that they share by their processor time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

# Below this nothing is worth a line.
_LEAST = 0.005
# So many queries are told, the dearest first.
_MOST_QUERIES = 40


class Times:
    """Seconds by stage and by rule. A stage within another counts for itself alone."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self.rules: dict[str, float] = {}
        self.queries: dict[str, float] = {}
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
        yield "of the queries that the rules ask, in processor time, each without those that it asks itself:"
        dearest = _dearest(self.queries)[:_MOST_QUERIES]
        yield from (_line(seconds, name) for name, seconds in dearest if seconds >= _LEAST)


class QueryClock:
    """The processor time of queries, each without those that it asks itself."""

    def __init__(self) -> None:
        self._seconds: dict[Callable[..., Any], float] = {}
        self._within: list[float] = []

    @contextmanager
    def watch(self, query: Callable[..., Any]) -> Iterator[None]:
        """Count what runs here for a query."""
        self._within.append(0.0)
        start = time.process_time()
        try:
            yield
        finally:
            whole = time.process_time() - start
            inner = self._within.pop()
            self._seconds[query] = self._seconds.get(query, 0.0) + whole - inner
            if self._within:
                self._within[-1] += whole

    def taken(self) -> dict[str, float]:
        """What was counted since this was asked last, by the queries' names."""
        found: dict[str, float] = {}
        for query, seconds in self._seconds.items():
            add(found, {_name(query): seconds})
        self._seconds.clear()
        return found


def add(sums: dict[str, float], more: Mapping[str, float]) -> None:
    """Count seconds with those that were counted before, name by name."""
    for name, seconds in more.items():
        sums[name] = sums.get(name, 0.0) + seconds


def _name(query: Callable[..., Any]) -> str:
    module = getattr(query, "__module__", "").removeprefix("backaudit.")
    return f"{module}.{getattr(query, '__qualname__', repr(query))}"


def _dearest(rules: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(rules.items(), key=lambda item: (-item[1], item[0]))


def _line(seconds: float, name: str) -> str:
    return f"{seconds:8.2f} s  {name}"
