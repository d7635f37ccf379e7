"""The one place at which a fault of ours, or of a rule package, is caught: named, recorded, and the others go on."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backaudit.facts.problem import Problem


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
        if reraise:
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
