"""The text inside a Python literal: where it stands without quotes, piece by piece."""

from __future__ import annotations

import re

from backaudit.extract.secrets.lines import Lines
from backaudit.facts.place import Span

_STRING = re.compile(
    r"(?P<prefix>[rRbBuUfF]{0,2})(?P<quote>\"\"\"|'''|\"|')(?P<body>(?:\\.|(?!(?P=quote)).)*)(?P=quote)|#[^\r\n]*",
    re.DOTALL,
)
_OPENING = re.compile(r"[rRbBuUfF]{0,2}[\"']")


def parts(text: Lines, span: Span) -> tuple[Span, ...]:
    """The spans of the text of a literal, a line each at most; the span itself where it has no quotes (f-strings)."""
    start, end = text.offset(span.line, span.column), text.offset(span.end_line, span.end_column)
    if not _OPENING.match(text.text, start):
        return tuple(by_line(text, start, end))
    found: list[Span] = []
    for piece in _STRING.finditer(text.text, start, end):
        if piece["quote"]:
            found += by_line(text, piece.start("body"), piece.end("body"))
    return tuple(found) or (span,)


def by_line(text: Lines, start: int, end: int) -> list[Span]:
    """The stretch from ``start`` to ``end``, a span for each line, without line ends and blank lines."""
    found: list[Span] = []
    while start < end:
        line, column = text.at(start)
        stop = text.starts[line] if line < len(text.starts) else len(text.text)
        piece = text.text[start : min(stop, end)].rstrip("\r\n")
        if piece.strip():
            found.append(Span(line, column, line, column + len(piece)))
        start = stop
    return found
