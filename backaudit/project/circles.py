"""Walks over definitions that may lead back to where they began (``LIMIT = LIMIT * 2`` after a star import)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

WalkT = TypeVar("WalkT", bound=Callable[..., Any])


def cut_circles(otherwise: Any = None, *, remembered: bool = False) -> Callable[[WalkT], WalkT]:
    """For a function ``(project, node, ...)`` that calls itself: where it meets itself it gives ``otherwise``.

    A generator gives nothing more there, and is run to its end at once. ``remembered``: what was found without meeting
    itself is kept for whoever asks the same.
    """

    def wrap(walk: WalkT) -> WalkT:
        many = inspect.isgeneratorfunction(walk)

        @wraps(walk)
        def guarded(project: Any, node: Any, *rest: Any, **named: Any) -> Any:
            step = (walk, node)
            if step in project.walking:
                project.cuts += 1
                return iter(()) if many else otherwise
            project.walking.add(step)
            try:
                found = walk(project, node, *rest, **named)
                return iter(tuple(found)) if many else found
            finally:
                project.walking.discard(step)

        @wraps(walk)
        def kept(project: Any, node: Any, *rest: Any) -> Any:
            return project.uncut((walk, node, *rest), lambda: guarded(project, node, *rest))

        return kept if remembered else guarded  # type: ignore[return-value]

    return wrap
