"""Where something stands: spans in a file, and places in a project."""

from __future__ import annotations

import msgspec


class Span(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """A stretch of one file: 1-based lines, 0-based code-point columns, end exclusive.

    Lines end at ``\\n``, ``\\r\\n`` and ``\\r`` only, as editors and SARIF viewers count them.
    """

    line: int
    column: int
    end_line: int
    end_column: int

    def covers(self, line: int) -> bool:
        """Whether ``line`` (1-based) is one of the span's physical lines."""
        return self.line <= line <= self.end_line


WHOLE_FILE = Span(1, 0, 1, 0)


class Place(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """A span in a file of the project; ``path`` is relative to the root, POSIX."""

    path: str
    span: Span

    @classmethod
    def at_line(cls, path: str, line: int) -> Place:
        """A line of a file, where no columns are known."""
        return cls(path, Span(line, 0, line, 0))

    def first_line(self, width: int = 6) -> Place:
        """The place, cut to its first line: of a statement over several lines its keyword."""
        span = self.span
        if span.line == span.end_line:
            return self
        return Place(self.path, Span(span.line, span.column, span.line, span.column + width))
