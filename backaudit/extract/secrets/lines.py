"""Offsets of a text as spans: 1-based lines that end at ``\\n``, ``\\r\\n`` and ``\\r``, 0-based columns."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from backaudit.facts.place import Span

_END = re.compile(r"\r\n|\n|\r")


class Lines:
    """One text and where its lines begin."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def starts(self) -> list[int]:
        return [0, *(end.end() for end in _END.finditer(self.text))]

    def at(self, offset: int) -> tuple[int, int]:
        """(line, column) of an offset."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1]

    def span(self, start: int, end: int) -> Span:
        line, column = self.at(start)
        end_line, end_column = self.at(end)
        return Span(line, column, end_line, end_column)

    def offset(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column
