"""A client's value on its way into a column whose constraint can refuse it, and the columns that have one."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.data.schema import Column, Table
from backaudit.flow.client import ClientValue
from backaudit.flow.trace import Origin, Trace
from backaudit.project import Node, Project
from backaudit.project.locate import imported_packages
from backaudit.project.nodes import Access


def refused_by(project: Project) -> tuple[str, ...]:
    """What a store raises for a row that a constraint refuses."""
    return tuple(sorted(project.models.kinds["refuses-the-constrained"]))


def exception_told(project: Project) -> str:
    """The one of them that a reader is told: of a library that the project imports, else the commonest name."""
    return project.once(_exception_told)


def _exception_told(project: Project) -> str:
    known = refused_by(project)
    imported = project.once(imported_packages)
    own = [name for name in known if name.partition(".")[0] in imported]
    return max(own or known, key=lambda name: name.endswith(".IntegrityError"))


class Write(msgspec.Struct, frozen=True):
    """A client's value for a constrained column; ``made`` gives it to the row, ``node`` stores the row.

    ``access``: the part of ``value`` that is meant. ``fresh``: the row is a new one. ``row``: the row as the body knows
    it where it is stored, if it was made in another.
    """

    table: Table
    column: str
    unique: bool
    value: Node
    made: Node
    node: Node
    origin: Origin
    access: Access = ()
    fresh: bool = True
    row: Node | None = None

    @property
    def asked_by(self) -> set[str]:
        """The columns by which one asks whether the value is taken, lower case."""
        names = [name.strip().lower() for name in self.column.split(",")]
        return {*names, *(name.removesuffix("_id") for name in names), "id", "pk"}

    @property
    def refers_to(self) -> str:
        """The table in which a row has to be, lower case; empty for a unique column."""
        column = self.table.column(self.column) if not self.unique else None
        return column.references.rpartition(".")[0].lower() if column is not None else ""


class Constrained(msgspec.Struct, frozen=True):
    """A column whose value alone can break a constraint. ``key``: it is the table's key."""

    attribute: str
    column: str
    unique: bool
    key: bool = False


def constrained(table: Table) -> Iterator[Constrained]:
    """The columns that are unique, or refer to a row; not those that the database fills by itself."""
    indexes = (index for index in table.indexes if index.unique and len(index.keys) == 1 and not index.where)
    alone = {index.keys[0].text.lower() for index in indexes}
    for column in table.columns:
        unique = _is_unique(column, table, column.name.lower() in alone)
        if (unique or column.references) and not (column.primary_key and column.default):
            yield Constrained(column.attribute or column.name, column.name, unique, column.primary_key)


def _is_unique(column: Column, table: Table, alone: bool) -> bool:
    if column.primary_key:
        return table.primary_key in ((column.name,), ())
    return column.unique or alone


def together(table: Table) -> Iterator[tuple[str, ...]]:
    """The columns of the keys and unique constraints that have several."""
    for index in table.indexes:
        if index.unique and len(index.keys) > 1 and not index.where and not any(key.expression for key in index.keys):
            yield tuple(key.text for key in index.keys)


def client(project: Project, node: Node, access: Access = ()) -> Origin | None:
    """Where a value comes from, if a client chose it."""
    return next(Trace(project, ClientValue(project)).origins(node, access), None)
