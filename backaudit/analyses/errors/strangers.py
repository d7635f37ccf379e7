"""Callers whom nobody has turned away, used as if they were known: there is no such attribute, and no row of theirs."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.requests import showing
from backaudit.backend.access.actions import view_steps
from backaudit.backend.access.caller import has_own_anonymous
from backaudit.backend.access.denial import denials
from backaudit.backend.access.guards import steps
from backaudit.backend.access.missing import asked
from backaudit.backend.data.schema import schema
from backaudit.backend.web.catching import escapes
from backaudit.backend.web.records import Route, Step
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import routes
from backaudit.evidence import Assumption
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.rule import Assumed, Finding

_RAISED = ("builtins.AttributeError", "builtins.TypeError", "builtins.ValueError")


def findings(project: Project) -> Iterator[Finding]:
    """The first use of the caller as a person in each body that strangers come to, where nobody asked who it is."""
    open_bodies = _open_bodies(project) if not project.once(has_own_anonymous) else {}
    for code, assumed in open_bodies.items():
        node = next((node for node in _uses(project, code) if _fails(project, node)), None)
        if node is not None:
            yield _finding(project, node, assumed)


def _open_bodies(project: Project) -> dict[Code, Assumed]:
    """The bodies before which no route turns strangers away, with what is supposed of the steps that were not read."""
    served: dict[Code, Assumed] = {}
    guarded: set[Code] = set()
    for route in routes(project):
        before = steps(project, route)
        unread = tuple(Assumption("wrapper", f"`{step.name}` turns nobody away") for step in before if not step.read)
        turned_away = any(_turns_away(route, step) for step in before)
        for code in _bodies(project, route):
            served.setdefault(code, unread)
            if turned_away or code.file.role != "production":
                guarded.add(code)
    return {code: assumed for code, assumed in served.items() if code not in guarded}


def _turns_away(route: Route, step: Step) -> bool:
    """Whether who is not logged in comes no further; a body's own check of a role may be what fails."""
    if "authenticates" in step.kinds:
        return True
    if "ownership" in step.kinds and step.how == "permission":
        return route.names_one_thing or "{pk}" in route.path  # an object is asked about, not a list
    return "role" in step.kinds and step.how != "check"


def _bodies(project: Project, route: Route) -> Iterator[Code]:
    """The handler, and the methods of its class that the library calls for the route's methods."""
    yield route.handler
    for name in sorted(view_steps(project, route.methods)) if route.view is not None else ():
        code = project.method(route.view.name, name) if route.view is not None else None
        if code is not None:
            yield code


def _uses(project: Project, code: Code) -> list[Node]:
    """Where a caller who may be nobody is stored or looked up as a person, or asked for what only persons have."""
    found = [node for node in code.nodes(ops.Attr) if _is_of_persons(project, node)]
    found += [node for node in code.nodes(ops.SetAttr) if _is_linked(project, node)]
    found += [node for node in code.nodes(ops.Call) if _is_handed(project, node)]
    return sorted(found, key=_position)


def _position(node: Node) -> int:
    return node.value


def _is_of_persons(project: Project, node: Node) -> bool:
    """Whether an attribute of the caller is one that what stands for nobody lacks."""
    op = node.op
    caller = node.to(op.base).origin if isinstance(op, ops.Attr) else node
    if not isinstance(op, ops.Attr) or not _may_be_nobody(project, caller):
        return False
    kinds = project.models.kinds
    is_bare = not kinds["bare-strangers"].isdisjoint(project.names(caller))
    return op.name not in kinds["bare-attributes" if is_bare else "anonymous-attributes"]


def _is_linked(project: Project, node: Node) -> bool:
    """``note.author = request.user``."""
    op = node.op
    is_key = isinstance(op, ops.SetAttr) and op.name in project.once(_links)
    return is_key and isinstance(op, ops.SetAttr) and _may_be_nobody(project, node.to(op.value).origin)


def _is_handed(project: Project, call: Node) -> bool:
    """``serializer.save(author=request.user)``, ``Note.objects.filter(author=request.user)``, ``note.fans.add(…)``."""
    links = project.once(_links)
    named = call.keywords().items()
    if any(name in links and _may_be_nobody(project, value.origin) for name, value in named):
        return True
    listed = call.receiver is not None and isinstance(call.receiver.origin.op, ops.Attr)
    return listed and call.is_call_of("adds-rows") and any(_may_be_nobody(project, v.origin) for v in call.args())


def _links(project: Project) -> frozenset[str]:
    """The attributes of models that hold another row, which is refused if it is none."""
    modelled = (table for table in project.once(schema).tables.values() if table.model)
    columns = (column for table in modelled for column in table.columns)
    return frozenset(column.attribute for column in columns if column.references and column.attribute)


def _caller_of(project: Project, node: Node) -> Node:
    """The caller who is used: of what is read, stored or handed over."""
    op = node.op
    if isinstance(op, ops.Attr):
        return node.to(op.base).origin
    parts = [node.to(op.value)] if isinstance(op, ops.SetAttr) else [*node.args(), *node.keywords().values()]
    return next(part.origin for part in parts if _may_be_nobody(project, part.origin))


def _may_be_nobody(project: Project, node: Node) -> bool:
    """Whether a value is what a library puts in the caller's place, known or not."""
    named = isinstance(node.op, (ops.Attr, ops.Name, ops.Import))
    return named and not project.models.kinds["callers-known-or-not"].isdisjoint(request_names(project, node))


def _fails(project: Project, node: Node) -> bool:
    code, caller = node.code, _caller_of(project, node)
    if asked(code, caller.value, node.value) or escapes(project, node, _RAISED) is None:
        return False
    before = (code.node(value) for value in code.before(node.value, ops.Call))
    return not any(denials(project, callee) for call in before for callee in project.callees(call))


def _finding(project: Project, node: Node, assumed: Assumed) -> Finding:
    caller = _caller_of(project, node)
    does = f"has no `{node.op.name}`" if isinstance(node.op, ops.Attr) else "is no row"
    return Finding(
        place=node.place.first_line(),
        message=f"Nothing before has turned away who is not logged in: then `{caller.spelled}` {does}, "
        "a 500 and not a 401.",
        assumed=assumed,
        request=showing(project, node, (), raises=_RAISED[0], wanted=(401,)),
    )
