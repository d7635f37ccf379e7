"""GitHub's primaryLocationLineHash, against the vectors of its own tests."""

from __future__ import annotations

import pytest

from backaudit.linehash import line_hashes


def hashes(text: str, *lines: int) -> list[str]:
    found = line_hashes(text, lines)
    return [found[line][0] for line in lines]


def test_the_empty_file() -> None:
    assert hashes("", 1) == ["c129715d7a2bc9a3:1"]


@pytest.mark.parametrize("text", [" a\nb\n  \t\tc\n d", " a\r\nb\r\n  \t\tc\r\n d", " a\rb\r  \t\tc\r d"])
def test_githubs_vector_whatever_the_line_ends(text: str) -> None:
    wanted = ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]
    assert hashes(text, 1, 2, 3, 4) == wanted


def test_equal_windows_are_told_apart_by_occurrence() -> None:
    block = "x = 1\n" + "y" * 120 + "\n"
    first, second = hashes(block * 2, 1, 3)
    assert first.removesuffix(":1") == second.removesuffix(":2")


def test_only_the_window_counts() -> None:
    window = "a" * 100
    assert hashes(window + "b\n", 1) == hashes(window + "c\n", 1)
    assert hashes(window[:-1] + "b\n", 1) != hashes(window[:-1] + "c\n", 1)


def test_the_last_line_a_hash_depends_on_is_told() -> None:
    assert line_hashes("a\nb\nc\n", [1])[1][1] == 4
    assert line_hashes("a" * 200 + "\nb\n", [1])[1][1] == 1


def test_characters_outside_the_basic_plane_are_two_units() -> None:
    assert hashes("😀" * 50 + "x", 1) == hashes("😀" * 50 + "y", 1)


def test_a_line_that_is_not_there_has_none() -> None:
    assert line_hashes("a\n", [99]) == {}
