"""Each of several things once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def distinct(found: Iterable[T], key: Callable[[T], Hashable]) -> Iterator[T]:
    """The first of the things that have the same key, as they come."""
    seen: set[Hashable] = set()
    for one in found:
        known = key(one)
        if known not in seen:
            seen.add(known)
            yield one
