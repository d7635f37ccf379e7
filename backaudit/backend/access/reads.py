"""The tables whose rows a body reads, itself or through the project's functions that it calls."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.changes import DEPTH
from backaudit.backend.access.statements import SQL_READ, SQL_WRITE, sql_text
from backaudit.backend.data.queries.chains import table_of
from backaudit.backend.data.schema import Table, schema
from backaudit.facts import ops
from backaudit.project import Code, Node, Project

_SELECTS = frozenset(
    {"select", "query", "all", "filter", "filter_by", "get", "first", "get_or_404", "get_object_or_404"}
)


def reads(project: Project, code: Code, depth: int = 0) -> tuple[tuple[Node, Table], ...]:
    """The tables whose rows a body reads, itself or through the project's functions, as calls in that body."""
    memory = project.once(_read_memory)
    key = (code, depth)
    if key not in memory:
        memory[key] = ()
        memory[key] = tuple(_reads(project, code, depth))
    return memory[key]


def _read_memory(project: Project) -> dict[tuple[Code, int], tuple[tuple[Node, Table], ...]]:
    return {}


def _reads(project: Project, code: Code, depth: int) -> Iterator[tuple[Node, Table]]:
    for call in code.nodes(ops.Call):
        sql = sql_text(project, call)
        found = SQL_READ.search(sql) if sql and not SQL_WRITE.search(sql) else None
        table = schema(project).table(found[1].rpartition(".")[2]) if found else None
        if table is None and call.method in _SELECTS:
            table = table_of(project, call)
        if table is not None:
            yield call, table
        elif depth < DEPTH - 1:
            for callee in project.callees(call):
                inner = reads(project, callee, depth + 1) if callee != code else ()
                yield from ((call, inner_table) for _, inner_table in inner[:4])
