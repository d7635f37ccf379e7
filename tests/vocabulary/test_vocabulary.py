"""The books of words: each class holds the names it should and leaves alone those that only look like them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from backaudit.vocabulary import meaning as books

ROOT = Path(__file__).resolve().parents[2]
SUBJECTS = sorted(path.stem for path in (ROOT / "backaudit" / "vocabulary").glob("*.toml"))
CLASSES = [(subject, name) for subject in SUBJECTS for name in books.book(subject)]


@pytest.mark.parametrize(("subject", "name"), CLASSES, ids=[f"{subject}.{name}" for subject, name in CLASSES])
def test_a_class_holds_its_names_and_no_others(subject: str, name: str) -> None:
    found = books.meaning(subject, name)
    assert [text for text in found.entry.are if not found.holds(text)] == []
    assert [text for text in found.entry.are_not if found.holds(text)] == []
    assert len(found.entry.are) >= 2
    assert len(found.entry.are_not) >= 2
    assert found.entry.says


def _asked() -> set[tuple[str, str]]:
    """The classes that the code asks for, in whatever module."""
    found = set()
    for folder in ("backaudit", "rules"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "meaning":
                    found.add(tuple(ast.literal_eval(argument) for argument in node.args))
    return found


def test_every_class_is_asked_for_and_every_one_asked_for_is_there() -> None:
    assert _asked() == set(CLASSES)


def test_words_beside_it_cancel_what_a_name_says() -> None:
    entry = books.Entry(says="people", words="user", cancelled_by="agent")
    assert books.Meaning(entry).holds("app_user")
    assert not books.Meaning(entry).holds("user_agent")


def test_names_are_taken_as_written_and_patterns_whatever_the_case() -> None:
    names = books.Meaning(books.Entry(says="flags", names="is_admin"))
    assert (names.holds("is_admin"), names.holds("was_is_admin")) == (True, False)
    spelled = books.Meaning(books.Entry(says="x", spelled=("log_?in$",)))
    assert (spelled.holds("doLogin"), spelled.holds("login_page")) == (True, False)
