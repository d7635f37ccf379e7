"""Statements that write a client's values: SQL as text, and those that a library builds of a model."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backaudit.analyses.errors.conflicts.writes import Constrained, Write, client, constrained
from backaudit.backend.access.statements import sql_text
from backaudit.backend.access.tables import touched_table
from backaudit.backend.data.queries.chains import chain_of
from backaudit.backend.data.queries.handing import handing
from backaudit.backend.data.running import statement_given
from backaudit.backend.data.schema import Table, schema
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.strings import spelled_strings

_INSERT = re.compile(r"^\s*insert\s+into\s+[\"`\[]?([\w.]+)[\"`\]]?\s*\(([^)]*)\)(.*)$", re.IGNORECASE | re.DOTALL)
_INSERT_ALL = re.compile(r"\s*INSERT\s+INTO\s+([\w.\"`]+)\s+VALUES\s*\(([^()]*)\)", re.I)
_PLACEHOLDER = re.compile(r"\$\d+$|\?$|%s$|:\w+$|%\(")
_UPDATE = re.compile(r"^\s*update\s+[\"`\[]?([\w.]+)[\"`\]]?\s+set\s+(.*?)(?:\bwhere\b.*)?$", re.IGNORECASE | re.DOTALL)
_SET = re.compile(r"[\"`\[]?(\w+)[\"`\]]?\s*=\s*(%s|\?|\$\d+|:(\w+)|%\((\w+)\)s)", re.IGNORECASE)
_TOLERANT = re.compile(r"on\s+conflict|on\s+duplicate|where\s+not\s+exists", re.IGNORECASE)


def statements(project: Project) -> Iterator[Write]:
    """What statements write into constrained columns."""
    yield from _texts(project)
    yield from _built(project)


# -- text ----------------------------------------------------------------------------------------------------------


def _texts(project: Project) -> Iterator[Write]:
    """``execute("INSERT INTO …", values)``, by a driver or by a function of the project that hands it to one."""
    names = {"execute", "executemany", "fetchrow", "fetchval", *(code.function.name for code in project.once(handing))}
    for call in dict.fromkeys(call for name in sorted(names) for call in project.calls_of(name)):
        text = _statement(project, call) if call.code.file.role == "production" else ""
        inserted, updated = _INSERT.match(text), _UPDATE.match(text)
        if inserted is not None and not _TOLERANT.search(inserted[3]):
            columns = [name.strip(' "`[]\n\t') for name in inserted[2].split(",")]
            yield from _bound(project, call, inserted[1], columns, fresh=True)
        elif (unnamed := _INSERT_ALL.match(text)) is not None and not _TOLERANT.search(text):
            columns = _in_order(project, unnamed[1], unnamed[2])
            yield from _bound(project, call, unnamed[1], columns, fresh=True)
        elif updated is not None:
            yield from _bound(project, call, updated[1], [m[1] for m in _SET.finditer(updated[2])], fresh=False)


def _in_order(project: Project, named: str, written: str) -> list[str]:
    """The columns that get a bound value where a statement names none: those of the table, in its order."""
    table = project.once(schema).table(named.rpartition(".")[2].strip(' "`[]'))
    values = [value.strip() for value in written.split(",")]
    names = [column.name for column in table.columns] if table is not None else []
    return [name for name, value in zip(names, values, strict=False) if _PLACEHOLDER.match(value)]


def _statement(project: Project, call: Node) -> str:
    first = statement_given(call)
    written = next(iter(spelled_strings(project, first)), "") if first is not None else ""
    return written or sql_text(project, call)


def _bound(project: Project, call: Node, named: str, columns: list[str], *, fresh: bool) -> Iterator[Write]:
    table = project.once(schema).table(named.rpartition(".")[2])
    for column in _settable(table, fresh=fresh) if table is not None else ():
        value = _value(call, columns, column)
        origin = client(project, value) if value is not None else None
        if table is not None and value is not None and origin is not None:
            yield Write(table, column.attribute, column.unique, value, call, call, origin, fresh=fresh)


def _settable(table: Table, *, fresh: bool) -> Iterator[Constrained]:
    """The constrained columns of new rows, or of rows that are there: nobody changes a key."""
    return (column for column in constrained(table) if fresh or not column.key)


def _value(call: Node, names: list[str], column: Constrained) -> Node | None:
    """The value bound to a column: by name, or by the order of the columns, in a display or as arguments."""
    lowered = [name.lower() for name in names]
    if column.column.lower() not in lowered or len(call.args()) < 2:
        return None
    index = lowered.index(column.column.lower())
    values = _first_row(call.args()[1].origin)
    made = values.op
    if not isinstance(made, ops.Build):
        return call.args()[index + 1] if len(call.args()) == len(names) + 1 else None
    if made.kind == "dict":
        return next((value for key, value in values.entries() if key.text == column.column), None)
    return values.to(made.items[index]) if index < len(made.items) else None


def _first_row(values: Node) -> Node:
    """Of rows that are written out one by one the first, else the values themselves."""
    op = values.op
    first = values.to(op.items[0]).origin if isinstance(op, ops.Build) and op.kind == "list" and op.items else None
    return first if first is not None and isinstance(first.op, ops.Build) else values


# -- built by a library --------------------------------------------------------------------------------------------


class Built(msgspec.Struct, frozen=True):
    """A statement that a library builds: what gives its values, what runs it, and whether it makes a row."""

    table: Table
    call: Node
    run: Node
    fresh: bool


def built(project: Project) -> Iterator[Built]:
    """``insert(Model).values(…)``, ``Model.insert(…)``, ``query.update(…)``, where a conflict is not meant to be."""
    storing = project.models.kinds["stores-a-row"]
    tolerant = project.models.kinds["tolerates-conflicts"] | project.models.kinds["makes-if-missing"]
    for call in project.calls(*sorted(project.models.kinds["row-writers"])):
        receiver = call.receiver
        if receiver is None or call.code.file.role != "production" or call.method in storing:
            continue
        table = touched_table(project, receiver)
        run = _run_by(call)
        links = {link.method for link in (*chain_of(run), *chain_of(run.arg(0) or run)) if link.call is not None}
        if table is not None and tolerant.isdisjoint(links):
            yield Built(table, call, run, any("insert" in link for link in links))


def _built(project: Project) -> Iterator[Write]:
    for one in built(project):
        for column in _settable(one.table, fresh=one.fresh):
            value = one.call.arg(None, column.attribute) or _entry(one.call, column)
            origin = client(project, value) if value is not None else None
            if value is not None and origin is not None:
                yield Write(one.table, column.column, column.unique, value, one.call, one.run, origin, fresh=one.fresh)


def _entry(call: Node, column: Constrained) -> Node | None:
    """The entry of a mapping of columns, or of their names, that a call is given."""
    entries = (entry for argument in call.args() for entry in argument.entries())
    named = ((key.text or key.spelled.rpartition(".")[2], value) for key, value in entries)
    return next((value for name, value in named if name in (column.attribute, column.column)), None)


def _run_by(call: Node) -> Node:
    """The call that runs the statement which ``call`` is a part of; its chain's last where nobody else does."""
    code, last = call.code, call
    for node in code.nodes(ops.Call):
        if node.value > call.value:
            first = node.arg(0)
            if call in chain_of(node):
                last = node
            elif first is not None and node.is_call_of("statement-runners") and last in chain_of(first):
                return node
    return last
