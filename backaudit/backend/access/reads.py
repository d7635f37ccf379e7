"""The tables whose rows a body reads, itself or through the project's functions that it calls."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from backaudit.backend.access.changes import collection_name
from backaudit.backend.access.statements import SQL_READ, SQL_WRITE, sql_text
from backaudit.backend.access.tables import fetched_table, repository_table, told_table
from backaudit.backend.data.schema import Table, schema
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.nodes import operands
from backaudit.project.summaries import Summary, by_calls, summary

# Of what a function reads, so much stands for each call of it.
_SHOWN = 4


class Read(msgspec.Struct, frozen=True):
    """A look at stored rows, as a call in the body asked about; ``table`` is None where only its ``name`` is known."""

    node: Node
    name: str
    table: Table | None


def reads(project: Project, code: Code) -> tuple[tuple[Node, Table], ...]:
    """The tables whose rows a body reads, itself or through the project's functions, as calls in that body."""
    return tuple((read.node, read.table) for read in looked_at(project, code) if read.table is not None)


def looked_at(project: Project, code: Code) -> tuple[Read, ...]:
    """The same, with the tables and collections of which no more than the name is known."""
    return project.once(_summary).ask(code)


def is_counted(node: Node) -> bool:
    """Whether of the rows that a call gives no more is used than how many they are."""
    code = node.code
    held, waiting = {node.value}, [node.value]
    while waiting:
        value = waiting.pop()
        for at, op in enumerate(code.ops):
            if at in held or value not in operands(op):
                continue
            if not _hands_on(code.node(at), value):
                if not _counts(code.node(at)):
                    return False
                continue
            held.add(at)
            waiting.append(at)
    return True


def _counts(use: Node) -> bool:
    """``len(rows)``, ``rows.count()``, and what is asked of them in a condition."""
    if isinstance(use.op, ops.Call):
        return use.spelled == "len()" or use.is_call_of("row-counts")
    return isinstance(use.op, (ops.Compare, ops.Unary))


def _hands_on(use: Node, value: int) -> bool:
    """Whether an operation gives the same rows, more or fewer of them, or one of their methods."""
    op = use.op
    if isinstance(op, ops.Call):
        first = use.arg(0)
        collected = first is not None and first.value == value and use.spelled in ("set()", "list()", "tuple()")
        return collected or (op.func == value and not use.is_call_of("row-counts"))
    return isinstance(op, (ops.Bind, ops.Attr, ops.Await)) or (isinstance(op, ops.Bin) and op.operator in "-|&^")


def _summary(project: Project) -> Summary[Read]:
    return summary(project, lambda code: _reads(project, code))


def _reads(project: Project, code: Code) -> Iterator[Read]:
    def inner(call: Node, callee: Code) -> Iterator[Read]:
        for read in looked_at(project, callee)[:_SHOWN]:
            own = told_table(project, call, callee, read.table) if read.table is not None else None
            if own is read.table:
                yield Read(call, read.name, own)
            elif own is not None:
                yield Read(call, own.model.rpartition(".")[2] or own.name, own)

    return by_calls(code, partial(_read, project), inner)


def _read(project: Project, call: Node) -> Read | None:
    sql = sql_text(project, call)
    found = SQL_READ.search(sql) if sql and not SQL_WRITE.search(sql) else None
    if found is not None:
        named = schema(project).table(found[1].rpartition(".")[2])
        return Read(call, named.name if named is not None else found[1], named)
    rows, documents = call.is_call_of("reads-rows"), call.is_call_of("reads-documents") and call.receiver is not None
    table = repository_table(project, call) or fetched_table(project, call) if rows or documents else None
    if table is not None:
        return Read(call, table.model.rpartition(".")[2] or table.name, table) if rows else None
    document = collection_name(project, call) if documents else ""
    return Read(call, document, None) if document else None
