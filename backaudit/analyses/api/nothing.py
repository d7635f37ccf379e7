"""A thing that is not there, and is answered as if it were: null with 200."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.missing import admits_none, asked, behind, is_aggregate, is_known_missing, none_giving
from backaudit.backend.web.records import Route
from backaudit.backend.web.responses import Answer
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.operands import made_of
from backaudit.project.types import split
from backaudit.vocabulary.protocols import UNSAFE


def null_for(project: Project, route: Route, answer: Answer) -> str:
    """The look-up whose None a route answers with a success, as the code spells it; empty if there is none.

    Asked of routes whose path ends in the name of one thing: what a thing has besides may well be null.
    """
    if answer.how != "return" or not _shows_one_thing(route) or _is_refused(project, route):
        return ""
    found = (name for given in _given(answer) for part in _sent(given) for name in _null(project, answer, part))
    return next(found, "")


def _given(answer: Answer) -> Iterator[Node]:
    """What the statement answers, as it stands there; and what is in the response that is made of it."""
    op = answer.node.op
    if isinstance(op, ops.Return):
        yield answer.node.to(op.value)
    yield from (body for body in answer.body if body.code == answer.node.code)


def _shows_one_thing(route: Route) -> bool:
    return route.names_one_thing and not UNSAFE.difference({"PUT", "PATCH"}).intersection(route.methods)


def _is_refused(project: Project, route: Route) -> bool:
    """Whether the framework holds the answer against a model that admits no null: that is a 500."""
    checks = project.models.framework(route.framework).checks_answers
    return checks and route.response is not None and not admits_none(project, route.response)


def _sent(node: Node) -> Iterator[Node]:
    """A value that is sent, or the only one that stands in it: ``{"task": row}``, ``TaskSchema().dump(row)``."""
    seen: set[Node] = set()
    inner: Node | None = node
    while inner is not None and inner not in seen:
        seen.add(inner)
        yield inner
        inner = _only_part(inner.origin)


def _only_part(node: Node) -> Node | None:
    op = node.op
    if isinstance(op, ops.Build) and op.kind == "dict" and len(op.items) == 1:
        return node.to(op.items[0])
    if isinstance(op, ops.Attr) and op.name == "data":
        return _of_serializer(node.to(op.base))
    return node.arg(0) if node.call is not None and node.is_call_of("shows-none-as-nothing") else None


def _of_serializer(node: Node) -> Node | None:
    """The row that a serializer is made for, if it is made for one."""
    call = node.origin
    serializers = call.code.project.models.kinds["row-serializers"]
    classes = call.code.project.types(call) if call.call is not None else ()
    shows = any(not serializers.isdisjoint(call.code.project.lineage(split(name)[0])) for name in classes)
    many = call.arg(None, "many") if shows else None
    return call.arg(0, "instance") if shows and (many is None or many.const is not True) else None


def _null(project: Project, answer: Answer, part: Node) -> Iterator[str]:
    code = answer.node.code
    known = project.once(none_giving)
    for value in behind(code, part.value):
        node = code.node(value)
        lookup = node if _may_give_none(project, node, known) else None
        if lookup is not None and not asked(code, value, answer.value) and not _is_used(lookup, answer):
            yield lookup.method
        elif node.is_none:
            looked = (call for call in known if call.code is code)
            yield from (call.method for call in looked if is_known_missing(code, call.value, answer.value))


def _is_used(row: Node, answer: Answer) -> bool:
    """Whether something is done with a row before it is answered, which does not go well with None."""
    code = row.code
    between = (code.node(value) for value in range(row.value + 1, answer.value))
    sent = {part.value for given in _given(answer) for part in made_of(given)}
    return any(node.value not in sent and _touches(node, row) for node in between)


def _touches(node: Node, row: Node) -> bool:
    op = node.op
    if isinstance(op, (ops.Attr, ops.SetAttr, ops.Item)):
        return node.to(op.base).origin.awaited.value == row.value
    given = node.args() if isinstance(op, ops.Call) else []
    return any(part.origin.awaited.value == row.value for part in given)


def _may_give_none(project: Project, node: Node, known: dict[Node, Node]) -> bool:
    """Whether a look-up gives None where nothing is found: of rows, or of a mapping's entry without a default."""
    if node in known:
        return not is_aggregate(node)
    receiver = node.receiver if node.method == "get" and node.call is not None else None
    if receiver is None or len(node.args()) != 1 or node.keywords():
        return False
    return any(split(name)[0] in _MAPPINGS for name in project.types(receiver))


_MAPPINGS = frozenset({"dict", "builtins.dict"})
