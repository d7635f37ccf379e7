"""What could not be analysed: never silence, always a record."""

from __future__ import annotations

from typing import Literal

import msgspec

ProblemKind = Literal["unreadable", "unparsable", "too-large", "bound", "crash"]


class Problem(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """One thing that was not (wholly) analysed.

    ``unreadable``: the bytes or their encoding; ``unparsable``: the syntax; ``too-large``: over a limit;
    ``bound``: an analysis cut short; ``crash``: our own fault, the only kind that changes the exit code by itself.
    """

    path: str
    kind: ProblemKind
    message: str
    line: int = 0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a whole project, by whatever command: under its name, with what could not be analysed."""

    root_name: str = ""
    version: str = ""
    problems: tuple[Problem, ...] = ()
