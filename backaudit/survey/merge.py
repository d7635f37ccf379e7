"""Several back ends of one repository as one survey: each route, table and schema says whose it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TypeVar

import msgspec

from backaudit.survey.records import (
    CollectionRow,
    ColumnRow,
    Guarding,
    RouteRow,
    SchemaRow,
    SecurityScheme,
    Survey,
    TableRow,
)

RowT = TypeVar("RowT", RouteRow, SchemaRow, TableRow, CollectionRow)


def merged(several: Sequence[tuple[str, Survey]]) -> Survey:
    """One survey of all, each given with its application's name, by which what two call the same is told apart."""
    if len(several) == 1:
        return several[0][1]
    stored = _shared((*survey.tables, *survey.collections) for _, survey in several)
    titles = _shared(survey.schemas for _, survey in several)
    schemes = _ambiguous(survey.security for _, survey in several)
    own = [_Own(name, stored, titles, schemes).of(survey) for name, survey in several]
    return Survey(
        files=sum(survey.files for survey in own),
        routes=_once(survey.routes for survey in own),
        schemas=_once(survey.schemas for survey in own),
        tables=_once(survey.tables for survey in own),
        collections=_once(survey.collections for survey in own),
        security={name: scheme for survey in own for name, scheme in survey.security.items()},
    )


def _shared(several: Iterable[Iterable[TableRow | CollectionRow | SchemaRow]]) -> frozenset[str]:
    """The names that stand for different things in two of them; what two share is one thing, and keeps its name."""
    things = {(_shown(row), row.at) for rows in several for row in rows}
    counted = Counter(name for name, _ in things)
    return frozenset(name for name, count in counted.items() if count > 1)


def _shown(row: TableRow | CollectionRow | SchemaRow) -> str:
    return row.title if isinstance(row, SchemaRow) else row.name


def _ambiguous(several: Iterable[Mapping[str, SecurityScheme]]) -> frozenset[str]:
    found: dict[str, SecurityScheme] = {}
    pairs = chain.from_iterable(schemes.items() for schemes in several)
    return frozenset(name for name, scheme in pairs if found.setdefault(name, scheme) != scheme)


def _once(several: Iterable[Sequence[RowT]]) -> tuple[RowT, ...]:
    """What two applications share is told once, with the first of them."""
    found: dict[object, RowT] = {}
    for row in chain.from_iterable(several):
        key = (row.at, row.methods, row.path) if isinstance(row, RouteRow) else (row.at, row.name)
        found.setdefault(key, row)
    return tuple(found.values())


class _Own:
    """One application's rows under names that are its own."""

    def __init__(
        self, application: str, stored: frozenset[str], titles: frozenset[str], schemes: frozenset[str]
    ) -> None:
        self._application = application
        self._stored, self._titles, self._schemes = stored, titles, schemes

    def of(self, survey: Survey) -> Survey:
        """The survey, renamed where another has the same names."""
        return msgspec.structs.replace(
            survey,
            routes=tuple(map(self._route, survey.routes)),
            schemas=tuple(
                msgspec.structs.replace(row, title=self._told(row.title, self._titles)) for row in survey.schemas
            ),
            tables=tuple(map(self._table, survey.tables)),
            collections=tuple(
                msgspec.structs.replace(row, name=self._told(row.name, self._stored), application=self._application)
                for row in survey.collections
            ),
            security={self._told(name, self._schemes): scheme for name, scheme in survey.security.items()},
        )

    def _told(self, name: str, ambiguous: frozenset[str]) -> str:
        return f"{name} ({self._application})" if name in ambiguous else name

    def _route(self, row: RouteRow) -> RouteRow:
        return msgspec.structs.replace(
            row,
            application=self._application,
            group=f"{self._application}: {row.group}" if row.group else self._application,
            guards=tuple(map(self._guard, row.guards)),
            reads=tuple(self._told(name, self._stored) for name in row.reads),
            writes=tuple(self._told(name, self._stored) for name in row.writes),
        )

    def _guard(self, guard: Guarding) -> Guarding:
        return msgspec.structs.replace(guard, scheme=self._told(guard.scheme, self._schemes))

    def _table(self, row: TableRow) -> TableRow:
        return msgspec.structs.replace(
            row,
            application=self._application,
            name=self._told(row.name, self._stored),
            columns=tuple(map(self._column, row.columns)),
        )

    def _column(self, column: ColumnRow) -> ColumnRow:
        table, dot, name = column.references.rpartition(".")
        return msgspec.structs.replace(column, references=f"{self._told(table, self._stored)}{dot}{name}")
