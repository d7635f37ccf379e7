"""Comments that speak to the tool, and the extents of statements: read only where a file has such a comment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from backaudit.extract.python.cst_spans import Spans
from backaudit.extract.python.newer import concrete
from backaudit.facts.comments import Comment, Extent

_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")


def directives(text: str) -> tuple[tuple[Comment, ...], tuple[Extent, ...]]:
    """The directive comments of a module, and the extent of every statement, both in source order.

    SyntaxError where libcst, which alone keeps comments, does not take the text.
    """
    module = concrete(text)
    span = Spans(module, text)
    comments = sorted(_comments(module, span), key=lambda comment: comment.span)
    return tuple(comments), tuple(sorted(_extents(module, span)))


def _comments(node: cst.CSTNode, span: Spans) -> Iterator[Comment]:
    stack: list[tuple[cst.CSTNode, bool]] = [(node, False)]
    while stack:
        here, alone = stack.pop()
        if isinstance(here, cst.Comment):
            if "backaudit" in here.value.lower():
                yield Comment(span(here), here.value, alone)
            continue
        stack += [(child, isinstance(here, cst.EmptyLine)) for child in here.children]


def _extents(node: Any, span: Spans) -> Iterator[Extent]:
    for block in _BLOCKS:
        inner = getattr(node, block, None)
        if inner is None:
            continue
        for child in inner if isinstance(inner, (tuple, list)) else [inner]:
            if isinstance(child, cst.BaseSuite):
                yield from _extents(child, span)
            elif isinstance(child, cst.CSTNode) and not isinstance(child, cst.BaseSmallStatement):
                yield _extent(child, span)
                yield from _extents(child, span)


def _extent(node: Any, span: Spans) -> Extent:
    at = span(node)
    first = min([at.line, *(span(decorator).line for decorator in getattr(node, "decorators", ()))])
    body = getattr(node, "body", None)
    if isinstance(body, cst.IndentedBlock) and body.body:
        return Extent(first, at.end_line, max(first, _first_line(body, span) - 1))
    return Extent(first, at.end_line, at.end_line)


def _first_line(body: cst.IndentedBlock, span: Spans) -> int:
    # The block's own header is the rest of the line after the colon; everything before its first statement that is not
    # a blank or comment line of that statement belongs to the compound statement's header.
    return span(body.header).line + 1
