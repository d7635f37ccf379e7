"""The one place at which a fault of ours, or of a rule package, is caught: named, recorded, and the others go on."""

from __future__ import annotations

import errno
import os
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backaudit.facts.problem import Problem


# Signals that ask a process to end, where there are such.
ENDING = tuple(signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if name in signal.Signals.__members__)
_SCARCE = frozenset(
    getattr(errno, name, -1) for name in ("EMFILE", "ENFILE", "ENOSPC", "EDQUOT", "ENOMEM", "EAGAIN", "EPIPE", "EFBIG")
)


class Terminated(BaseException):
    """The process was asked to end: what is temporary is cleared away on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def is_scarcity(error: BaseException) -> bool:
    """Whether the machine lacks something (descriptors, memory, room), which is no fault of whoever asked for it."""
    return isinstance(error, OSError) and error.errno in _SCARCE


@contextmanager
def contained(
    problems: list[Problem], what: str, *, path: str = "", rest: str = "", reraise: bool = False
) -> Iterator[None]:
    """Turn an exception of the block into a ``crash`` Problem; ``reraise`` is for tests, which must not pass over one.

    ``what`` names who failed, ``rest`` says in a sentence what is missing because of it. The exception's own text is
    left out: it may quote the scanned code, and so a secret.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        if reraise or is_scarcity(error):
            raise
        from backaudit.facts.problem import Problem  # a command that does not crash need not load it

        problems.append(Problem(path, "crash", f"{what} failed ({describe(error)}). {rest}".rstrip()))


def describe(error: BaseException) -> str:
    """An exception by its type and the innermost line of code that it came from, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    name = type(error).__name__
    if not frames:
        return name
    return f"{name} at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}"
