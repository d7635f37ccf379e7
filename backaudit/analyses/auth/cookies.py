"""Cookies by which the server decides: it sets them, reads them back, and lets in or picks a row by them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from backaudit.backend.access.denial import tests_around
from backaudit.backend.access.verified import is_verified
from backaudit.backend.web.records import Where
from backaudit.backend.web.routes import client_input, entries
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.project.locate import conditions, text_of
from backaudit.project.operands import operands
from backaudit.vocabulary.meaning import meaning

_COOKIES = frozenset({"cookies", "COOKIES"})
_HEADERS = frozenset({"headers", "META"})
_PROOF = meaning("tokens", "proof-header")
_READERS = frozenset({"get_cookie", "get_signed_cookie"})


def decisive(project: Project) -> frozenset[str]:
    """The names of cookies that decide."""
    readers = {code: None for name in sorted(_COOKIES | _READERS) for code in project.mentioning(name)}
    readers |= dict.fromkeys(filled_from(project, "cookie"))
    production = (code for code in readers if code.file.role == "production")
    return frozenset(name for code in production for name in _deciding(project, code))


def filled_from(project: Project, *where: Where) -> Iterator[Code]:
    """Handlers, and what is injected into them, that get a parameter from there."""
    for code, params in project.once(entries).items():
        if any(param.where in where for param in params):
            yield code


def cookie_read(project: Project, node: Node) -> str | None:
    """The name of the cookie that a value is, as the client sent it."""
    op = node.op
    if isinstance(op, ops.Param):
        return _declared(project, node, op, "cookie")
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


def cookie_sent(name: Node, cookies: Node) -> str:
    """The name of a cookie that is looked for among those that the client sent (``"user" in request.cookies``)."""
    base = cookies.origin.op
    return name.text or "" if isinstance(base, ops.Attr) and base.name in _COOKIES else ""


def header_read(project: Project, node: Node) -> str | None:
    """The name of the header that a value is, as the client sent it; not the one that carries what is verified."""
    op = node.op
    if isinstance(op, ops.Param):
        return _declared(project, node, op, "header")
    base = node.to(op.base).origin if isinstance(op, ops.Item) else node.receiver if node.method == "get" else None
    key = node.to(op.key) if isinstance(op, ops.Item) else node.arg(0)
    named = base is not None and isinstance(base.origin.op, ops.Attr) and base.origin.op.name in _HEADERS
    name = text_of(project, key) if named and key is not None else None
    return name if name and not _PROOF.holds(name) else None


def _declared(project: Project, node: Node, op: ops.Param, where: Where) -> str | None:
    """The name of a parameter that a framework fills from where it is asked about."""
    param = client_input(project, node.code, op.index)
    return param.name if param is not None and param.where == where and not _PROOF.holds(param.name) else None


def headers_in(project: Project, node: Node) -> Iterator[str]:
    """The headers that have a part in a value, as far as no signature was checked on the way."""
    yield from filter(None, (header_read(project, part) for part in _unverified(project, node)))


def cookies_in(project: Project, node: Node) -> Iterator[str]:
    """The cookies that have a part in a value, as far as no signature was checked on the way."""
    yield from filter(None, (cookie_read(project, part) for part in _unverified(project, node)))


def _unverified(project: Project, node: Node) -> Iterator[Node]:
    """What a value is made of, up to where a signature was checked."""
    return takewhile(lambda part: not is_verified(project, part), operands(node))


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
