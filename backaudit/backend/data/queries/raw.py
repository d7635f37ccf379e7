"""Query sites in SQL text: what is passed to an execution, followed through constants, formats and sums."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backaudit.backend.data.queries.handing import handing
from backaudit.backend.data.queries.named import calls_of_named
from backaudit.backend.data.queries.records import QuerySite
from backaudit.backend.data.queries.wrappers import wrapper_sites
from backaudit.backend.data.running import statement_given
from backaudit.backend.data.schema import Schema, schema
from backaudit.facts import ops
from backaudit.facts.place import Place, Span
from backaudit.project import Node, Project
from backaudit.project.strings import spelled_strings
from backaudit.sql import BEYOND, MAX_TEXT, Statement, Use, looks_like_query, statement

# How many lines apart two things are seen as one.
_SIGHT = 3
_DEPTH = 12


def raw_sites(project: Project) -> Iterator[QuerySite]:
    """A site for every SELECT, UPDATE or DELETE in the SQL that the project runs."""
    memo: dict[str, Statement | None] = {}
    for last in sorted(project.models.kinds["sql-runners"]):
        for node in project.calls_of(last):
            first = statement_given(node)
            if first is not None:
                yield from _sites(project, node, first, memo)
    for code, index in project.once(handing).items():
        for call in project.callers(code):
            given = project.argument(call, code, index)
            if given is not None:
                yield from _sites(project, call, given, memo)
    yield from wrapper_sites(project)
    for node, text in calls_of_named(project):
        parsed = statement(text)
        if parsed is not None:
            yield from _scopes(project, node, node, parsed)


def _sites(project: Project, node: Node, first: Node, memo: dict[str, Statement | None]) -> Iterator[QuerySite]:
    texts = sorted((t for t in spelled_strings(project, first) if looks_like_query(t)), key=lambda t: (-len(t), t))
    seen: set[tuple[str, str, str, str]] = set()
    for text in texts:
        if len(text) > MAX_TEXT:
            project.not_asked(node.place, f"what this statement asks, {BEYOND}.")
        if text not in memo:
            memo[text] = statement(text)
        parsed = memo[text]
        if parsed is None:
            continue
        for site in _scopes(project, node, first, parsed):
            keys = {(use.table, use.column, use.role, use.form) for use in site.uses}
            if not keys <= seen:
                seen |= keys
                yield site


def _scopes(project: Project, node: Node, first: Node, parsed: Statement) -> Iterator[QuerySite]:
    asked = [_asked(project, parsed, number) for number in range(len(parsed.scopes))]
    for number, scope in enumerate(parsed.scopes):
        uses = asked[number]
        others = asked[:number] + asked[number + 1 :]
        if uses:
            yield QuerySite(
                place=_place(node, first, uses),
                code=node.code,
                node=node,
                uses=uses,
                companions=tuple(use for group in others for use in group),
                limited=scope.limited,
                raw=True,
                verb=scope.verb,
                tables=tuple(filter(None, scope.tables)),
                places=_fragment_places(project, first, uses),
            )


def _asked(project: Project, parsed: Statement, number: int) -> tuple[Use, ...]:
    """What one of the scopes of a statement asks, with the tables as the schema spells them."""
    around, tables = parsed.scopes[number].tables, schema(project)
    known = (_resolved(use, around, tables) for use in parsed.uses if use.scope == number)
    return tuple(dict.fromkeys(use for use in known if use is not None))


def _place(node: Node, first: Node, uses: tuple[Use, ...]) -> Place:
    """The execution; if the condition is out of sight from there, the end of its text, which is not."""
    execution = _execution_place(node)
    literal = first.origin
    if not isinstance(literal.op, ops.Const) or literal.code is not node.code or literal.text is None:
        return execution
    here, end = execution.span.line, literal.at.end_line
    far = here - _line_of(literal, uses[0].column) > _SIGHT
    return Place.at_line(node.code.path, end) if far and 0 <= here - end <= _SIGHT else execution


def _line_of(literal: Node, column: str) -> int:
    """The line of a literal on which a column is last named; its middle if the text does not follow its lines."""
    written, at = literal.text or "", literal.at
    matches = list(re.finditer(rf"\b{re.escape(column)}\b", written, re.I))
    if written.count("\n") != at.end_line - at.line or not matches:
        return (at.line + at.end_line) // 2
    return at.line + written.count("\n", 0, matches[-1].start())


def _execution_place(node: Node) -> Place:
    func = node.func
    at = func.at if func is not None else node.at
    start = max(at.end_column - len(node.method), 0)
    return Place(node.code.path, Span(at.end_line, start, at.end_line, at.end_column))


def _resolved(use: Use, around: tuple[str, ...], tables: Schema) -> Use | None:
    """The use with its real table and column as the schema spells them; None if the table is unknown."""
    names = [use.table] if use.table else [name for name in around if _has(tables, name, use.column)]
    table = tables.table(names[0]) if len(names) == 1 else None
    if table is None or not table.columns:
        return None
    column = table.column(use.column)
    name = column.name if column is not None else use.column
    other = use.other
    if other[1] and not other[0]:
        owners = [n for n in around if n != names[0] and _has(tables, n, other[1])]
        other = (owners[0], other[1]) if len(owners) == 1 else other
    return msgspec.structs.replace(use, table=table.name, column=name, other=other)


def _has(tables: Schema, name: str, column: str) -> bool:
    table = tables.table(name)
    return table is not None and table.column(column) is not None


def _fragment_places(project: Project, first: Node, uses: tuple[Use, ...]) -> dict[int, Place]:
    """Places of uses that a later piece of the text adds: there a reader finds the condition."""
    pieces = list(_pieces(first, 0))
    found: dict[int, Place] = {}
    if len(pieces) < 2:
        return found
    for index, use in enumerate(uses):
        word = re.compile(rf"\b{re.escape(use.column)}\b", re.I)
        holders = [number for number, piece in enumerate(pieces) if word.search(_spelled(project, piece))]
        if len(holders) == 1 and holders[0] > 0:
            found[index] = pieces[holders[0]].place
    return found


def _spelled(project: Project, piece: Node) -> str:
    return " ".join(spelled_strings(project, piece))


def _pieces(node: Node, depth: int) -> Iterator[Node]:
    node = node.origin
    op = node.op
    if node.code.project.gives_up(depth, _DEPTH, node.place):
        return
    if isinstance(op, ops.Bin) and op.operator == "+":
        yield from _pieces(node.to(op.left), depth + 1)
        yield from _pieces(node.to(op.right), depth + 1)
    elif isinstance(op, ops.Phi):
        seen: dict[Node, None] = {}
        for value in op.values:
            seen |= dict.fromkeys(_pieces(node.to(value), depth + 1))
        yield from seen
    else:
        yield node
