"""What is kept of a caller between requests: the framework's session, and what a hook reads from a cookie."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from backaudit.backend.access.verified import is_verified
from backaudit.backend.web.routes import declared
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.locate import functions_behind
from backaudit.project.operands import operands
from backaudit.vocabulary.meaning import meaning

_CALLER = meaning("access", "caller")
_NAMED = meaning("access", "caller-parameter")


def is_http_session(project: Project, node: Node) -> bool:
    """Whether a value is what one request keeps for the next of the same caller (not a database's session)."""
    known = project.models.kinds.get("http-sessions", frozenset())
    here = node.origin
    while isinstance(here.op, ops.Await):
        here = here.to(here.op.value).origin
    target = here.func or here
    if here.spelled.endswith("request.session") or not known.isdisjoint(project.names(target)):
        return True
    return isinstance(here.op, ops.Attr) and here.op.name in project.once(_carried) and is_carrier(project, here)


def is_unsigned_session(project: Project, node: Node) -> bool:
    """Whether a value is kept of a cookie in which the client may have written anything."""
    op = node.op
    return isinstance(op, ops.Attr) and op.name in project.once(unsigned_sessions) and is_carrier(project, node)


def is_carrier(project: Project, node: Node) -> bool:
    """Whether an attribute is one of an object that lives as long as the request: ``g``, ``request``, its state."""
    op = node.op
    assert isinstance(op, (ops.Attr, ops.SetAttr))
    base = node.to(op.base).origin
    known = project.models.kinds.get("carriers", frozenset())
    if not known.isdisjoint(project.names(base)):
        return True
    return base.spelled.endswith(("request", "request.state", "request.ctx"))


def _carried(project: Project) -> frozenset[str]:
    """The attributes of such objects that are filled from a cookie."""
    return frozenset(name for name, _ in _from_cookies(project))


def unsigned_sessions(project: Project) -> frozenset[str]:
    """Those of them whose cookie is decoded, and no signature of it checked on the way."""
    signed = frozenset(name for name, value in _from_cookies(project) if _is_checked(project, value))
    decoded = {name for name, value in _from_cookies(project) if _is_decoded(value)}
    return frozenset(decoded) - signed


def _is_checked(project: Project, value: Node) -> bool:
    return any(is_verified(project, part) for part in operands(value))


def _is_decoded(value: Node) -> bool:
    calls = (part for part in operands(value) if isinstance(part.op, ops.Call))
    return any("b64decode" in call.method or call.method in ("loads", "literal_eval") for call in calls)


def _from_cookies(project: Project) -> Iterator[tuple[str, Node]]:
    readers = {code: None for name in sorted(project.models.kinds["cookie-reads"]) for code in project.mentioning(name)}
    for code in readers:
        for node in code.nodes(ops.SetAttr):
            op = node.op
            if isinstance(op, ops.SetAttr) and is_carrier(project, node) and _reads_cookie(node.to(op.value)):
                yield op.name, node.to(op.value)


def _reads_cookie(node: Node) -> bool:
    known = node.code.project.models.kinds["cookie-reads"]
    attributes = (part.op for part in operands(node))
    return any(isinstance(op, ops.Attr) and op.name in known for op in attributes)


def carried_callers(project: Project) -> frozenset[str]:
    """The attributes of such objects in which a decorator or hook leaves for whom it has let the request by."""
    handlers = {route.handler for route in project.once(declared)}
    codes = {*_run_around(project), *project.mentioning("g")} - handlers
    production = (code for code in codes if code.file.role == "production")
    left = frozenset(name for code in production for name in _left_by(project, code))
    return left | frozenset(_of_the_caller(project, handlers))


def _run_around(project: Project) -> Iterator[Code]:
    """What the decorators of handlers run."""
    around = {decorator for route in project.once(declared) for decorator in route.handler.decorators}
    for node in around:
        for code in functions_behind(project, node.func or node):
            yield from code.nested


def _of_the_caller(project: Project, handlers: AbstractSet[Code]) -> Iterator[str]:
    """What a middleware reads of the caller and leaves for the handler: ``request.space = request.user.space``."""
    for code in set(project.mentioned(_NAMED.holds)) - handlers:
        for node in code.nodes(ops.SetAttr) if code.file.role == "production" else ():
            op = node.op
            assert isinstance(op, ops.SetAttr)
            value = node.to(op.value).origin
            if isinstance(value.op, ops.Attr) and _CALLER.holds(value.spelled.lower()) and is_carrier(project, node):
                yield op.name


def _left_by(project: Project, code: Code) -> Iterator[str]:
    inner = code.parent is not None and code.parent.function.kind == "function"
    for node in code.nodes(ops.SetAttr):
        op = node.op
        made = isinstance(op, ops.SetAttr) and (
            inner or any(part.is_call_of("looks-up-a-session") for part in operands(node.to(op.value)))
        )
        if not made or not isinstance(op, ops.SetAttr):
            continue
        if node.to(op.value).const is None and is_carrier(project, node):
            yield op.name
