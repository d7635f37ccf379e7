"""Look-ups of rows by keyword, with the tables whose columns the keywords name."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.schema import Column, Table, schema
from backaudit.project import Node, Project
from backaudit.project.types import split

_FUNCTIONS = ("get_object_or_404", "get_list_or_404", "aget_object_or_404")


def keyword_lookups(project: Project) -> Iterator[tuple[Node, Table]]:
    """The look-ups of models by keyword, with the table of the model."""
    for method in sorted(project.models.kinds["keyword-lookups"]):
        for call in project.calls_of(method):
            receiver = call.receiver
            if receiver is not None and call.keywords() and not project.callees(call):
                yield from ((call, table) for table in tables_of(project, receiver))
    for function in _FUNCTIONS:
        for call in project.calls_of(function):
            first = call.arg(0)
            if first is not None:
                yield from ((call, table) for table in tables_of(project, first))


def conditions_apart(project: Project) -> Iterator[tuple[Node, Table]]:
    """Conditions made apart from a query (``Q(authors__id=…)``), with the tables that have what they name first."""
    for call in project.calls(*sorted(project.models.kinds["conditions-by-keyword"])):
        names = {name.partition("__")[0] for name in call.keywords()}
        for table in project.once(schema).tables.values():
            if names and all(table.column(name) is not None or table.relation(name) is not None for name in names):
                yield call, table


def tables_of(project: Project, rows: Node) -> list[Table]:
    """The tables whose rows a manager, a query or a model gives."""
    names = {split(name)[1] or split(name)[0] for name in project.types(rows)}
    found = [project.once(schema).of_model(split(name)[0]) for name in sorted(names)]
    return [table for table in found if table is not None]


def column_named(project: Project, table: Table, lookup: str) -> Column | None:
    """The column that a look-up compares: of the table itself, or of one that its relations lead to."""
    name, *rest = lookup.split("__")
    relation = table.relation(name)
    if rest and relation is not None and rest[0] not in project.models.kinds["compares-plainly"]:
        target = project.once(schema).of_model(relation.target)
        return column_named(project, target, "__".join(rest)) if target is not None else None
    if rest and not (len(rest) == 1 and rest[0] in project.models.kinds["compares-plainly"]):
        return None
    if name == "pk":
        return table.column(table.primary_key[0]) if len(table.primary_key) == 1 else None
    return table.column(name)


__all__ = ["column_named", "conditions_apart", "keyword_lookups", "tables_of"]
