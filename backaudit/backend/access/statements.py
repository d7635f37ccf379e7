"""SQL that is executed as text: which table it writes or reads, which columns its condition compares."""

from __future__ import annotations

import re
from collections.abc import Mapping

from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.strings import spelled_strings

_SQL_TABLE = r"(?:[\"`\[]?\w+[\"`\]]?\.)*[\"`\[]?(\w+)"  # without its schema and quotes
SQL_WRITE = re.compile(rf"^\s*(insert\s+into|update|delete\s+from|replace\s+into)\s+{_SQL_TABLE}", re.I)
SQL_READ = re.compile(rf"\bfrom\s+{_SQL_TABLE}", re.I)
SQL_WHERE = re.compile(r"\bwhere\b(.*)", re.I | re.S)
SQL_EQUAL = re.compile(r"([\w.\"`]+)\s*=\s*(?:%|\?|:|\$|\{|'|\ufffc|<)", re.I)


def sql_text(project: Project, call: Node) -> str:
    """The SQL that a call executes, with unknown parts as a mark; empty if it executes none.

    A function of the project that hands a parameter on to be executed executes what it is called with.
    """
    first = _executed(project, call)
    for text in spelled_strings(project, first) if first is not None else ():
        if re.match(r"\s*(select|insert|update|delete|replace|with)\b", text, re.I):
            return text
    return ""


def _executed(project: Project, call: Node) -> Node | None:
    """The statement that a call is given to execute."""
    if call.func is None:
        return None
    if _is_execution(project, call):
        return call.arg(0, "query")
    handing = project.once(_handing)
    for code in project.callees(call) if handing else ():
        if code in handing:
            return project.argument(call, code, handing[code])
    return None


def _is_execution(project: Project, call: Node) -> bool:
    func = call.func
    if func is None or call.method not in project.once(_sql_methods):
        return False
    known = project.models.sinks.get("sql", {})
    return call.method.startswith("execute") or any(name in known for name in project.names(func))


def _handing(project: Project) -> Mapping[Code, int]:
    """The project's functions whose parameter of this index is executed as it is, by them or by whom they call."""
    found: dict[Code, int] = {}
    executions = (call for method in sorted(project.once(_sql_methods)) for call in project.calls_of(method))
    given = [(call.code, call.arg(0, "query")) for call in executions if _is_execution(project, call)]
    while given:
        code, statement = given.pop()
        index = _whole_parameter(statement)
        if index is not None and code not in found:
            found[code] = index
            given += [(call.code, project.argument(call, code, index)) for call in project.callers(code)]
    return found


def _whole_parameter(statement: Node | None) -> int | None:
    """The parameter that a statement is, with nothing added but its own parameters."""
    while statement is not None and statement.origin.is_call_of("sql-renderers"):
        statement = statement.origin.arg(0)
    op = statement.origin.op if statement is not None else None
    return op.index if isinstance(op, ops.Param) else None


def _sql_methods(project: Project) -> frozenset[str]:
    known = project.models.sinks.get("sql", {})
    return frozenset(name.rpartition(".")[2] for name in known) | {"execute", "executemany"}
