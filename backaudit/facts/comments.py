"""Comments that speak to the tool, and the extents of the statements that they may stand on."""

from __future__ import annotations

import msgspec

from backaudit.facts.place import Span


class Comment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A comment that names the tool (or ``nosec``); ``text`` is as written, with its opening and closing marks.

    ``alone``: nothing but white space stands before it on its line.
    """

    span: Span
    text: str
    alone: bool = False


class Extent(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """The physical lines of one statement, 1-based and inclusive.

    ``header_end_line`` is the last line of a compound statement's header (decorators included, body not); for a simple
    statement it equals ``end_line``. Handlers, ``else`` branches and ``case`` clauses are statements of their own here.
    """

    line: int
    end_line: int
    header_end_line: int
