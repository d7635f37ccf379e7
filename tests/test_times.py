"""What ``--profile`` tells of queries: each with its own time, without that of what it asks."""

from __future__ import annotations

import time

import pytest

from backaudit.times import QueryClock


def outer() -> None:
    """Stands for a query that asks another."""


def inner() -> None:
    """Stands for the other."""


def test_a_query_counts_without_those_that_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 1.0, 4.0, 6.0, 10.0, 11.0])
    monkeypatch.setattr(time, "process_time", lambda: next(now))
    clock = QueryClock()
    with clock.watch(outer), clock.watch(inner):
        pass
    with clock.watch(inner):
        pass
    assert clock.taken() == {f"{__name__}.outer": 3.0, f"{__name__}.inner": 4.0}
    assert clock.taken() == {}


def test_a_query_that_fails_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 2.0])
    monkeypatch.setattr(time, "process_time", lambda: next(now))
    clock = QueryClock()
    with pytest.raises(ValueError, match="no"), clock.watch(outer):
        raise ValueError("no")
    assert clock.taken() == {f"{__name__}.outer": 2.0}
