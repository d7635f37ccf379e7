"""Ways through a handler on which the request has failed: nothing was found, invalid, caught or refused."""

from __future__ import annotations

from backaudit.backend.access.denial import ground
from backaudit.backend.access.missing import chain, none_giving
from backaudit.backend.web.catching import handlers_in
from backaudit.backend.web.responses import Answer
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.project.holding import conditions

_NOTHING: dict[tuple[str, object], bool] = {
    ("==", 0): True,
    ("<", 1): True,
    ("!=", 0): False,
    (">", 0): False,
    (">=", 1): False,
}
_ABSENT = {"is": True, "==": True, "is not": False, "!=": False}


def failed_for(project: Project, answer: Answer) -> str:
    """What has happened on the way to an answer, if the request has failed there; empty if it may have gone well."""
    code = answer.node.code
    if is_caught(answer):
        return "an exception was caught"
    for test, truth in conditions(code, answer.value):
        happened = _happened(project, code.node(test), truth)
        if happened:
            return happened
    return "the caller is turned away" if ground(project, answer) else ""


def is_caught(answer: Answer) -> bool:
    """Whether the answer stands in a handler."""
    return any(handler.holds(answer.value) for handler in handlers_in(answer.node.code.project, answer.node.code))


def _happened(project: Project, test: Node, truth: bool) -> str:
    if not truth and _is_validation(test):
        return "what was sent is not valid"
    return "nothing was found" if _is_missing(project, test, truth) else ""


def _is_validation(test: Node) -> bool:
    return test.awaited.is_call_of("form-validations")


def _is_missing(project: Project, test: Node, truth: bool) -> bool:
    """Whether a condition that came out so says that a look-up has found nothing."""
    op = test.op
    if isinstance(op, ops.Compare):
        left, right = test.to(op.left), test.to(op.right)
        if right.is_none:
            return _ABSENT.get(op.operator) is truth and _may_find_nothing(project, left)
        return _NOTHING.get((op.operator, right.const)) is truth and _counts(project, left)
    return not truth and _may_find_nothing(project, test)


def _counts(project: Project, node: Node) -> bool:
    """``len(rows)``, ``query.count()``, ``cursor.rowcount``."""
    node = node.awaited
    if node.method == "len" and len(node.args()) == 1:
        return _may_find_nothing(project, node.args()[0])
    op = node.op
    changed = isinstance(op, ops.Attr) and op.name in project.models.kinds["counts-of-changed-rows"]
    return changed or _may_find_nothing(project, node)


def _may_find_nothing(project: Project, node: Node) -> bool:
    """Whether a value is what a look-up gives, whose absence or emptiness says that there is no such row."""
    found, denying = project.once(none_giving), project.once(_denying)
    links = list(chain(node.awaited))
    if any(call in found for call in links) or (any(map(_gives_rows, links)) and any(map(_asks_for_some, links))):
        return True
    return any(code in denying for call in links[:1] for code in project.callees(call))


def _gives_rows(call: Node) -> bool:
    return call.receiver is not None and call.is_call_of("found-rows")


def _asks_for_some(call: Node) -> bool:
    """Whether a query is asked for certain rows: that there is none at all is no failure of who lists them."""
    return bool(call.keywords()) or any(isinstance(argument.origin.op, ops.Compare) for argument in call.args())


def _denying(project: Project) -> frozenset[Code]:
    """Functions that give False where a look-up in them has found nothing."""
    found = project.once(none_giving)
    return frozenset(code for code in dict.fromkeys(call.code for call in found) if _says_no(code, found))


def _says_no(code: Code, found: dict[Node, Node]) -> bool:
    denied = [node for node in code.nodes(ops.Return) if _returned(node).const is False]
    tests = ((code.node(test), truth) for node in denied for test, truth in conditions(code, node.value))
    return any(not truth and test.awaited in found for test, truth in tests)


def _returned(node: Node) -> Node:
    op = node.op
    return node.to(op.value) if isinstance(op, ops.Return) and op.value != NONE else node
