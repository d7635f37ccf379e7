"""Helpers that look a row up by the same key, and whose answer is asked before the row is looked up again."""

from __future__ import annotations

from backaudit.backend.access.missing import alike, asked, chain
from backaudit.backend.access.tables import fetched_table, touched_table
from backaudit.backend.data.schema import Table
from backaudit.backend.web.inputs.validators import validators
from backaudit.facts import ops
from backaudit.project import Code, Node, Project


def has_been_told(project: Project, call: Node) -> bool:
    """Whether a function of the project was asked for the row before, and went on being asked what it said."""
    table = touched_table(project, call)
    keys = [compared(argument) for link in chain(call) for argument in (*link.args(), *link.keywords().values())]
    code = call.code
    return table is not None and any(
        asked(code, value, call.value) and _tells(project, code.node(value), table, keys)
        for value in code.before(call.value, ops.Call)
    )


def is_validated(project: Project, call: Node) -> bool:
    """Whether a serializer's own check of a field, which runs before, has looked into the table and may refuse."""
    cls, steps = call.code.cls, project.models.kinds["steps-with-checked-values"]
    table = touched_table(project, call)
    if cls is None or table is None or call.code.function.name not in steps:
        return False
    before = (
        code for code in validators(project, cls) if code is not call.code and "_" in code.function.name.strip("_")
    )
    return any(_may_refuse_by(project, code, table) for code in before)


def _may_refuse_by(project: Project, code: Code, table: Table) -> bool:
    bodies = [code, *project.called_by(code)]
    refuses = any(True for body in bodies for _ in body.nodes(ops.Raise))
    calls = (call for body in bodies for call in body.nodes(ops.Call))
    return refuses and any(call.is_call_of("lookups") and fetched_table(project, call) is table for call in calls)


def compared(argument: Node) -> Node:
    """``Model.id == value``: the value."""
    op = argument.origin.op
    return argument.to(op.right) if isinstance(op, ops.Compare) else argument


def _tells(project: Project, helper: Node, table: Table, keys: list[Node]) -> bool:
    """Whether a call hands one of the keys to a function that looks a row of the table up by it."""
    for callee in project.callees(helper):
        for index in range(len(callee.function.params)):
            given = project.argument(helper, callee, index)
            same = given is not None and any(alike(helper.code, given.value, key.value) for key in keys)
            if same and _looks_up(project, callee, index, table):
                return True
    return False


def _looks_up(project: Project, code: Code, index: int, table: Table) -> bool:
    return any(_is_by(call, index) and touched_table(project, call) == table for call in code.nodes(ops.Call))


def _is_by(call: Node, index: int) -> bool:
    """Whether a call is given a parameter of its body, or compares something with it."""
    given = (compared(argument).origin.op for argument in call.args())
    return any(isinstance(op, ops.Param) and op.index == index for op in given)
