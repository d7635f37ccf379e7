"""Whether somebody verifies a token, or looks at its expiry, beside the read that does not."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.tokens import (
    readings,
    switched,
    unverified,
    verified,
)
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.operands import operands
from backaudit.vocabulary.meaning import meaning

_VERIFIES = meaning("tokens", "verification")
_DECODES = meaning("tokens", "bare-decoding")
_VALIDATES = meaning("tokens", "claims-validation")
_OF_ITS_KEY = meaning("tokens", "issuer-claim")
_EXPIRES = meaning("tokens", "expiry-claim")


def validated(project: Project, call: Node) -> bool:
    """Whether the claims are asked for their expiry in the same body, or by what it hands them to."""
    helpers = [code for node in call.code.nodes(ops.Call) for code in project.callees(node)]
    asked = any(_VALIDATES.holds(node.method) for node in call.code.nodes(ops.Call))
    return asked or any(_compares_expiry(code) for code in (call.code, *helpers))


def _compares_expiry(code: Code) -> bool:
    """``claims["exp"] < now``."""
    for node in code.nodes(ops.Compare):
        op = node.op
        if isinstance(op, ops.Compare) and op.operator in ("<", "<=", ">", ">="):
            parts = (part for side in (op.left, op.right) for part in operands(node.to(side)))
            if any(_EXPIRES.holds(str(part.const)) for part in parts):
                return True
    return False


def is_peek(project: Project, call: Node) -> bool:
    """Whether somebody near verifies the token as well, or it is only asked how long it lasts."""
    if _asks_only_expiry(call):
        return True
    around = [call.code, *(caller.code for caller in project.callers(call.code)[:8])]
    return any(_verifies(project, node, call) for code in around for node in code.nodes(ops.Call))


def _asks_only_expiry(call: Node) -> bool:
    """``jwt.decode(…).get("exp")``, or by whose key it is verified: who it says it is of is read by nobody here."""
    code, keys = call.code, list(_keys_read(call))
    whole = any(code.origin(value) == call.value for value in _handed_on(code))
    return bool(keys) and not whole and all(_EXPIRES.holds(key) or _OF_ITS_KEY.holds(key) for key in keys)


def _keys_read(claims: Node) -> Iterator[str]:
    for node in claims.code.nodes(ops.Item):
        op = node.op
        if isinstance(op, ops.Item) and node.code.origin(op.base) == claims.value:
            yield node.to(op.key).text or ""
    for node in claims.code.nodes(ops.Call):
        if node.receiver is not None and node.receiver.origin == claims:
            first = node.arg(0) if node.method == "get" else None
            yield first.text or "" if first is not None else ""


def _handed_on(code: Code) -> Iterator[int]:
    """The values that are returned, stored or given to calls as a whole."""
    for op in code.ops:
        if isinstance(op, ops.Call):
            yield from op.args
        elif isinstance(op, (ops.Return, ops.SetAttr, ops.SetItem)):
            yield op.value


def _verifies(project: Project, node: Node, peek: Node) -> bool:
    if node in project.once(readings):
        return node != peek and verified(project, node)
    if _DECODES.holds(node.method) or node in project.once(unverified) or node in project.once(switched):
        return False
    return _VERIFIES.holds(node.method.lower()) and not _VERIFIES.holds(peek.code.function.name.lower())
