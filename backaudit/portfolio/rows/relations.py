"""Whether there is a relational schema: tables, relations between them, constraints, and columns that hold lists."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.changes import changes
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import counted, lack, listed, paired, place_of, surveyed
from backaudit.portfolio.tables import own_tables
from backaudit.project import Node, Project
from backaudit.project.types import split
from backaudit.survey.records import TableRow

ENOUGH = 3


def row(project: Project) -> Row:
    """Three tables at least, with keys between them."""
    tables = own_tables(project)
    return Row(
        key="relations",
        title="Relational schema",
        facts=tuple(_facts(project, tables)),
        lacks=tuple(_lacks(project, tables)),
        basis=bool(tables or _asked_for(project)),
    )


def _facts(project: Project, tables: tuple[TableRow, ...]) -> Iterator[Fact]:
    if tables:
        at = next((table.at for table in tables if table.at is not None), None)
        yield Fact(f"{counted(len(tables), 'table')}: {listed([table.name for table in tables], 8)}", place_of(at))
        keys = [column.references for table in tables for column in table.columns]
        indexes = [index for table in tables for index in table.indexes]
        unique = sum(index.unique for index in indexes)
        yield Fact(
            f"{counted(len(list(filter(None, keys))), 'foreign key')}, {counted(unique, 'unique constraint')}, "
            f"{counted(len(indexes) - unique, 'further index', 'further indexes')}"
        )
    documents = surveyed(project).collections
    if documents:
        text = f"{counted(len(documents), 'collection')} of documents: {listed([one.name for one in documents])}"
        yield Fact(text, place_of(documents[0].at))


def _lacks(project: Project, tables: tuple[TableRow, ...]) -> Iterator[Lack]:
    asked = _asked_for(project) if not tables else []
    if asked:
        text = f"{counted(len(asked), 'table')} are asked in SQL and declared nowhere here: {listed(asked)}"
        yield lack(project, "relations/undeclared", text)
        return
    if not tables:
        yield lack(project, "relations/none", "there is no relational table")
        return
    if len(tables) < ENOUGH:
        yield lack(project, "relations/few", f"{counted(len(tables), 'table')}, where three are expected")
    if not any(column.references for table in tables for column in table.columns):
        yield lack(project, "relations/keys", "no table refers to another by a foreign key")
    for name, place in lists_in_columns(project):
        yield lack(project, "relations/lists", f"`{name}` holds a list in one text", place)


def _asked_for(project: Project) -> list[str]:
    """What SQL of the routes changes although no table of that name is known; documents are no tables."""
    if surveyed(project).collections:
        return []
    found: set[str] = set()
    for _, route in project.once(paired):
        found.update(change.name for change in changes(project, route.handler) if change.table is None)
    return sorted(found)


def lists_in_columns(project: Project) -> tuple[tuple[str, Place], ...]:
    """Columns whose text the code takes apart, or puts together, by a separator: a list where a table belongs."""
    return project.once(_lists_in_columns)


def _lists_in_columns(project: Project) -> tuple[tuple[str, Place], ...]:
    models = {table.model: table for table in own_tables(project) if table.model}
    found: dict[str, Place] = {}
    for call in project.calls_of("split"):
        separator, receiver = call.arg(0), call.receiver
        if separator is None or separator.text not in (",", ";", "|", ", ") or receiver is None:
            continue
        name = _column(project, models, receiver)
        if name and project.role(call.code.path) == "production":
            found.setdefault(name, call.place)
    return tuple(sorted(found.items()))


def _column(project: Project, models: dict[str, TableRow], node: Node) -> str:
    """``Post.tags`` for an attribute of a row that is a column; empty for anything else."""
    op = node.origin.op
    if not isinstance(op, ops.Attr):
        return ""
    for kind in project.types(node.origin.to(op.base)):
        table = models.get(split(kind)[0])
        if table is not None and any(column.name == op.name for column in table.columns):
            return f"{table.model.rpartition('.')[2]}.{op.name}"
    return ""
