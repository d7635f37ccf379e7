"""Logins that let in whoever names a user: the password that they take is never held against the stored one."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.auth.exposure import is_login
from backaudit.backend.access.credentials import checks_password, is_given, openings
from backaudit.backend.access.guards import guarded
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Region, Value
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project
from backaudit.project.code import SERVING
from backaudit.project.operands import inputs, operands
from backaudit.rule import capitalized

# What hands a value on as it is, or asks only whether there is one.
_PASSING = (ops.Bind, ops.Phi, ops.Logic, ops.Unary, ops.Await, ops.Choice)


class Unproven(msgspec.Struct, frozen=True):
    """A login that proves nothing: where it lets in, or the condition that skips the check."""

    place: Place
    code: Code
    message: str
    remedy: str


def unproven(project: Project) -> tuple[Unproven, ...]:
    """All such logins, by place."""
    found = {item.place: item for item in (*_uncompared(project), *_skipped(project))}
    return tuple(found[place] for place in sorted(found))


# -- a password that goes nowhere -------------------------------------------------------------------------------------


def _uncompared(project: Project) -> Iterator[Unproven]:
    for route in project.once(guarded):
        code = route.handler
        posts = not route.methods or "POST" in route.methods
        served = code.function.kind == "function" and code.file.role == "production"
        if not served or not posts or not is_login(route):
            continue
        opened = next(openings(project, code), None)
        if opened is not None and not checks_password(project, code) and _goes_nowhere(code):
            shown = capitalized(route.label)
            message = f"{shown} takes a password, compares it with nothing, and lets in whoever names a user."
            remedy = (
                "Hold the password against the hash that is stored for the user, and answer 401 unless it is right."
            )
            yield Unproven(opened.place, code, message, remedy)


def _goes_nowhere(code: Code) -> bool:
    """Whether a body reads a password, and hands neither it nor what holds it to anything that could check it."""
    given = [node.value for node in map(code.node, range(len(code.ops))) if is_given(node)]
    holders = {code.root(value)[0] for value in given} - set(given)
    return bool(given) and not _spent(code, set(given)) and not any(_handed_on(code, holder) for holder in holders)


def _spent(code: Code, values: set[Value]) -> bool:
    """Whether a value is used for more than to ask whether there is one."""
    known = set(values)
    for value, op in enumerate(code.ops):
        if known.isdisjoint(inputs(op)):
            continue
        if isinstance(op, _PASSING):
            known.add(value)
        elif not (isinstance(op, ops.Compare) and _with_constant(code.node(value), op)):
            return True
    return False


def _with_constant(node: Node, op: ops.Compare) -> bool:
    return any(isinstance(node.to(side).origin.op, ops.Const) for side in (op.left, op.right))


def _handed_on(code: Code, holder: Value) -> bool:
    """Whether the form, body or request that holds a password is an argument of a call, or asked to check itself."""
    root = code.node(holder)
    openers = code.project.models.kinds["session-openers"]
    for call in code.nodes(ops.Call):
        if call.is_call_of("renderers") or not openers.isdisjoint(_names(call)):
            continue
        given = [*call.args(), *([call.receiver] if call.receiver is not None and not _reads(call) else [])]
        if any(code.origin(part.value) == code.origin(holder) or _is_same(part, root) for part in given):
            return True
    return False


def _names(call: Node) -> tuple[str, ...]:
    return call.code.project.names(call.func) if call.func is not None else ()


def _reads(call: Node) -> bool:
    """A call that reads one thing of what it is called on."""
    first = call.arg(0)
    return first is not None and isinstance(first.const, str)


def _is_same(part: Node, root: Node) -> bool:
    return bool(root.spelled) and part.spelled == root.spelled


# -- a check that the wrong operator skips ----------------------------------------------------------------------------


def _skipped(project: Project) -> Iterator[Unproven]:
    """``if not user and not verify(given, user.password): refuse``: for a known user nothing is asked."""
    files = (file for file in project.files.values() if project.role(file.path) in SERVING)
    for code in (code for file in files for code in file.bodies):
        for region in code.body.regions:
            if region.kind == "then" and region.exits in ("return", "raise") and _skips(code, region):
                message = "This refuses only where there is no such user: for a known one no password is checked."
                remedy = "Join the two with `or`, so that either alone refuses."
                yield Unproven(code.node(region.test).place, code, message, remedy)


def _skips(code: Code, region: Region) -> bool:
    test = code.node(region.test).origin if region.test != NONE else None
    op = test.op if test is not None else None
    if test is None or not isinstance(op, ops.Logic) or op.operator != "and":
        return False
    parts = [test.to(value).origin for value in op.values]
    absent = [row for part in parts if (row := _absent(part)) is not None]
    return any(_fails(part, row) for row in absent for part in parts)


def _absent(part: Node) -> Node | None:
    """What ``not row`` and ``row is None`` ask for."""
    op = part.op
    if isinstance(op, ops.Unary) and op.operator == "not":
        return part.to(op.value).origin
    none = isinstance(op, ops.Compare) and op.operator in ("is", "==") and part.to(op.right).is_none
    return part.to(op.left).origin if none and isinstance(op, ops.Compare) else None


def _fails(part: Node, row: Node) -> bool:
    """Whether a condition holds where a given password is not that of the row."""
    op = part.op
    refused = isinstance(op, ops.Unary) or (isinstance(op, ops.Compare) and op.operator == "!=")
    made_of = list(operands(part)) if refused else []
    of_row = any(isinstance(p.op, ops.Attr) and p.to(p.op.base).origin == row for p in made_of)
    return of_row and any(is_given(p) for p in made_of)
