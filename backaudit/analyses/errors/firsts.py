"""The first of the rows that a look-up gives, read as if there were one."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.callers import unasked_by
from backaudit.analyses.errors.requests import looked_up, showing
from backaudit.backend.access.missing import all_rows, asked, chain, is_aggregate, statement_before
from backaudit.backend.web.catching import ending, escapes
from backaudit.facts import ops
from backaudit.flow.client import client_origin
from backaudit.flow.trace import Origin
from backaudit.project import Node, Project
from backaudit.rule import Finding, Step

_RAISED = "builtins.IndexError"
_MISSING = "a 500, not a 404"
_ENDS = (0, -1)
_LAYERS = 4


def findings(project: Project) -> Iterator[Finding]:
    """``rows[0]`` of what was looked up by a client's words, where nobody asked whether there is any, uncaught."""
    kinds = project.models.kinds
    finders = sorted(kinds["found-rows"] | kinds["driver-rows"])
    bodies = dict.fromkeys(call.code for method in finders for call in project.calls_of(method))
    for code in bodies:
        for node in code.nodes(ops.Item) if code.file.role == "production" else ():
            if _is_end(node):
                yield from _first(project, node)


def _is_end(node: Node) -> bool:
    op = node.op
    index = node.to(op.key).const if isinstance(op, ops.Item) else None
    return type(index) is int and index in _ENDS


def _first(project: Project, node: Node) -> Iterator[Finding]:
    op = node.op
    assert isinstance(op, ops.Item)
    rows = node.to(op.base)
    lookup = _lookup(project, rows)
    if lookup is None or is_aggregate(lookup) or asked(node.code, rows.origin.value, node.value):
        return
    path = escapes(project, node, (_RAISED,))
    origin = _origin(project, lookup, 0) if path is not None else None
    if origin is None or path is None:
        return
    steps = (*origin.steps, Step(lookup.place.first_line(), f"`{lookup.method}()` gives no row if nothing is found"))
    yield Finding(
        place=node.place.first_line(),
        message=f"The first of what `{lookup.method}()` finds is read, and there is none when nothing is found "
        f"(IndexError), uncaught: {ending(project, node, path, _MISSING)}.",
        assumed=unasked_by(path),
        trace=(*steps, Step(node.place.first_line(), "its first is read")),
        request=showing(project, node, path, looked_up(project, lookup, lookup), raises=_RAISED),
    )


def _lookup(project: Project, rows: Node) -> Node | None:
    """The call that finds rows, behind what only awaits it, lists it, or runs a statement that was made before."""
    seen: set[Node] = set()
    node = rows.origin
    while (inner := _inside(project, node)) is not None:
        if node in seen:
            return None
        seen.add(node)
        node = inner.origin
    is_found = node.is_call_of("found-rows") or node.is_call_of("driver-rows")
    return node if is_found and node.receiver is not None else None


def _inside(project: Project, node: Node) -> Node | None:
    if isinstance(node.op, ops.Await):
        return node.to(node.op.value)
    is_listed = node.func is not None and "builtins.list" in project.names(node.func)
    if is_listed or node.is_call_of("statement-runners"):
        return node.arg(0)
    made = all_rows(project, node)
    return made if made is not None and made != node else None


def _asked_by(lookup: Node) -> Iterator[Node]:
    """What a look-up is given, link by link; of rows that are fetched, what their statement was."""
    for link in chain(lookup):
        yield from link.args()
    statement = statement_before(lookup) if lookup.is_call_of("driver-rows") else None
    for argument in statement.args() if statement is not None else ():
        yield from argument.origin.elements()


def _origin(project: Project, lookup: Node, depth: int) -> Origin | None:
    """Where what is looked up by comes from; nothing of a look-up that names no client's word."""
    for argument in _asked_by(lookup):
        op = argument.origin.op
        origin = client_origin(project, argument.to(op.right) if isinstance(op, ops.Compare) else argument)
        if origin is None and argument.origin.call is not None and not project.gives_up(depth, _LAYERS, lookup.place):
            origin = _origin(project, argument.origin, depth + 1)
        if origin is not None:
            return origin
    return None
