"""Logins that let in whoever names a user: the password that they take is never held against the stored one."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.auth.deeds import is_login
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
        opened = _unproven_opening(project, code)
        if opened is not None:
            shown = capitalized(route.label)
            message = f"{shown} takes a password, compares it with nothing, and lets in whoever names a user."
            remedy = (
                "Hold the password against the hash that is stored for the user, and answer 401 unless it is right."
            )
            yield Unproven(opened.place, code, message, remedy)


def _unproven_opening(project: Project, code: Code) -> Node | None:
    """Where a body lets in somebody whom it knows, though nothing has looked at the password that it takes."""
    making = _making(code)
    opened = next((node for node in openings(project, code) if not _inside(code, node.value, making)), None)
    unchecked = opened is not None and not checks_password(project, code) and _goes_nowhere(code, making)
    return opened if unchecked else None


def _making(code: Code) -> list[Region]:
    """The branches that are taken where there is no such row: who is unknown is entered there, with any password."""
    branches = [region for region in code.body.regions if region.kind in ("then", "else") and region.test != NONE]
    return [region for region in branches if _is_without_row(code.node(region.test).origin, region.kind)]


def _is_without_row(test: Node, kind: str) -> bool:
    row = _absent(test) if kind == "then" else test
    return row is not None and row.awaited.call is not None


def _inside(code: Code, value: Value, regions: list[Region]) -> bool:
    return any(region in regions for region in code.regions_of(value))


def _goes_nowhere(code: Code, making: list[Region]) -> bool:
    """Whether a body gets a password, and hands neither it nor what holds it to anything that could check it.

    What is done with it in the branches of ``making`` enters somebody new, and checks nobody.
    """
    given = [node.value for node in map(code.node, range(len(code.ops))) if is_given(node)]
    holders = {code.root(value)[0] for value in given} - set(given)
    holders |= {code.origin(value) for value in _entered(code, making)}
    uses = [value for value in range(len(code.ops)) if not _inside(code, value, making)]
    if not given and not holders:
        return False
    return not _spent(code, set(given), uses) and not any(_handed_on(code, holder, uses) for holder in holders)


def _entered(code: Code, making: list[Region]) -> Iterator[Value]:
    """What somebody new is entered with: an argument of which a function of the project reads a password."""
    for call in code.nodes(ops.Call):
        for callee in code.project.callees(call) if _inside(code, call.value, making) else ():
            handed = (code.project.argument(call, callee, index) for index in sorted(_asked_for_password(callee)))
            yield from (argument.value for argument in handed if argument is not None)


def _asked_for_password(code: Code) -> set[int]:
    """The parameters of which a body reads a password, also of a copy: ``form.model_dump()["password"]``."""
    given = (node for node in map(code.node, range(len(code.ops))) if is_given(node))
    sources = (code.ops[_source(node).value] for node in given)
    return {op.index for op in sources if isinstance(op, ops.Param)}


def _source(node: Node) -> Node:
    """What a value is read from in the end."""
    here = node.to(node.code.root(node.value)[0])
    while here.call is not None and here.receiver is not None:
        here = here.to(here.code.root(here.receiver.value)[0])
    return here


def _spent(code: Code, values: set[Value], uses: list[Value]) -> bool:
    """Whether a value is used for more than to ask whether there is one."""
    known = set(values)
    for value in uses:
        op = code.ops[value]
        if known.isdisjoint(inputs(op)):
            continue
        if isinstance(op, _PASSING):
            known.add(value)
        elif not (isinstance(op, ops.Compare) and _with_constant(code.node(value), op)):
            return True
    return False


def _with_constant(node: Node, op: ops.Compare) -> bool:
    return any(isinstance(node.to(side).origin.op, ops.Const) for side in (op.left, op.right))


def _handed_on(code: Code, holder: Value, uses: list[Value]) -> bool:
    """Whether the form, body or request that holds a password is an argument of a call, or asked to check itself."""
    root = code.node(holder)
    openers = code.project.models.kinds["session-openers"]
    for call in (code.node(value) for value in uses if isinstance(code.ops[value], ops.Call)):
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
