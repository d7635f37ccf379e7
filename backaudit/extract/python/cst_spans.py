"""Exact spans of libcst nodes, without a metadata provider.

libcst's ``PositionProvider`` costs twice as much as parsing. Positions come from the same place it takes them from, the
code-generation state (an internal interface: a test compares every span with the provider's, so that an upgrade of
libcst cannot move one unseen). Only offsets are recorded; lines are looked up for the nodes that need them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any

import libcst as cst
from libcst._nodes.internal import CodegenState

from backaudit.facts.place import Span

_NEWLINE = re.compile(r"\r\n?|\n")


def _trusted(node: cst.CSTNode) -> None:
    """In place of libcst's validation of every node it makes."""


# A tree that the parser made is valid, and this package makes none by hand: validating each node again would be a
# quarter of the time that parsing takes.
cst.CSTNode.__post_init__ = _trusted  # type: ignore[method-assign,assignment]


class _Offsets(CodegenState):
    """Generates no code: adds up its length, and keeps (start, end) of each node by identity."""

    def __init__(self, module: cst.Module) -> None:
        CodegenState.__init__(self, default_indent=module.default_indent, default_newline=module.default_newline)
        self.offset = 0
        self.starts: list[int] = []
        self.spans: dict[int, tuple[int, int]] = {}

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.offset += len(token)

    def add_token(self, value: str) -> None:
        self.offset += len(value)

    def pop_trailing_newline(self) -> None:
        """The base class would drop its last token; there are none, and nothing follows."""

    def before_codegen(self, node: cst.CSTNode) -> None:
        self.starts.append(self.offset)

    def after_codegen(self, node: cst.CSTNode) -> None:
        # A syntactic position that was recorded meanwhile wins, as in libcst's own provider.
        self.spans.setdefault(id(node), (self.starts.pop(), self.offset))

    def record_syntactic_position(  # type: ignore[override]  # a plain context manager, not a generator: it is hot
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> _Recorder:
        return _Recorder(self, node, start_node, end_node)


class _Recorder:
    __slots__ = ("end_node", "node", "start", "start_node", "state")

    def __init__(
        self, state: _Offsets, node: cst.CSTNode, start_node: cst.CSTNode | None, end_node: cst.CSTNode | None
    ) -> None:
        self.state, self.node, self.start_node, self.end_node = state, node, start_node, end_node
        self.start = 0

    def __enter__(self) -> None:
        self.start = self.state.offset

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        if kind is not None:
            return  # what ended the walk (a signal, say) is not to be hidden by nodes that it left out
        spans = self.state.spans
        start = self.start if self.start_node is None else spans[id(self.start_node)][0]
        end = self.state.offset if self.end_node is None else spans[id(self.end_node)][1]
        spans[id(self.node)] = (start, end)


class Spans:
    """Spans of the nodes of one module (which must stay alive: nodes are known by identity)."""

    def __init__(self, module: cst.Module, text: str) -> None:
        state = _Offsets(module)
        module._codegen(state)
        self._offsets = state.spans
        self._text = text
        self._lines = [0, *(match.end() for match in _NEWLINE.finditer(text))]

    def offsets(self, node: Any) -> tuple[int, int]:
        """Where a node begins and ends."""
        return self._offsets[id(node)]

    def line_and_bytes(self, offset: int) -> tuple[int, int]:
        """The line (1-based) of an offset, and how many bytes of it stand before that."""
        line = bisect_right(self._lines, offset)
        before = self._text[self._lines[line - 1] : offset]
        return line, len(before) if before.isascii() else len(before.encode("utf-8", "surrogatepass"))

    def __call__(self, node: Any) -> Span:
        start, end = self._offsets[id(node)]
        return self.between(start, end)

    def between(self, start: int, end: int) -> Span:
        lines = self._lines
        line = bisect_right(lines, start)
        column = start - lines[line - 1]
        end_line = line if line == len(lines) or end < lines[line] else bisect_right(lines, end)
        return Span(line, column, end_line, end - lines[end_line - 1])
