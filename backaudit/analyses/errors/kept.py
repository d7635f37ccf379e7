"""Elements of what a module keeps in memory, picked by what a client sent, and firsts of lists that may be empty."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.requests import showing, wrong
from backaudit.backend.access.missing import alike, asked, tests
from backaudit.backend.web.catching import escapes, request_handlers
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.facts.requests import Request
from backaudit.flow.client import client_origin
from backaudit.flow.trace import Origin
from backaudit.project import Code, Node, Project
from backaudit.project.operands import made_of
from backaudit.rule import Finding, Step, assume

_HERE = assume("caller", "nothing else has put the key there")
_FAR = assume("guard", "nothing on the way has made sure of the key")


def findings(project: Project) -> Iterator[Finding]:
    """Each element that a client's key may not find, uncaught, and each first of what the client's words left over."""
    for code in project.once(request_handlers):
        for node in code.nodes(ops.Item):
            op = node.op
            assert isinstance(op, ops.Item)
            if _is_kept(project, node.to(op.base)):
                yield from _by_key(project, node, op)
            elif node.to(op.key).const == 0:
                yield from _first_of(project, node, node.to(op.base), "IndexError")
        for call in code.nodes(ops.Call):
            if call.method == "next" and call.receiver is None and len(call.args()) == 1:
                yield from _first_of(project, call, call.args()[0], "StopIteration")


def _is_kept(project: Project, base: Node) -> bool:
    """Whether a mapping is a module's own display: what a program keeps in memory."""
    display = project.resolved(base)
    return display.is_dict and display.code.function.kind == "module"


def _by_key(project: Project, node: Node, op: ops.Item) -> Iterator[Finding]:
    key, base = node.to(op.key), node.to(op.base)
    if isinstance(key.origin.op, ops.Const) or _is_known(node, key, base):
        return
    path = escapes(project, node, ("builtins.KeyError",))
    origin = client_origin(project, key) if path is not None else None
    if origin is not None:
        shown = showing(project, node, path or (), wrong(project, "unknown", key), raises="KeyError")
        yield _finding(node, f"`{base.spelled}` may have no such key", "KeyError", origin, shown)


def _is_known(node: Node, key: Node, base: Node) -> bool:
    """Whether the key was asked for before, or was set there."""
    code = node.code
    for value in code.before(node.value, ops.SetItem):
        op = code.ops[value]
        if isinstance(op, ops.SetItem) and alike(code, op.base, base.value) and alike(code, op.key, key.value):
            return True
    return any(_looks_for(code, test, key) for test in tests(code, node.value))


def _looks_for(code: Code, test: Value, key: Node) -> bool:
    return any(alike(code, part.value, key.value) for part in made_of(code.node(test)))


def _first_of(project: Project, node: Node, base: Node, exception: str) -> Iterator[Finding]:
    """``[x for x in ALL if x.id == asked][0]``."""
    listed = base.origin
    if not isinstance(listed.op, ops.Comp) or asked(node.code, listed.value, node.value):
        return
    path = escapes(project, node, (f"builtins.{exception}",))
    found = _filtered_by(project, listed) if path is not None else None
    if found is not None and path is not None:
        part, origin = found
        shown = showing(project, node, path, wrong(project, "unknown", part), raises=exception)
        yield _finding(node, "Nothing may be left", exception, origin, shown)


def _filtered_by(project: Project, comprehension: Node) -> tuple[Node, Origin] | None:
    """What of a client's a comprehension is filtered by, and where it comes from."""
    code = comprehension.code
    for value in range(comprehension.value):
        op = code.ops[value]
        if isinstance(op, ops.Compare) and op.operator == "==" and _is_within(op.at, comprehension):
            for part in (op.left, op.right):
                origin = client_origin(project, code.node(part))
                if origin is not None:
                    return code.node(part), origin
    return None


def _is_within(at: object, comprehension: Node) -> bool:
    outer = comprehension.at
    start = (getattr(at, "line", 0), getattr(at, "column", 0))
    return (outer.line, outer.column) <= start <= (outer.end_line, outer.end_column)


def _finding(node: Node, what: str, exception: str, origin: Origin, request: Request | None) -> Finding:
    return Finding(
        place=node.place.first_line(),
        message=f"{what} for what the client asks: {exception}, uncaught, a 500, not a 404.",
        assumed=_HERE if origin.node.code is node.code else _FAR,
        trace=(*origin.steps, Step(node.place.first_line(), f"is looked for here, or {exception} is raised")),
        request=request,
    )
