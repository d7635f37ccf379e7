"""Classes of words, read from the books: one TOML file per subject, one section per class.

A section says what its names mean (``says``), by any of

``words``         words, one of which a name has (``user`` in ``app_user`` and ``UserModel``)
``phrases``       words that a name has together, whatever stands between them (``mot passe`` in ``mot_de_passe``)
``names``         whole names, as they are written
``spelled``       patterns, looked for in a name or a piece of code, whatever the case; ``as-written`` keeps the case
``cancelled-by``  words beside which a name says something else

and ``are`` and ``are-not``: names that are of the class, and names that look like it and are not. The tests hold each
class to them.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import resources
from itertools import chain
from typing import Any

import msgspec

from backaudit.toml import parse_toml

_PIECES = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W\dA-Z_]+|[A-Z]+|\d+")
# A stem that is written together with its neighbours: ``apassword``, ``userpasswd``, ``passwordhash``.
_STEM = re.compile(r"(passwords?|passwd|passwort|contrase[nñ]a|kennwort|wachtwoord)")
_NOTHING: re.Pattern[str] = re.compile(r"(?!)")


@lru_cache(maxsize=65536)
def words(name: str) -> tuple[str, ...]:
    """The words of an identifier or key: ``userPasswordHash`` as user, password, hash."""
    pieces = (piece.lower() for piece in _PIECES.findall(name))
    return tuple(filter(None, chain.from_iterable(map(_STEM.split, pieces))))


class Entry(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """A section of a book, as it is written there."""

    says: str
    words: str = ""
    phrases: tuple[str, ...] = ()
    names: str = ""
    spelled: tuple[str, ...] = ()
    as_written: bool = False
    cancelled_by: str = ""
    are: tuple[str, ...] = ()
    are_not: tuple[str, ...] = ()


class Meaning:
    """A class of words: asked whether a name is of it, and remembers what it answered."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.words = frozenset(entry.words.split())
        self.phrases = tuple(frozenset(phrase.split()) for phrase in entry.phrases)
        self.names = frozenset(entry.names.split())
        self._cancels = frozenset(entry.cancelled_by.split())
        case = 0 if entry.as_written else re.IGNORECASE
        self._pattern = re.compile("|".join(entry.spelled), case) if entry.spelled else _NOTHING
        self._answers: dict[str, bool] = {}

    def holds(self, name: str) -> bool:
        """Whether a name, or a piece of code, is of this class."""
        known = self._answers.get(name)
        if known is None:
            known = self._answers[name] = self._holds(name)
        return known

    def _holds(self, name: str) -> bool:
        parts = words(name) if self.words or self.phrases or self._cancels else ()
        if not self._cancels.isdisjoint(parts):
            return False
        if name in self.names or not self.words.isdisjoint(parts):
            return True
        return any(phrase.issubset(parts) for phrase in self.phrases) or bool(self._pattern.search(name))


@cache
def book(subject: str) -> dict[str, Entry]:
    """The classes of a book."""
    text = resources.files(__package__).joinpath(f"{subject}.toml").read_text(encoding="utf-8")
    data: dict[str, Any] = parse_toml(text)
    return msgspec.convert(data, dict[str, Entry])


@cache
def meaning(subject: str, name: str) -> Meaning:
    """A class of a book; KeyError when the code begins to run where there is none."""
    return Meaning(book(subject)[name])
