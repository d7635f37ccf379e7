"""Comments that speak to the tool in files that are not Python, and the statements that they may stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from backaudit.facts.comments import Comment, Extent
from backaudit.facts.place import Span
from backaudit.source import Kind, lines

NEEDLE = "backaudit"

# Where a kind's comments begin and end; an empty end is the line's.
_HASH = (("#", ""),)
_MARKS: Mapping[Kind, tuple[tuple[str, str], ...]] = {
    "toml": _HASH,
    "yaml": _HASH,
    "compose": _HASH,
    "workflow": _HASH,
    "env": _HASH,
    "requirements": _HASH,
    "dockerfile": _HASH,
    "shell": _HASH,
    "properties": _HASH,
    "terraform": _HASH,
    "ini": (("#", ""), (";", "")),
    "sql": (("--", ""),),
    "template": (("{#", "#}"), ("<!--", "-->")),
    "text": (("<!--", "-->"),),
    "xml": (("<!--", "-->"),),
}
# The quotes inside which a comment's mark means nothing; prose and templates have none.
_QUOTES: Mapping[Kind, str] = {"sql": "'\"", "template": "", "text": "", "xml": ""}


def comments_of(kind: Kind, text: str) -> tuple[Comment, ...]:
    """The comments of a text (not Python) that name the tool, in order; none in kinds that have no comments."""
    marks = _MARKS.get(kind, ())
    if not marks or NEEDLE not in text.lower():
        return ()
    quotes = _QUOTES.get(kind, "'\"")
    return tuple(
        comment
        for number, line in enumerate(lines(text), 1)
        if NEEDLE in line.lower()
        for comment in _of_line(number, line, marks, quotes)
        if NEEDLE in comment.text.lower()
    )


def extents_of(kind: Kind, text: str) -> tuple[Extent, ...]:
    """The statements of more than one line: of SQL, and of a Dockerfile by its continued lines."""
    if NEEDLE not in text.lower():
        return ()
    if kind == "sql":
        return tuple(_sql_extents(text))
    if kind in ("dockerfile", "shell"):
        return tuple(_continued_extents(text))
    return ()


def _of_line(number: int, line: str, marks: tuple[tuple[str, str], ...], quotes: str) -> Iterator[Comment]:
    at, quote = 0, ""
    while at < len(line):
        mark = next((pair for pair in marks if line.startswith(pair[0], at)), None) if not quote else None
        if mark and _may_open(line, at, mark[0]):
            end = line.find(mark[1], at + len(mark[0])) if mark[1] else -1
            end = len(line) if end < 0 else end + len(mark[1])
            yield Comment(Span(number, at, number, end), line[at:end], not line[:at].strip())
            at = end
            continue
        quote = _quote_after(line[at], quote, quotes)
        at += 1


def _may_open(line: str, at: int, mark: str) -> bool:
    """``#`` and ``;`` open a comment only at a word's start: ``pa#ss`` is a value."""
    return len(mark) > 1 or at == 0 or line[at - 1].isspace()


def _quote_after(char: str, quote: str, quotes: str) -> str:
    if quote:
        return "" if char == quote else quote
    return char if char in quotes else ""


_SQL_TOKEN = re.compile(
    r"--[^\r\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$.*?\$\1\$|;|\r\n|\n|\r|[^\s]", re.DOTALL
)


def _sql_extents(text: str) -> Iterator[Extent]:
    line, start = 1, 0
    for token in _SQL_TOKEN.finditer(text):
        word = token.group()
        if word in ("\n", "\r", "\r\n"):
            line += 1
            continue
        if not start and not word.startswith(("--", "/*")):
            start = line
        line += len(lines(word)) - 1
        if word == ";" and start:
            yield Extent(start, line, line)
            start = 0
    if start:
        yield Extent(start, line, line)


def _continued_extents(text: str) -> Iterator[Extent]:
    start = 0
    for number, line in enumerate(lines(text), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        start = start or number
        if not bare.endswith("\\"):
            yield Extent(start, number, number)
            start = 0
