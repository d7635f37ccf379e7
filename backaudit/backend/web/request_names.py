"""Which values are the request, and what a read of it is called."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.frameworks.language import tables
from backaudit.backend.web.routes import declared
from backaudit.facts import ops
from backaudit.project import Code, Node, Project


def request_names(project: Project, node: Node) -> tuple[str, ...]:
    """The names of a read of the request; ``self.request`` is what a parameter of that name would be."""
    func = node.func if isinstance(node.op, ops.Call) else node
    if func is None:
        return ()
    names = project.names(func)
    op = func.op
    if not isinstance(op, ops.Attr) or not any(name.startswith("*.") for name in names):
        return names
    base = func.to(op.base).origin
    if isinstance(base.op, ops.Attr) and base.op.name == "request":
        return tuple(f"{assumed}.{op.name}" for assumed in project.assumed(node.code, "request"))
    if isinstance(base.op, ops.Param):
        kinds = project.once(_requests).get((base.code, base.op.index), ())
        return tuple(f"{kind}.{op.name}" for kind in kinds) or names
    return names


def _requests(project: Project) -> dict[tuple[Code, int], tuple[str, ...]]:
    """The parameters that are the request, with its type: of registered handlers, and of what these hand it to."""
    kinds = {table.framework: table.request for table in project.once(tables).values() if table.request}
    found: dict[tuple[Code, int], tuple[str, ...]] = {}
    for route in project.once(declared):
        for param in route.params:
            if param.where == "request" and route.framework in kinds:
                found[route.handler, param.index] = (kinds[route.framework],)
    following = list(found)
    while following:
        code, index = following.pop()
        for other in _handed_to(project, code, index):
            if other not in found:
                found[other] = found[code, index]
                following.append(other)
    return found


def _handed_to(project: Project, code: Code, index: int) -> Iterator[tuple[Code, int]]:
    """The parameters of the project's functions that a body gives one of its own parameters."""
    for call in code.nodes(ops.Call):
        given = [node for node in (*call.args(), *call.keywords().values()) if _is_param(node, index)]
        for called in project.callees(call) if given else ():
            for place in range(len(called.function.params)):
                handed = project.argument(call, called, place)
                if handed is not None and _is_param(handed, index):
                    yield called, place


def _is_param(node: Node, index: int) -> bool:
    op = node.origin.op
    return isinstance(op, ops.Param) and op.index == index
