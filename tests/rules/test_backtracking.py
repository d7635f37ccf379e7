"""Patterns that backtrack: what is said of them holds when the engine runs them, in a process that can be ended."""

from __future__ import annotations

import subprocess
import sys

import pytest

from backaudit.analyses.validation.backtracking import backtracking

_RUN = "import re, sys; re.compile(sys.argv[1]).match(sys.argv[2])"
_SECONDS = 2

SLOW = [
    (r"^(\w+\s?)*$", "a" * 60 + "!"),
    (r"^([a-z]+[-_]?)+$", "a" * 60 + "!"),
    (r"(a+)+b", "a" * 60),
    (r"(a*)*b", "a" * 60),
    (r"^(a|b|ab)*c", "ab" * 60),
    (r"^(?:a|aa)+$", "a" * 120 + "!"),
    (r"(.*)*x", "a" * 60),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 60),
]
QUICK = [
    (r"^\w+(\s\w+)*$", "a" * 5_000 + "!"),
    (r"^(\d+,)*\d+$", "1," * 5_000 + "!"),
    (r"(?:[^\"\\]|\\.)*\"", "a\\b" * 5_000),
    (r"^[\w.-]+@[\w.-]+\.\w+$", "a" * 5_000 + "!"),
    (r"(a+)+", "a" * 5_000 + "!"),
    (r"^#?([a-f0-9]{6}|[a-f0-9]{3})$", "f" * 5_000),
]


def _ends(pattern: str, text: str) -> bool:
    try:
        subprocess.run([sys.executable, "-c", _RUN, pattern, text], check=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


@pytest.mark.parametrize(("pattern", "text"), SLOW)
def test_slow_patterns_are_seen_and_do_not_end(pattern: str, text: str) -> None:
    found = backtracking(pattern, whole=False)
    assert found.exponential or found.power >= 3
    assert not _ends(pattern, text)


@pytest.mark.parametrize(("pattern", "text"), QUICK)
def test_quick_patterns_are_let_be_and_end(pattern: str, text: str) -> None:
    found = backtracking(pattern, whole=False)
    assert not found.exponential
    assert found.power < 3
    assert _ends(pattern, text)


@pytest.mark.parametrize("pattern", ["(", r"(a)\1+b", r"(?=a+)+b", "a{1,80}" * 40, r"(?>a+)+b"])
def test_what_has_no_automaton_is_let_be(pattern: str) -> None:
    assert not backtracking(pattern, whole=False).exponential


def test_a_match_of_the_whole_can_fail_at_the_end() -> None:
    assert not backtracking("(a|aa)+", whole=False).exponential
    assert backtracking("(a|aa)+", whole=True).exponential
