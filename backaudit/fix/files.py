"""The files that fixes change, as text and as syntax."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache, cached_property
from typing import TypeVar

import libcst as cst

from backaudit.extract.python.bounds import affordable, is_affordable
from backaudit.extract.python.cst_spans import Spans
from backaudit.facts.place import Place, Span
from backaudit.facts.problem import Problem
from backaudit.source import Source

NodeT = TypeVar("NodeT", bound=cst.CSTNode)
_NEWLINE = re.compile(r"\r\n?|\n")
_BINDING = (
    *(cst.FunctionDef, cst.ClassDef, cst.Param, cst.AssignTarget, cst.AnnAssign),
    *(cst.For, cst.CompFor, cst.NamedExpr, cst.AsName),
)
_KNOWN = (cst.BaseExpression, cst.BaseSmallStatement, cst.BaseStatement, cst.SimpleStatementLine)


class Impossible(Exception):
    """The change cannot be made here."""


class File:
    """One file as it was scanned. Offsets count code points of its text."""

    def __init__(self, source: Source) -> None:
        self.path = source.path
        self.text = source.text
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(source.text))]

    @cached_property
    def syntax(self) -> Syntax:
        return Syntax(self.text)

    @cached_property
    def newline(self) -> str:
        """How its lines end: as the first does."""
        first = _NEWLINE.search(self.text)
        return first.group() if first else "\n"

    def offset(self, line: int, column: int) -> int:
        """Where a position is; Impossible if the file has no such line."""
        if not 1 <= line <= len(self._starts):
            raise Impossible
        return self._starts[line - 1] + column

    def range_of(self, span: Span) -> tuple[int, int]:
        return self.offset(span.line, span.column), self.offset(span.end_line, span.end_column)

    def written(self, span: Span) -> str:
        start, end = self.range_of(span)
        return self.text[start:end]

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        start = self.offset(number, 0)
        end = _NEWLINE.search(self.text, start)
        return self.text[start : end.start() if end else len(self.text)]

    def indent(self, number: int) -> str:
        text = self.line(number)
        return text[: len(text) - len(text.lstrip())]

    def begins_its_line(self, span: Span) -> bool:
        return not self.line(span.line)[: span.column].strip()

    def place(self, span: Span) -> Place:
        return Place(self.path, span)

    @property
    def lines(self) -> int:
        return len(self._starts)


class Syntax:
    """The tree of a Python file, asked by place."""

    def __init__(self, text: str) -> None:
        code, _ = affordable(text)
        if code is None or not is_affordable(code):
            raise Impossible
        try:
            self.module = cst.parse_module(code)
        except (cst.ParserSyntaxError, RecursionError) as error:
            raise Impossible from error
        self.span = Spans(self.module, text)
        self.parents: dict[int, cst.CSTNode] = {}
        self._found: dict[Span, list[cst.CSTNode]] = {}
        self._blocks: list[cst.IndentedBlock] = []
        self._binding: list[cst.CSTNode] = []
        self._walk()

    def _walk(self) -> None:
        waiting: list[cst.CSTNode] = [self.module]
        while waiting:
            node = waiting.pop()
            for child in children(node):
                self.parents[id(child)] = node
                waiting.append(child)
            if isinstance(node, cst.IndentedBlock):
                self._blocks.append(node)
            if isinstance(node, _BINDING):
                self._binding.append(node)
            if isinstance(node, _KNOWN):
                self._found.setdefault(self.span(node), []).append(node)

    def node(self, span: Span, kind: type[NodeT]) -> NodeT:
        """The node of a kind that stands exactly there."""
        found = next((node for node in self._found.get(span, ()) if isinstance(node, kind)), None)
        if found is None:
            raise Impossible
        return found

    def expression(self, span: Span) -> cst.BaseExpression:
        """The outermost expression that stands exactly there."""
        found = [node for node in self._found.get(span, ()) if isinstance(node, cst.BaseExpression)]
        if not found:
            raise Impossible
        return found[0]

    def handler(self, span: Span) -> cst.ExceptHandler:
        """The ``except`` that begins where a span does."""
        for node in self._handlers:
            at = self.span(node)
            if (at.line, at.column) == (span.line, span.column):
                return node
        raise Impossible

    def class_named(self, span: Span) -> cst.ClassDef:
        """The class whose name stands exactly there."""
        nodes = (self.parents[id(node)] for node in self._blocks)
        for node in nodes:
            if isinstance(node, cst.ClassDef) and self.span(node.name) == span:
                return node
        raise Impossible

    def function_around(self, node: cst.CSTNode) -> str:
        """The name of the function that a node stands in, empty for the module's own level."""
        here: cst.CSTNode | None = node
        while here is not None and not isinstance(here, cst.FunctionDef):
            here = self.parents.get(id(here))
        return here.name.value if here is not None else ""

    @cached_property
    def _handlers(self) -> list[cst.ExceptHandler]:
        nodes = (self.parents[id(node)] for node in self._blocks)
        return [node for node in nodes if isinstance(node, cst.ExceptHandler)]

    def statement(self, span: Span) -> cst.SimpleStatementLine | cst.BaseCompoundStatement:
        """The innermost statement on lines of its own that covers a span."""
        found: cst.SimpleStatementLine | cst.BaseCompoundStatement | None = None
        for node in self._statements:
            at = self.span(node)
            if _covers(at, span) and (found is None or _covers(self.span(found), at)):
                found = node
        if found is None:
            raise Impossible
        return found

    @cached_property
    def _statements(self) -> list[cst.SimpleStatementLine | cst.BaseCompoundStatement]:
        nodes = (node for found in self._found.values() for node in found)
        return [node for node in nodes if isinstance(node, (cst.SimpleStatementLine, cst.BaseCompoundStatement))]

    @cached_property
    def bound(self) -> frozenset[str]:
        """Every name that the file gives to something else than what it imports: a fix must not mean that."""
        return frozenset(name for node in self._binding for name in _bound_by(node))


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What a node is made of, without white space, in no promised order.

    libcst's own ``children`` has a visitor make each node anew, which takes several times as long as parsing.
    """
    for name in _fields_of(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from (item for item in value if isinstance(item, cst.CSTNode))


@cache
def _fields_of(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if not _is_blank(field.name))


def _is_blank(name: str) -> bool:
    """Whether the field of a node is the space, the comments or the lines around its parts."""
    return any(word in name for word in ("whitespace", "lines", "header", "footer", "indent"))


def _bound_by(node: cst.CSTNode) -> list[str]:
    if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
        return [node.name.value]
    if isinstance(node, cst.Param):
        return [node.name.value]
    if isinstance(node, (cst.AssignTarget, cst.AnnAssign, cst.For, cst.CompFor, cst.NamedExpr)):
        return [name.value for name in _names(node.target)]
    if isinstance(node, cst.AsName) and isinstance(node.name, cst.Name):
        return [node.name.value]
    return []


def _names(target: cst.CSTNode) -> list[cst.Name]:
    if isinstance(target, cst.Name):
        return [target]
    if isinstance(target, (cst.Tuple, cst.List)):
        return [name for element in target.elements for name in _names(element.value)]
    return []


def _covers(outer: Span, inner: Span) -> bool:
    begins = (outer.line, outer.column) <= (inner.line, inner.column)
    return begins and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)


class Files:
    """The files of a project, each read once."""

    def __init__(self, read: Callable[[str], Source | Problem | None]) -> None:
        self._read = read
        self._files: dict[str, File | None] = {}

    def there(self, path: str) -> File | None:
        """The file, None where there is none."""
        if path not in self._files:
            found = self._read(path)
            if isinstance(found, Problem):
                raise Impossible
            self._files[path] = None if found is None else File(found)
        return self._files[path]

    def file(self, path: str) -> File:
        """The file that has to be there."""
        found = self.there(path)
        if found is None:
            raise Impossible
        return found
