"""What a test puts in the place of the guards of a route, so that its caller is let pass."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.guards import steps
from backaudit.backend.web.applications import importable
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import injected_code, injected_target, listed_dependencies, sharing
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.facts.requests import Row, StandIn
from backaudit.project import Code, Node, Project
from backaudit.project.operands import inputs


def stand_ins(project: Project, route: Route) -> tuple[StandIn, ...]:
    """For each guard of a route one; none at all where some guard is no function that a test can import, or gives what
    no test can make.
    """
    asking = [step for step in steps(project, route) if set(step.kinds) - {"rate-limit"}]
    if any(step.how != "dependency" for step in asking):
        return ()
    targets = list(_targets(project, route))
    known = {place for place, _, _ in targets}
    places = {step.place for step in asking}
    if not places <= known:
        return ()
    found = [_stand_in(project, target, used=used) for place, target, used in targets if place in places]
    made = [one for one in found if one is not None]
    return tuple(dict.fromkeys(made)) if len(made) == len(found) else ()


def _targets(project: Project, route: Route) -> Iterator[tuple[Place, Node, bool]]:
    """What is injected into a handler or before it: where, and whether its value is used."""
    handler = route.handler
    for index, param in enumerate(handler.function.params):
        target = injected_target(project, handler, index)
        if target is not None:
            place = Place(handler.path, param.at)
            yield place, target, _is_used(handler, index)
    for call in (route.declared, *sharing(project, route)):
        for target in listed_dependencies(project, call):
            yield target.place, target, False


def _is_used(code: Code, index: int) -> bool:
    values = {value for value, op in enumerate(code.ops) if isinstance(op, ops.Param) and op.index == index}
    return any(not values.isdisjoint(inputs(op)) for op in code.ops)


def _stand_in(project: Project, target: Node, *, used: bool) -> StandIn | None:
    codes = injected_code(project, target)
    if len(codes) != 1 or not _is_importable(codes[0]):
        return None
    guard = codes[0]
    gives = next(_rows(project, guard), None) if used else None
    if used and gives is None:
        return None
    folder, module = importable(project, guard.file)
    return StandIn(module, guard.function.name, folder, gives)


def _is_importable(code: Code) -> bool:
    """Whether a module has the function under its own name: no method, and nothing that another function makes."""
    return code.cls is None and code.function.name in code.file.top.body.final


def _rows(project: Project, guard: Code) -> Iterator[Row]:
    """The models of which a guard gives a row, those that can be made without a database."""
    for name in project.returned(guard):
        cls = project.class_named(name)
        if cls is not None and project.inherits(name, *project.models.kinds["declarative-base"]):
            folder, module = importable(project, cls.file)
            yield Row(module, cls.cls.name, folder=folder)


__all__ = ["stand_ins"]
