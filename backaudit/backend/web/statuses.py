"""The HTTP status that a value is, and the one that a body tells its response before it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus

from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.made import held_part

_STATUS_NAME = re.compile(r"(?:^|\.)HTTP_(\d{3})(?:_\w+)?$")


def status_of(project: Project, node: Node) -> int | None:
    """The HTTP status that a value is: a number, its text, or a name such as ``HTTP_404_NOT_FOUND``.

    A part of a record that is made beside it is what stands there: ``answer["status"]``, ``problem.status``.
    """
    node = held_part(project, node) or node
    constant = project.constant(node)
    value = constant.const if constant is not None else None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value[:3].isdigit():
        return int(value[:3])
    names = [*project.names(node), node.origin.spelled]
    return next((status for status in map(_named_status, names) if status is not None), None)


def _named_status(name: str) -> int | None:
    found = _STATUS_NAME.search(name)
    if found:
        return int(found.group(1))
    parts = name.removesuffix(".value").split(".")
    if len(parts) > 1 and parts[-2] == "HTTPStatus" and parts[-1] in HTTPStatus.__members__:
        return HTTPStatus[parts[-1]].value
    return None


def told(project: Project, code: Code) -> Iterator[tuple[Node, Node]]:
    """Where a body tells the framework's response its status: the statement, and what it gives."""
    known = project.models.kinds.get("sets-status", frozenset())
    for node in code.nodes(ops.SetAttr):
        op = node.op
        if isinstance(op, ops.SetAttr) and any(
            f"{name}.{op.name}" in known for name in project.types(node.to(op.base))
        ):
            yield node, node.to(op.value)
    for call in code.nodes(ops.Call):
        given = call.arg(0)
        if call.func is not None and given is not None and not known.isdisjoint(project.names(call.func)):
            yield call, given


def told_before(project: Project, answer: Node) -> Node | None:
    """The status that was surely told before a body answers, and has not been replaced since."""
    code = answer.code
    around = {region.first for region in code.regions_of(answer.value)}
    found = None
    for statement, status in sorted(told(project, code), key=lambda pair: pair[0].value):
        surely = all(region.first in around for region in code.regions_of(statement.value))
        if statement.value < answer.value and surely:
            found = status
    return found
