"""Jupyter notebooks (``.ipynb``, formats 3 and 4): what their cells say, and where in the raw file it stands.

The JSON is read twice at most: by the standard library for what a notebook says, and, where a place in the raw text is
asked for, once more with the offset of every string (:func:`located`). Both give the same cells.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, takewhile
from typing import Literal

import msgspec

Part = Literal["source", "output", "metadata"]


class NotebookError(ValueError):
    """A text that is no notebook: ``str`` says why, ``line`` (1-based, 0 if unknown) where. It quotes nothing."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


class Passage(msgspec.Struct, frozen=True):
    """A text of a cell, as the strings of the JSON of which it is made: the source, or one of the others."""

    part: Part
    strings: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(self.strings)


class Cell(msgspec.Struct, frozen=True):
    """``number`` counts all cells from 1; 0 holds what belongs to the notebook itself. ``kind`` is the format's own
    ("code", "markdown", "raw", "heading"), ``language`` the lower-cased name of what a code cell is written in.
    """

    number: int
    kind: str
    language: str
    passages: tuple[Passage, ...]


def load(text: str) -> object:
    """The JSON of a notebook. Raises :class:`NotebookError`."""
    if text.startswith("version https://git-lfs"):
        raise NotebookError("its content is in Git LFS, not here", 1)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise NotebookError(f"the JSON is broken: {error.msg[0].lower()}{error.msg[1:]}", error.lineno) from None
    except (ValueError, RecursionError):
        raise NotebookError("the JSON cannot be read") from None
    if not isinstance(document, dict) or not (_is_list(document, "cells") or _is_list(document, "worksheets")):
        raise NotebookError("it is JSON, but has no cells", 1)
    return document


def _is_list(document: Mapping[str, object], key: str) -> bool:
    return isinstance(document.get(key), list)


# -- cells -------------------------------------------------------------------------------------------------------------


def cells(document: object) -> Iterator[Cell]:
    """The cells of a notebook in their order, then what its own metadata says."""
    language = _language(document)
    for number, cell in enumerate(_cells(document), 1):
        kind = _string(_get(cell, "cell_type"))
        passages = (
            *_source(cell),
            *(passage for output in _items(_get(cell, "outputs")) for passage in _passages("output", output)),
            *_passages("metadata", _get(cell, "metadata")),
        )
        own = _string(_get(_get(_get(cell, "metadata"), "vscode"), "languageId")) or _string(_get(cell, "language"))
        yield Cell(number, kind, (own or language).lower(), passages)
    yield Cell(0, "", language, tuple(_passages("metadata", _get(document, "metadata"))))


def _cells(document: object) -> Iterator[object]:
    yield from _items(_get(document, "cells"))
    for sheet in _items(_get(document, "worksheets")):
        yield from _items(_get(sheet, "cells"))


def _source(cell: object) -> Iterator[Passage]:
    """What is written in a cell is one text: a string or a list of lines; ``input`` in format 3."""
    value = _get(cell, "source") if isinstance(_get(cell, "source"), (str, list)) else _get(cell, "input")
    strings = (value,) if isinstance(value, str) else tuple(item for item in _items(value) if isinstance(item, str))
    if strings:
        yield Passage("source", strings)


def _language(document: object) -> str:
    metadata = _get(document, "metadata")
    kernel, info = _get(metadata, "kernelspec"), _get(metadata, "language_info")
    return (_string(_get(kernel, "language")) or _string(_get(info, "name")) or "python").lower()


# Data that is no text: pictures and the like as base64.
_BINARY = re.compile(r"(?:image/(?!svg)|audio/|video/|application/pdf)|(?:png|jpeg|pdf)$")


def _passages(part: Part, value: object) -> Iterator[Passage]:
    """Every text in a value: a string, a list of strings (its lines), or those of an object one by one."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str):
            yield Passage(part, (here,))
        elif isinstance(here, tuple):
            yield Passage(part, here)
        elif isinstance(here, list):
            waiting += list(_pieces(here))[::-1]
        elif isinstance(here, dict):
            waiting += [item for key, item in here.items() if not _BINARY.match(key)][::-1]


def _pieces(items: list[object]) -> Iterator[object]:
    """The items of a list, with strings that follow each other as one tuple."""
    for is_text, group in groupby(items, lambda item: isinstance(item, str)):
        if is_text:
            yield tuple(group)
        else:
            yield from group


def _get(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


# -- places ------------------------------------------------------------------------------------------------------------


class Located(str):
    """A string of a JSON text, with the offsets of what stands between its quotes."""

    start: int
    end: int


# In a text that is known to be JSON.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]|[^\s,:\[\]{}"]+', re.DOTALL)
_ESCAPE = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.", re.DOTALL)


def located(text: str) -> object:
    """What :func:`load` gave for ``text``, with every string a :class:`Located`, and nothing but strings in it."""
    tokens = _TOKEN.finditer(text)
    try:
        return _value(next(tokens), tokens)
    except RecursionError:
        raise NotebookError("the JSON cannot be read") from None


def _value(token: re.Match[str], tokens: Iterator[re.Match[str]]) -> object:
    opening = token.group()[0]
    if opening == '"':
        string = Located(json.loads(token.group()))
        string.start, string.end = token.start() + 1, token.end() - 1
        return string
    if opening == "[":
        return [_value(item, tokens) for item in takewhile(lambda item: item.group() != "]", tokens)]
    if opening == "{":
        found: dict[str, object] = {}
        for key in takewhile(lambda item: item.group() != "}", tokens):
            found[json.loads(key.group())] = _value(next(tokens), tokens)
        return found
    return None


class RawPlaces:
    """Where the characters of strings that are put together stand in the raw text.

    What is not :class:`Located` (separators between them) stands nowhere.
    """

    def __init__(self, raw: str, strings: Sequence[str]) -> None:
        # Each run: the offset at which it begins, where it stands, and the width of its one character if it is escaped.
        self._begins: list[int] = []
        self._runs: list[tuple[int, int]] = []
        self._bounds: list[tuple[int, int]] = []
        at = 0
        for string in strings:
            if isinstance(string, Located):
                self._add(raw, string, at)
                self._bounds.append((at, at + len(string)))
            at += len(string)

    def _add(self, raw: str, string: Located, at: int) -> None:
        done = string.start
        for escape in _ESCAPE.finditer(raw, string.start, string.end):
            if escape.start() > done:
                self._run(at, done, 0)
                at += escape.start() - done
            self._run(at, escape.start(), len(escape.group()))
            at, done = at + 1, escape.end()
        if done < string.end:
            self._run(at, done, 0)

    def _run(self, begin: int, start: int, width: int) -> None:
        self._begins.append(begin)
        self._runs.append((start, width))

    def of(self, start: int, end: int) -> list[tuple[int, int]]:
        """The raw stretches of the characters from ``start`` to ``end``, one for each string that has some of them."""
        first = max(0, bisect_right(self._bounds, (start, 1 << 62)) - 1)
        found = []
        for begin, stop in self._bounds[first:]:
            if begin >= end:
                break
            low, high = max(start, begin), min(end, stop)
            if low < high:
                found.append((self._char(low)[0], self._char(high - 1)[1]))
        return found

    def _char(self, offset: int) -> tuple[int, int]:
        number = bisect_right(self._begins, offset) - 1
        start, width = self._runs[number]
        if width:
            return start, start + width
        start += offset - self._begins[number]
        return start, start + 1
