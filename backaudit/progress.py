"""A progress bar on a terminal, for runs that take more than a moment."""

from __future__ import annotations

import time
from typing import TextIO

_DELAY = 0.5
_BETWEEN = 0.1
_WIDTH = 30


class Progress:
    """Called with (done, total); draws on ``stream``, and only if that is a terminal and some time has passed."""

    def __init__(self, stream: TextIO, *, enabled: bool = True) -> None:
        self._stream = stream
        self._enabled = enabled and stream.isatty()
        self._next = time.monotonic() + _DELAY
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        if not self._enabled or not total or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _BETWEEN
        filled = _WIDTH * done // total
        self._stream.write(f"\r[{'#' * filled}{'.' * (_WIDTH - filled)}] {done}/{total} files")
        self._stream.flush()
        self._drawn = True

    def clear(self) -> None:
        """Take the bar away, before anything else is written."""
        if self._drawn:
            self._stream.write("\r" + " " * (_WIDTH + 30) + "\r")
            self._stream.flush()
            self._drawn = False
