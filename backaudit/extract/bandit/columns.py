"""Spans of ``ast`` nodes: its columns count UTF-8 bytes, ours code points."""

from __future__ import annotations

import ast
import re

from backaudit.facts.place import Span

_NEWLINE = re.compile(r"\r\n?|\n")


class Columns:
    """Turns positions of one file's tree into spans; lines are split when the first one is asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ascii = text.isascii()
        self._lines: list[str] = []

    def line(self, number: int) -> str:
        """The text of a line (1-based) without its end; empty beyond the last."""
        if not self._lines:
            self._lines = _NEWLINE.split(self._text)
        return self._lines[number - 1] if number <= len(self._lines) else ""

    def span(self, node: ast.expr | ast.stmt | ast.excepthandler) -> Span:
        """All of a node."""
        end_line = node.end_lineno or node.lineno
        end = self._column(end_line, node.end_col_offset or 0)
        return Span(node.lineno, self._column(node.lineno, node.col_offset), end_line, end)

    def header(self, node: ast.stmt | ast.excepthandler) -> Span:
        """The first physical line of a compound statement, without what follows on other lines."""
        end = len(self.line(node.lineno).rstrip())
        return Span(node.lineno, self._column(node.lineno, node.col_offset), node.lineno, end)

    def character(self, offset: int) -> Span:
        """The one character at ``offset`` code points from the file's begin."""
        before = _NEWLINE.split(self._text[:offset])
        return Span(len(before), len(before[-1]), len(before), len(before[-1]) + 1)

    def _column(self, line: int, offset: int) -> int:
        if self._ascii:
            return offset
        return len(self.line(line).encode()[:offset].decode(errors="ignore"))
