"""Exact spans of what the parser made, in the text that it was made of.

``ast`` gives bytes of a line where a span counts characters, has no place for names, ``else`` and the clauses of
comprehensions, and takes the brackets of a tuple or a generator into it, which here belong to what is around it.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from backaudit.facts.place import Span

_NEWLINE = re.compile(r"\r\n?|\n")
_BLANK = re.compile(r"(?:[ \t\f]|\\?(?:\r\n?|\n)|#[^\r\n]*)*")
_WORD = re.compile(r"\w+")


class Spans:
    """The places of one text. ``shift``: how many lines its nodes stand below where the parser saw them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = [0, *(match.end() for match in _NEWLINE.finditer(text))]
        self._wide = {} if text.isascii() else self._encoded()
        self._shift = 0

    def _encoded(self) -> dict[int, bytes]:
        """The lines (1-based) in which characters and bytes are counted apart."""
        lines = enumerate(zip(self._lines, [*self._lines[1:], len(self.text)], strict=True), 1)
        texts = ((number, self.text[start:end]) for number, (start, end) in lines)
        return {number: line.encode("utf-8", "surrogatepass") for number, line in texts if not line.isascii()}

    def below(self, line: int) -> Spans:
        """The same text, for nodes that were parsed by themselves and whose first line is that one."""
        found = Spans.__new__(type(self))
        found.__dict__.update(self.__dict__, _shift=line - 1)
        return found

    def place(self, node: Any, start: int, end: int, line: int) -> None:
        """Give a node that was parsed by itself, in brackets that are none of the text's, its own place there."""
        inner = self.text[start:end]
        first, node.col_offset = self.line_start(start + len(inner) - len(inner.lstrip()))
        last, node.end_col_offset = self.line_start(start + len(inner.rstrip()))
        node.lineno, node.end_lineno = first - line + 1, last - line + 1

    # -- of nodes --------------------------------------------------------------------------------------------------

    def __call__(self, node: Any) -> Span:
        kind = node.__class__
        if kind is ast.Tuple:
            return self._between(*self._tuple(node, node.elts))
        if kind is ast.GeneratorExp:
            return self._between(self._skip(self.start(node) + 1), self._clauses_end(node))
        if self._wide or self._shift:
            return self._between(self.start(node), self.end(node))
        return Span(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)

    def suite(self, body: Sequence[ast.stmt]) -> Span:
        """The statements of a block."""
        return self._between(self.start(body[0]), self.end(body[-1]))

    def otherwise(self, before: Sequence[ast.stmt], body: Sequence[ast.stmt]) -> Span:
        """An ``else`` behind a block, from its word on; an ``elif`` is the statement that it begins."""
        if self.is_elif(body):
            return self(body[0])
        at = self._skip(self.end(before[-1]))
        while self.text[at : at + 1] == ";":
            at = self._skip(at + 1)
        return self._between(at, self.end(body[-1]))

    def is_elif(self, body: Sequence[ast.stmt]) -> bool:
        """Whether the ``else`` of an ``if`` is written as ``elif``."""
        return isinstance(body[0], ast.If) and self.text.startswith("elif", self.start(body[0]))

    def sequence(self, pattern: ast.MatchSequence) -> Span:
        """A pattern of several: the brackets of ``[…]`` belong to it, round ones do not."""
        return self._between(*self._tuple(pattern, pattern.patterns))

    def name(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Span:
        """The name that a definition gives, behind ``async``, ``def`` or ``class``."""
        at = self.start(node)
        for _ in range(2 if isinstance(node, ast.AsyncFunctionDef) else 1):
            at = self._skip(self._word(at))
        return self._between(at, self._word(at))

    def word(self, node: ast.AST) -> Span:
        """The name that a node begins with."""
        start = self.start(node)
        return self._between(start, self._word(start))

    def clause(self, node: Any, number: int) -> Span:
        """A ``for`` of a comprehension with all behind it, from the end of what stands before it."""
        return self._between(self._before_clause(node, number), self._clauses_end(node))

    def condition(self, node: Any, test: ast.expr, before: ast.expr) -> Span:
        """An ``if`` of a comprehension, from the end of what stands before it."""
        return self._between(self.closed(before), self.closed(test, self.end(node) - 1))

    def keys(self, node: ast.Tuple) -> Span:
        """What stands between the brackets of ``base[key, key]``, a last comma excepted."""
        return self._between(self.start(node), self.closed(node.elts[-1]))

    def up_to(self, first: ast.AST, last: ast.AST) -> Span:
        """From the start of one node to the end of another, and of the brackets around it."""
        return self._between(self.start(first), self.closed(last))

    # -- offsets ---------------------------------------------------------------------------------------------------

    def start(self, node: Any) -> int:
        """Where a node begins."""
        return self._offset(node.lineno + self._shift, node.col_offset)

    def end(self, node: Any) -> int:
        """Where a node ends."""
        return self._offset(node.end_lineno + self._shift, node.end_col_offset)

    def closed(self, node: Any, most: int | None = None) -> int:
        """Where a node ends with the brackets around it, those before ``most``."""
        end = self.end(node)
        at = self._skip(end)
        while self.text[at : at + 1] == ")" and (most is None or at < most):
            end = at + 1
            at = self._skip(end)
        return end

    def is_bracketed(self, node: Any, parts: Sequence[Any]) -> bool:
        """Whether the brackets around a tuple, or a pattern that looks like one, are its own."""
        start = self.start(node)
        if self.text[start : start + 1] != "(":
            return False
        if not parts:
            return True
        opened, at, first = 0, start, self.start(parts[0])
        while at < first:
            opened += self.text[at] == "("
            at = self._skip(at + 1)
        closed, at = 0, self._skip(self.end(parts[0]))
        while self.text[at : at + 1] == ")":
            closed += 1
            at = self._skip(at + 1)
        return opened > closed

    def line_start(self, offset: int) -> tuple[int, int]:
        """The line (1-based) of an offset, and how many bytes of it stand before that."""
        line = bisect_right(self._lines, offset)
        before = self.text[self._lines[line - 1] : offset]
        return line, len(before) if before.isascii() else len(before.encode("utf-8", "surrogatepass"))

    def between(self, start: int, end: int) -> Span:
        """The span from one offset to another."""
        return self._between(start, end)

    def _tuple(self, node: Any, parts: Sequence[Any]) -> tuple[int, int]:
        start, end = self.start(node), self.end(node)
        if not self.is_bracketed(node, parts):
            return start, end
        start = self._skip(start + 1)
        if not parts:
            return start, start
        last = self.closed(parts[-1], end - 1)
        comma = self._skip(last)
        return start, comma + 1 if self.text[comma] == "," else last

    def _before_clause(self, node: Any, number: int) -> int:
        if number:
            before = node.generators[number - 1]
            return self.closed((before.ifs or [before.iter])[-1])
        return self.closed(node.value if isinstance(node, ast.DictComp) else node.elt)

    def _clauses_end(self, node: Any) -> int:
        last = node.generators[-1]
        return self.closed((last.ifs or [last.iter])[-1], self.end(node) - 1)

    def _skip(self, at: int) -> int:
        """Where the next token begins."""
        found = _BLANK.match(self.text, at)
        return found.end() if found is not None else at

    def _word(self, at: int) -> int:
        found = _WORD.match(self.text, at)
        return found.end() if found is not None else at

    def _offset(self, line: int, column: int) -> int:
        encoded = self._wide.get(line)
        if encoded is not None:
            column = len(encoded[:column].decode("utf-8", "surrogatepass"))
        return self._lines[line - 1] + column

    def _between(self, start: int, end: int) -> Span:
        lines = self._lines
        line = bisect_right(lines, start)
        column = start - lines[line - 1]
        end_line = line if line == len(lines) or end < lines[line] else bisect_right(lines, end)
        return Span(line, column, end_line, end - lines[end_line - 1])


class QuotedSpans(Spans):
    """Spans inside a quoted annotation: all of them are the literal's own."""

    def __init__(self, text: str, at: Span) -> None:
        super().__init__(text)
        self._at = at

    def __call__(self, node: Any) -> Span:
        return self._at

    def _between(self, start: int, end: int) -> Span:
        return self._at
