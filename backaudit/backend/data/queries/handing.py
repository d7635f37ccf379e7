"""SQL that is handed on: which of a call's arguments is a statement that it, or whom it calls, executes.

A project's own connection class (``database.query(sql, values)``) knows no statement; who calls it writes one.
"""

from __future__ import annotations

from collections.abc import Mapping

from backaudit.backend.data.running import statement_given
from backaudit.facts import ops
from backaudit.project import Code, Node, Project


def executed_statement(project: Project, call: Node) -> Node | None:
    """The statement that a call is given to execute."""
    if call.func is None:
        return None
    if _is_execution(project, call):
        return statement_given(call)
    known = project.once(handing)
    for code in project.callees(call) if known else ():
        if code in known:
            return project.argument(call, code, known[code])
    return None


def fetched_by_helper(project: Project, call: Node) -> Node | None:
    """The statement of which a function of the project gives all rows to a call; None where it is told to give one."""
    known = project.once(handing)
    for code in project.callees(call) if known else ():
        fetches = any(inner.is_call_of("driver-rows") for inner in code.nodes(ops.Call))
        if code in known and fetches and not _asks_for_one(project, call, code):
            return project.argument(call, code, known[code])
    return None


def _asks_for_one(project: Project, call: Node, code: Code) -> bool:
    """Whether a call switches something on (``one=True``), or what the function gives is a row of those it fetched."""
    told = any(value.const is True for value in (*call.args(), *call.keywords().values()))
    return told or any(isinstance(part.op, ops.Item) for given in code.returned() for part in _ways(given))


def _ways(node: Node) -> list[Node]:
    """The values that one may be, first those where it is what was asked for."""
    op = node.origin.op
    if isinstance(op, ops.Choice):
        return [] if _has_switch(node.origin, op) else [node.origin.to(op.then).origin, node.origin.to(op.other).origin]
    return [node.origin]


def _has_switch(node: Node, op: ops.Choice) -> bool:
    """Whether a parameter decides what is given."""
    return isinstance(node.to(op.test).origin.op, ops.Param)


def _is_execution(project: Project, call: Node) -> bool:
    func = call.func
    if func is None or call.method not in project.once(_sql_methods):
        return False
    known = project.models.sinks.get("sql", {})
    return call.method.startswith("execute") or any(name in known for name in project.names(func))


def handing(project: Project) -> Mapping[Code, int]:
    """The project's functions whose parameter of this index is executed as it is, by them or by whom they call."""
    found: dict[Code, int] = {}
    executions = (call for method in sorted(project.once(_sql_methods)) for call in project.calls_of(method))
    given = [(call.code, statement_given(call)) for call in executions if _is_execution(project, call)]
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
