"""Indexes that another index of the same table makes superfluous."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.data.schema import Index, Table, schema
from backaudit.facts.place import Place
from backaudit.project import Project


class Redundant(msgspec.Struct, frozen=True):
    """An index that ``other`` serves for; ``place``: where the superfluous one is declared."""

    table: str
    index: Index
    other: Index
    place: Place


def redundant_indexes(project: Project) -> tuple[Redundant, ...]:
    """Non-unique indexes over the first columns of another index, by table."""
    return project.once(_redundant)


def _redundant(project: Project) -> tuple[Redundant, ...]:
    tables = schema(project).tables
    return tuple(found for name in sorted(tables) for found in _of_table(project, tables[name]))


def _of_table(project: Project, table: Table) -> Iterator[Redundant]:
    for number, index in enumerate(table.indexes):
        # Of a model's table, old migrations tell what was once; the model tells what is meant.
        if index.place is None or index.unique or project.role(index.place.path) not in ("production", "migration"):
            continue
        if table.model and project.role(index.place.path) == "migration":
            continue
        others = (other for n, other in enumerate(table.indexes) if n != number and _covers(other, index, n < number))
        other = next(others, None)
        if other is not None:
            yield Redundant(table.name, index, other, index.place)


def _covers(other: Index, index: Index, earlier: bool) -> bool:
    """Whether ``other`` begins with the keys of ``index``; of two equal ones only the later is superfluous."""
    if (other.method, other.where) != (index.method, index.where) or index.method != "btree":
        return False
    if other.keys[: len(index.keys)] != index.keys:
        return False
    return len(other.keys) > len(index.keys) or other.unique or earlier
