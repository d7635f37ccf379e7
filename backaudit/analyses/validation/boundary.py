"""Client input that is kept in the visitor's session as it comes."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.validation.client_input import ClientInput
from backaudit.backend.web.request_names import request_names
from backaudit.facts import ops
from backaudit.flow.trace import Origin, Trace
from backaudit.project import Node, Project
from backaudit.project.holding import conditions
from backaudit.project.nodes import operands


class Kept(msgspec.Struct, frozen=True):
    """``store``: ``session[key] = value``; ``role``: whether the input is "kept in" the session or "a key of" it."""

    store: Node
    role: str
    origin: Origin


def kept_in_session(project: Project) -> Iterator[Kept]:
    """Stores of unchecked input in a session, but for what was looked up and found before."""
    for store, value, role in _stores(project):
        trace = Trace(project, ClientInput(project, "store"))
        origin = next(trace.origins(value, (), store.value), None)
        counts = origin is not None and project.role(store.code.path) == "production"
        if origin is not None and counts and not _was_found(store, value):
            yield Kept(store, role, origin)


def _stores(project: Project) -> Iterator[tuple[Node, Node, str]]:
    """``session[key] = value``: the store, the value or the key, and what that becomes."""
    sessions = project.models.kinds["visitors-session"]
    for code in project.mentioning("session"):
        for node in code.nodes(ops.SetItem):
            op = node.op
            if isinstance(op, ops.SetItem) and not sessions.isdisjoint(request_names(project, node.to(op.base).origin)):
                yield node, node.to(op.value), "kept in"
                yield node, node.to(op.key), "a key of"


def _was_found(store: Node, value: Node) -> bool:
    """Whether the value was asked for in a query before, and the branch holds only where something was found."""
    code = store.code
    found = [test for test, truth in conditions(code, store.value) if _says_found(code.node(test), truth)]
    mine = value.origin.value
    before = code.ops[: min(found, default=0)]
    asked = (op for op in before if isinstance(op, (ops.Build, ops.Call, ops.Compare)))
    return any(mine in {code.origin(each) for each in operands(op) if each >= 0} for op in asked)


def _says_found(test: Node, truth: bool) -> bool:
    op = test.op
    if not isinstance(op, ops.Compare):
        return truth and _is_result(test)
    positive = truth == (op.operator not in ("is", "==", "not in"))
    return positive and any(_is_result(test.to(side)) for side in (op.left, op.right))


def _is_result(node: Node) -> bool:
    made = node.origin.awaited
    return isinstance(made.op, ops.Call) and made.method not in ("get", "getlist", "strip", "len", "str")
