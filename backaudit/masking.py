"""Keeps secrets inside: what a finding calls a secret appears in no text that leaves the tool.

The mask shows no character and has one length, so that nothing can be told from it.
"""

from __future__ import annotations

import html
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from urllib.parse import quote, unquote

from backaudit.facts.place import Place, Span
from backaudit.vocabulary.guessing import is_word

MASK = "•" * 8

_OPENING = re.compile(r"[A-Za-z]{0,2}(\"\"\"|'''|\"|')")
# From these lengths on a value is looked for everywhere; a shorter one, which may be an ordinary word, in quotes only.
_TELLING = 8
_TELLING_WORD = 12
_BOUNDED = 4


class Masks:
    """The secrets of a whole run: where they stand, and what they are.

    ``lines_of`` gives the lines of a file, without their ends; an unknown path has none.
    """

    def __init__(self, secrets: Iterable[Place], lines_of: Callable[[str], Sequence[str]]) -> None:
        self._by_line: dict[tuple[str, int], list[tuple[int, int]]] = {}
        self._values: set[str] = set()
        self._words: dict[str, set[str]] = {}
        for place in sorted(set(secrets)):
            self._note(place, lines_of(place.path))

    def touches(self, path: str, first: int, last: int) -> bool:
        """Whether a secret stands on one of the lines ``first`` to ``last``."""
        lines = self._lines_of_path.get(path, [])
        at = bisect_left(lines, first)
        return at < len(lines) and lines[at] <= last

    def line(
        self, path: str, number: int, text: str, mark: tuple[int, int] | None = None
    ) -> tuple[str, tuple[int, int] | None]:
        """A line of code with its secrets masked, and where ``mark`` has moved to by that."""
        for start, end in reversed(self._by_line.get((path, number), ())):
            text = text[:start] + MASK + text[end:]
            mark = _moved(mark, start, end, start + len(MASK))
        # A word counts in its own file alone: elsewhere something else may be called like it.
        for pattern in (self._telling, _any_of(self._words.get(path, ()))):
            for match in reversed(list(pattern.finditer(text)) if pattern else ()):
                start, end = match.span()
                text = text[:start] + MASK + text[end:]
                mark = _moved(mark, start, end, start + len(MASK))
        return text, mark

    def text(self, text: str) -> str:
        """Running text with every secret of the run masked in it; a word that anybody would try first hides nothing."""
        return self._said.sub(MASK, text) if self._said else text

    def hides_in(self, text: str) -> bool:
        return bool(self._pattern and self._pattern.search(text))

    def _note(self, place: Place, lines: Sequence[str]) -> None:
        for number, start, end in _pieces(place.span, lines):
            if end > start:
                self._add_range(place.path, number, start, end)
                value = lines[number - 1][start:end]
                self._values.add(value)
                if _is_word(value):
                    self._words.setdefault(place.path, set()).add(value)

    def _add_range(self, path: str, number: int, start: int, end: int) -> None:
        """Ranges of a line are kept sorted and apart: overlapping ones become one."""
        ranges = self._by_line.setdefault((path, number), [])
        merged = []
        for other in ranges:
            if other[0] < end and start < other[1]:
                start, end = min(start, other[0]), max(end, other[1])
            else:
                merged.append(other)
        self._by_line[(path, number)] = sorted([*merged, (start, end)])

    @cached_property
    def _lines_of_path(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for path, number in sorted(self._by_line):
            found.setdefault(path, []).append(number)
        return found

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        """Every value, for code that is proposed."""
        return _any_of(self._values)

    @cached_property
    def _said(self) -> re.Pattern[str] | None:
        """What could be a secret, for running text: a message also names fields that are called ``password``."""
        return _any_of({value for value in self._values if not _is_guessed(value)})

    @cached_property
    def _telling(self) -> re.Pattern[str] | None:
        """What is no ordinary word, for code: a service may be called like its password, which stands masked itself."""
        return _any_of({value for value in self._values if not _is_word(value)})


def _any_of(values: Iterable[str]) -> re.Pattern[str] | None:
    forms = {form for value in filter(str.strip, values) for form in _forms(value)}
    parts = [_value_pattern(form) for form in sorted(forms, key=lambda form: (-len(form), form))]
    return re.compile("|".join(parts)) if parts else None


def _is_word(value: str) -> bool:
    return value.isalpha() and len(value) < _TELLING_WORD


def _is_guessed(value: str) -> bool:
    """Whether a value is one or two ordinary words: ``password``, ``postgres``, ``secret_key``."""
    parts = re.split(r"[_.-]", value)
    return len(parts) <= 2 and all(part.isalpha() and part.isascii() and is_word(part) for part in parts)


def _forms(value: str) -> Iterable[str]:
    """A value as code, JSON, HTML and URLs would write it, and what it is if one of them wrote it."""
    yield value
    if len(value) >= _TELLING:
        others = (json.dumps(value)[1:-1], html.escape(value), quote(value, safe=""), quote(value))
        read = (html.unescape(value), unquote(value), value.replace('\\"', '"').replace("\\'", "'"))
        yield from (form for form in (*others, *read) if form.strip() and len(form) >= _TELLING)


def _value_pattern(value: str) -> str:
    """What to look for in other text: a telling value anywhere, one that may be an ordinary word only in quotes."""
    escaped = re.escape(value)
    if len(value) >= (_TELLING_WORD if value.isalpha() else _TELLING):
        return escaped
    if len(value) >= _BOUNDED and not value.isalpha():
        return rf"(?<!\w){escaped}(?!\w)"
    return rf"(?<=[\"'`]){escaped}(?=[\"'`])"


def _pieces(span: Span, lines: Sequence[str]) -> list[tuple[int, int, int]]:
    """A span line by line as (number, start, end), without the quotes of a literal and the indentation of its lines."""
    found = []
    for number in range(span.line, min(span.end_line, len(lines)) + 1):
        text = lines[number - 1]
        end = min(span.end_column, len(text)) if number == span.end_line else len(text)
        start = min(span.column, end) if number == span.line else len(text) - len(text.lstrip())
        found.append((number, start, max(start, end)))
    return _unquoted(found, lines) if found else []


def _unquoted(pieces: list[tuple[int, int, int]], lines: Sequence[str]) -> list[tuple[int, int, int]]:
    first, start, first_end = pieces[0]
    opening = _OPENING.match(lines[first - 1], start, first_end)
    last, last_start, end = pieces[-1]
    if opening and lines[last - 1].endswith(opening.group(1), last_start, end):
        inner = end - len(opening.group(1))
        if len(pieces) > 1 or inner >= opening.end():
            pieces[-1] = (last, last_start, inner)
            pieces[0] = (first, opening.end(), pieces[0][2])
    return pieces


def _moved(mark: tuple[int, int] | None, start: int, end: int, new_end: int) -> tuple[int, int] | None:
    """Where a marked range lies after ``start:end`` became ``start:new_end``."""
    if mark is None:
        return None

    def move(at: int, inside: int) -> int:
        if at <= start:
            return at
        return inside if at < end else at + new_end - end

    return move(mark[0], start), move(mark[1], new_end)
