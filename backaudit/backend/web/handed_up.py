"""Functions that make an answer for whoever sends it: a body with its status beside it, handed up in one result."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.makers import response_model
from backaudit.backend.web.statuses import told
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.project.made import Key, read_part


def handed_up(project: Project, code: Code) -> Iterator[tuple[Code, Key]]:
    """The functions whose results a body answers with a status that stands in them, and where it stands there.

    ``answer = save(); return jsonify(answer), answer["status"]`` and ``body, status = save(); return body, status``.
    """
    for status in _statuses(project, code):
        read = read_part(status)
        call, key = read if read is not None else (status, "")
        if read is not None and call.call is not None:
            yield from ((callee, key) for callee in project.callees(call) if callee.function.name != "__init__")


def _statuses(project: Project, code: Code) -> Iterator[Node]:
    """What a body gives as the status of an answer."""
    for call in code.nodes(ops.Call):
        named = response_model(project, call)
        given = call.argument(named[1].status) if named is not None else None
        if given is not None:
            yield given
    for statement in code.nodes(ops.Return):
        op = statement.op
        value = statement.to(op.value).origin if isinstance(op, ops.Return) and op.value != NONE else statement
        if isinstance(value.op, ops.Build) and value.op.kind == "tuple":
            yield from map(value.to, value.op.items[:2])
    yield from (status for _, status in told(project, code))
