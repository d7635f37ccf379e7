"""Which values are the request, and what a read of it is called."""

from __future__ import annotations

from functools import partial

from backaudit.backend.web.frameworks.language import tables
from backaudit.backend.web.handed import Parameter, handed_parameters
from backaudit.backend.web.routes import declared
from backaudit.facts import ops
from backaudit.project import Node, Project


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


def _requests(project: Project) -> dict[Parameter, tuple[str, ...]]:
    """The parameters that are the request, with its type: of registered handlers, and of what these hand it to."""
    kinds = {table.framework: table.request for table in project.once(tables).values() if table.request}
    found: dict[Parameter, tuple[str, ...]] = {}
    for route in project.once(declared):
        for param in route.params:
            if param.where == "request" and route.framework in kinds:
                found[route.handler, param.index] = (kinds[route.framework],)
    handlers = tuple(code for code, _ in found)
    for parameter, (_, value) in handed_parameters(project, handlers, partial(_is_any_of, frozenset(found))).items():
        op = value.op
        if isinstance(op, ops.Param):
            found.setdefault(parameter, found[value.code, op.index])
    return found


def _is_any_of(parameters: frozenset[Parameter], value: Node) -> bool:
    op = value.op
    return isinstance(op, ops.Param) and (value.code, op.index) in parameters
