"""Cookies by which the server decides: it sets them, reads them back, and lets in or picks a row by them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.denial import tests_around
from backaudit.backend.access.verified import is_verified
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.project.locate import conditions, text_of
from backaudit.project.operands import operands

_COOKIES = frozenset({"cookies", "COOKIES"})
_READERS = frozenset({"get_cookie", "get_signed_cookie"})
_WALK = 7


def decisive(project: Project) -> frozenset[str]:
    """The names of cookies that decide."""
    readers = {code: None for name in sorted(_COOKIES | _READERS) for code in project.mentioning(name)}
    return frozenset(name for code in readers if code.file.role == "production" for name in _deciding(project, code))


def cookie_read(project: Project, node: Node) -> str | None:
    """The name of the cookie that a value is, as the client sent it."""
    op = node.op
    if isinstance(op, ops.Item):
        base, key = node.to(op.base).origin, node.to(op.key)
    elif isinstance(op, ops.Call) and node.receiver is not None and node.arg(0) is not None:
        base, key = node.receiver.origin, node.arg(0) or node
        if node.method in _READERS:
            return text_of(project, key)
        if node.method != "get":
            return None
    else:
        return None
    named = isinstance(base.op, ops.Attr) and base.op.name in _COOKIES
    return text_of(project, key) if named else None


def cookies_in(project: Project, node: Node) -> Iterator[str]:
    """The cookies that have a part in a value, as far as no signature was checked on the way."""
    for part in operands(node, _WALK):
        if is_verified(project, part):
            return
        name = cookie_read(project, part)
        if name:
            yield name


def _deciding(project: Project, code: Code) -> Iterator[str]:
    for region in code.body.regions:
        if region.test != NONE and region.kind in ("then", "lazy") and region.exits:
            for single in conditions(code.node(region.test)):
                yield from cookies_in(project, single)
    for node in code.nodes(ops.Compare):
        yield from _held_against_each_other(project, node)
    for call in code.nodes(ops.Call):
        if call.is_call_of("lookups") and cookie_read(project, call) is None and not list(tests_around(call)):
            yield from (name for arg in call.args() for name in cookies_in(project, arg))


def _held_against_each_other(project: Project, node: Node) -> Iterator[str]:
    """The cookies that are compared with something that is no literal."""
    op = node.op
    sides = (node.to(op.left), node.to(op.right)) if isinstance(op, ops.Compare) else ()
    if all(side.const is None for side in sides):
        yield from (name for side in sides for name in cookies_in(project, side))
