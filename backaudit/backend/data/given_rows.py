"""Rows that are handed over beside the statement or the class that they are for."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.data.running import statement_given
from backaudit.project import Node, Project

_CHANGES = ("insert", "update")
_RUNS = ("execute", "execute_many")


class GivenRows(msgspec.Struct, frozen=True):
    """``call`` writes ``rows``, a mapping or several, into ``table``: the class or the table that is named there."""

    call: Node
    rows: Node
    table: Node


def given_rows(project: Project) -> tuple[GivenRows, ...]:
    """``execute(insert(Member), rows)``, ``bulk_insert_mappings(Member, rows)``. Ask with ``project.once``."""
    return (*_by_class(project), *_by_statement(project))


def _by_class(project: Project) -> Iterator[GivenRows]:
    for name in sorted(project.models.kinds["bulk-mappings"]):
        for call in project.calls(name):
            table, rows = call.arg(0), call.arg(1, "mappings")
            if table is not None and rows is not None:
                yield GivenRows(call, rows, table)


def _by_statement(project: Project) -> Iterator[GivenRows]:
    for method in _RUNS:
        for call in project.calls_of(method):
            statement = statement_given(call)
            rows = call.arg(1, "values") or call.arg(None, "params")
            table = _changed(project, statement) if statement is not None and rows is not None else None
            if rows is not None and table is not None:
                yield GivenRows(call, rows, table)


def _changed(project: Project, statement: Node) -> Node | None:
    """What a statement inserts into or updates: ``insert(Member)``, ``members.insert()``."""
    link: Node | None = project.resolved(statement)
    while link is not None and link.call is not None:
        if link.method in _CHANGES:
            return link.arg(0) or link.receiver
        link = link.receiver.origin if link.receiver is not None else None
    return None
