"""Bodies that a framework has parsed, and refused, before any code of the project reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import injected_bodies, injected_code, listed_dependencies, routes, sharing
from backaudit.project import Code, Project


def is_parsed_before(project: Project, code: Code) -> bool:
    """Whether every route that runs a handler or dependency declares a body: what is no JSON never comes to it."""
    found = project.once(_running).get(code, ())
    return bool(found) and all(_declares_body(project, route) for route in found)


def _declares_body(project: Project, route: Route) -> bool:
    eager = project.models.kinds["parses-bodies-first"]
    return route.framework in eager and any(param.where == "body" for param in route.params)


def _running(project: Project) -> Mapping[Code, tuple[Route, ...]]:
    """The handlers and what is injected into them, each with the routes that run it."""
    found: dict[Code, tuple[Route, ...]] = {}
    for route in project.once(routes):
        for code in _run_by(project, route):
            found[code] = (*found.get(code, ()), route)
    return found


def _run_by(project: Project, route: Route) -> dict[Code, None]:
    found: dict[Code, None] = {}
    todo = [route.handler, *_listed(project, route)]
    while todo:
        code = todo.pop()
        if code not in found:
            found[code] = None
            params = range(len(code.function.params))
            todo += [inner for index in params for inner in injected_bodies(project, code, index)]
    return found


def _listed(project: Project, route: Route) -> Iterator[Code]:
    for call in (route.declared, *sharing(project, route)):
        for target in listed_dependencies(project, call):
            yield from injected_code(project, target)
