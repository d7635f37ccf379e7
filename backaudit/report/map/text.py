"""The survey for the terminal: routes by router, then tables with columns and indexes, aligned to its width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from backaudit.report.map import words
from backaudit.report.visible import inert, visible_name
from backaudit.survey.records import CollectionRow, RouteRow, Survey, TableRow

MIN_WIDTH, MAX_WIDTH, DEFAULT_WIDTH = 60, 200, 100
MAX_PROBLEMS = 20
_GAP = "  "
_INDENT = "  "
_NARROWEST = 8
_RESET = "\x1b[0m"
_COLOURS: Mapping[str, str] = {"title": "\x1b[1m", "dim": "\x1b[2m", "warn": "\x1b[33m", "method": "\x1b[36m"}
_HEADINGS = ("method", "path", "handler", "auth", "input", "status", "tables")
# Below this width a route's auth, input, statuses and tables stand under it.
_WIDE = 130


def render(
    survey: Survey, *, color: bool = False, width: int = DEFAULT_WIDTH, quiet: bool = False, **options: object
) -> str:
    """The survey as lines of at most ``width`` columns; ``quiet`` leaves out the summary."""
    return _Text(survey, color, min(max(width, MIN_WIDTH), MAX_WIDTH), quiet).render()


class _Text:
    def __init__(self, survey: Survey, color: bool, width: int, quiet: bool) -> None:
        self.survey = survey
        self.color = color
        self.width = width
        self.quiet = quiet

    def render(self) -> str:
        parts = [*self._routes(), *self._tables(), *self._collections(), *self._problems()]
        if not self.quiet:
            summary = f"{words.totals(self.survey)} in {words.counted(self.survey.files, 'file')}."
            parts.append(textwrap.fill(summary, self.width) + "\n")
        return inert("\n".join(parts))

    def paint(self, style: str, text: str) -> str:
        return f"{_COLOURS[style]}{text}{_RESET}" if self.color and text.strip() else text

    # -- routes -------------------------------------------------------------------------------------------------------

    def _routes(self) -> Iterator[str]:
        rows = [(row, _cells(row, self.survey)) for row in self.survey.routes]
        if self.width >= _WIDE:
            yield from self._wide(rows)
            return
        method = min(max((len(cells[0]) for _, cells in rows), default=0), 18)
        for group, several in groupby(rows, key=lambda pair: pair[0].group):
            lines = [self.paint("title", visible_name(group))]
            for row, cells in several:
                lines += [*self._narrow(cells, method), *self._reasons(row)]
            yield "\n".join(lines) + "\n"

    def _wide(self, rows: Sequence[tuple[RouteRow, tuple[str, ...]]]) -> Iterator[str]:
        widths = fitted([_HEADINGS, *(cells for _, cells in rows)], self.width - len(_INDENT))
        for number, (group, several) in enumerate(groupby(rows, key=lambda pair: pair[0].group)):
            lines = [] if number else [self.paint("dim", _INDENT + _row(_HEADINGS, widths)[0])]
            lines.append(self.paint("title", visible_name(group)))
            for row, cells in several:
                lines += [_INDENT + line for line in self._painted(row, _row(cells, widths), widths)]
                lines += self._reasons(row)
            yield "\n".join(lines) + "\n"

    def _painted(self, row: RouteRow, lines: list[str], widths: Sequence[int]) -> Iterator[str]:
        start = sum(widths[:3]) + 3 * len(_GAP)
        for line in lines:
            method, rest = line[: widths[0]], line[widths[0] :]
            auth = line[start : start + widths[3]]
            if not row.authenticates and self.color and len(line) > start:
                rest = line[widths[0] : start] + self.paint("warn", auth) + line[start + widths[3] :]
            yield (self.paint("method", method) + rest).rstrip()

    def _narrow(self, cells: tuple[str, ...], method: int) -> Iterator[str]:
        verbs, path, handler, auth, taken, status, tables = cells
        indent = _INDENT + " " * method + _GAP
        room = self.width - len(indent)
        shown, *more = _wrapped(path, room)
        fits = not more and len(path) + len(handler) + len(_GAP) <= room
        beside = _GAP + self.paint("dim", handler) if fits else ""
        yield f"{_INDENT}{self.paint('method', f'{verbs:<{method}}')}{_GAP}{shown}{beside}"
        yield from (indent + line for line in more)
        if not fits:
            yield from (indent + self.paint("dim", line) for line in _wrapped(handler, room))
        said = [f"auth: {auth}", taken, status, tables]
        for line in textwrap.wrap(
            " · ".join(part for part in said if part), self.width, initial_indent=indent, subsequent_indent=indent,
            break_on_hyphens=False,
        ):  # fmt: skip
            mark = f"auth: {words.NONE}"
            shown = self.paint("dim", line) if mark not in line else line
            yield shown.replace(mark, self.paint("warn", mark)) if mark in line else shown

    def _reasons(self, row: RouteRow) -> Iterator[str]:
        """Each status that is not a success, why, and where that stands."""
        for one in row.told:
            if one.status >= 400:
                method = f"{one.method}: " if one.method else ""
                yield self._filled(f"{one.status}  {method}{one.reason} ({one.at})", _INDENT)

    def _problems(self) -> Iterator[str]:
        problems = self.survey.problems
        if problems:
            lines = [self.paint("title", f"Not (wholly) analysed: {words.counted(len(problems), 'problem')}")]
            for problem in problems[:MAX_PROBLEMS]:
                where = f"{problem.path}:{problem.line}" if problem.line else problem.path
                lines.append(
                    textwrap.fill(
                        visible_name(f"{problem.kind}: {where}: {problem.message}"), self.width, initial_indent=_INDENT,
                        subsequent_indent=_INDENT * 2, break_long_words=False, break_on_hyphens=False,
                    )
                )  # fmt: skip
            rest = len(problems) - MAX_PROBLEMS
            yield "\n".join([*lines, *([f"{_INDENT}… and {rest} more"] if rest > 0 else [])]) + "\n"

    # -- tables -------------------------------------------------------------------------------------------------------

    def _tables(self) -> Iterator[str]:
        for table in self.survey.tables:
            yield "\n".join(self._table(table)) + "\n"

    def _table(self, table: TableRow) -> Iterator[str]:
        yield from self._title(table)
        yield from self._aligned(
            (visible_name(c.name), visible_name(words.column_type(c)), visible_name(", ".join(words.column_notes(c))))
            for c in table.columns
        )
        yield from self._indexes(table)
        if table.differences:
            line = self._filled(words.differences(table), "models and migrations differ: ")
            yield self.paint("warn", line)

    def _title(self, table: TableRow | CollectionRow) -> Iterator[str]:
        said = [
            visible_name(words.table_source(table)),
            *([visible_name(str(table.at))] if table.at is not None else []),
        ]
        title = visible_name(table.name)
        if len(_GAP.join([title, *said])) <= self.width:
            yield self.paint("title", title) + self.paint("dim", "".join(f"{_GAP}{part}" for part in said))
        else:
            yield self.paint("title", title)
            for part in said:
                yield from (self.paint("dim", _INDENT + line) for line in _wrapped(part, self.width - len(_INDENT)))

    def _aligned(self, cells: Iterable[tuple[str, ...]]) -> Iterator[str]:
        rows = list(cells)
        widths = fitted(rows, self.width - len(_INDENT))
        for row in rows:
            yield from (_INDENT + line.rstrip() for line in _row(row, widths))

    def _indexes(self, table: TableRow | CollectionRow) -> Iterator[str]:
        for index in table.indexes:
            yield self._filled(words.index_text(index), "index ")

    def _filled(self, text: str, lead: str) -> str:
        return textwrap.fill(
            visible_name(text), self.width, initial_indent=_INDENT + lead, subsequent_indent=_INDENT * 4,
            break_on_hyphens=False,
        )  # fmt: skip

    # -- collections --------------------------------------------------------------------------------------------------

    def _collections(self) -> Iterator[str]:
        for one in self.survey.collections:
            cells = (
                (visible_name(f.name), visible_name(f.type), visible_name(", ".join(words.field_notes(f))))
                for f in one.fields
            )
            yield "\n".join([*self._title(one), *self._aligned(cells), *self._indexes(one)]) + "\n"


def _cells(row: RouteRow, survey: Survey) -> tuple[str, ...]:
    taken = " · ".join([*words.besides(row), *words.taken(row, survey)])
    cells = (
        words.methods(row), row.path, words.handler(row), words.auth(row), taken, words.statuses(row),
        " · ".join(words.tables(row)),
    )  # fmt: skip
    return tuple(map(visible_name, cells))


def fitted(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Widths of columns: as wide as they need to be, the widest made narrower until all fit."""
    count = max((len(row) for row in rows), default=0)
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(count)]
    room -= len(_GAP) * (count - 1)
    while sum(widths) > room and max(widths) > _NARROWEST:
        widest = max(range(count), key=lambda at: (widths[at], at))
        widths[widest] -= 1
    return widths


def _row(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The lines of one row: cells that are too long go on below."""
    wrapped = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    height = max(map(len, wrapped), default=1)
    return [
        _GAP.join(
            (lines[at] if at < len(lines) else "").ljust(width) for lines, width in zip(wrapped, widths, strict=True)
        ).rstrip()
        for at in range(height)
    ]


def _wrapped(cell: str, width: int) -> list[str]:
    """A cell's lines; paths and dotted names break after a separator."""
    if len(cell) <= width:
        return [cell]
    found: list[str] = []
    rest = cell
    while len(rest) > width:
        at = max(rest.rfind(mark, 1, width) for mark in (" ", "/", "."))
        cut = at + (1 if at > 0 and rest[at] == " " else 0) if at > width // 3 else width
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*found, rest] if rest else found
