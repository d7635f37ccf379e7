"""How far a run is: counts, the rate, what is left at this rate, and what takes longest now."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from backaudit.fleet.records import Outcome
from backaudit.report.visible import visible_name

_ON_A_TERMINAL = 0.5
_IN_A_LOG = 30.0
_MOST_NAME = 40


class Progress:
    """Draws one line on a terminal, and writes one now and then to a log."""

    def __init__(self, stream: TextIO, *, enabled: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._enabled, self._clock = stream, enabled, clock
        self._is_terminal = stream.isatty()
        self._running: dict[str, float] = {}
        self._counts = {"ok": 0, "unchanged": 0, "empty": 0, "failed": 0}
        self._findings = 0
        self._total = 0
        self._began = self._next = clock()

    def begin(self, total: int, resumed: bool) -> None:
        """A run of so many repositories begins."""
        self._total = total
        self._began = self._clock()
        self._next = self._began + (_ON_A_TERMINAL if self._is_terminal else _IN_A_LOG)
        if resumed:
            self._write("the last run was not finished: it is gone on with\n")

    def started(self, name: str) -> None:
        """A worker has begun with a repository."""
        self._running[name] = self._clock()

    def done(self, name: str, outcome: Outcome) -> None:
        """A repository has come back."""
        self._running.pop(name, None)
        self._counts[outcome.status] += 1
        self._findings += len(outcome.findings)
        if outcome.status == "failed":
            self._clear()
            self._write(f"{visible_name(name)}: {visible_name(outcome.reason)}\n")

    def tick(self) -> None:
        """Show how far it is, if it is time to."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + (_ON_A_TERMINAL if self._is_terminal else _IN_A_LOG)
        self._clear()
        self._write(self.line() + ("" if self._is_terminal else "\n"))

    def end(self) -> None:
        """Take the line away."""
        self._clear()

    def line(self) -> str:
        """The whole of it in a line."""
        done = sum(self._counts.values())
        minutes = (self._clock() - self._began) / 60
        parts = [f"{done:,}/{self._total:,}"]
        parts += [f"{number:,} {status}" for status, number in self._counts.items() if number and status != "ok"]
        parts.append(f"{self._findings:,} findings")
        if done and minutes > 0:
            parts.append(f"{done / minutes:,.0f} a minute")
            parts.append(f"{_duration((self._total - done) * minutes / done)} left")
        if self._running:
            name, began = min(list(self._running.items()), key=lambda item: item[1])
            parts.append(f"slowest now: {visible_name(name)[:_MOST_NAME]} ({self._clock() - began:.0f} s)")
        return ", ".join(parts)

    def _clear(self) -> None:
        if self._is_terminal and self._enabled:
            self._stream.write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if self._enabled:
            self._stream.write(text if self._is_terminal and not text.endswith("\n") else f"backaudit: {text}")
            self._stream.flush()


def on_standard_error(*, quiet: bool) -> Progress:
    """What the command shows."""
    return Progress(sys.stderr, enabled=not quiet)


def _duration(minutes: float) -> str:
    if minutes < 1:
        return "less than a minute"
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
