"""Handlers that do not take a parameter of their path, by the name by which the framework hands it over."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.analyses.errors.requests import valid
from backaudit.backend.web.records import UNMOUNTED, Route
from backaudit.backend.web.routes import by_handler, routes
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.project.locate import functions_behind
from backaudit.rule import KNOWN, Assumed, Finding, assume

_RAISED = "builtins.TypeError"
# What comes with every request.
_BROUGHT = ("self", "request")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def findings(project: Project) -> Iterator[Finding]:
    """Each handler that every request fails for, since it is given a keyword that it does not know."""
    told: set[Code] = set()
    for route in project.once(routes):
        name = _not_taken(project, route) if route.handler not in told else ""
        if name:
            told.add(route.handler)
            place = route.handler.place.first_line()
            yield Finding(
                place=place,
                message=f"`{route.handler.function.name}()` does not take `{name}`, which {route.path} hands over by "
                "that name: TypeError, a 500 for every request.",
                assumed=_asked_so(project, route),
                remedy="Give the parameter of the function the name that the path has for it.",
                request=valid(
                    project,
                    route,
                    next(iter(route.methods), "GET"),
                    raises=_RAISED,
                    at=place,
                    wrong="nothing is wrong with it",
                    wanted=200,
                ),
            )


def _not_taken(project: Project, route: Route) -> str:
    """The first name in a path that its handler has no parameter for; empty where all are taken, or may be."""
    function = route.handler.function
    handed = project.models.framework(route.framework).path_by_keyword and function.kind == "function"
    serves = UNMOUNTED not in route.tags and route.handler.file.role == "production"
    if not (handed and serves) or _is_between(project, route):
        return ""
    if any(param.kind == "dstar" for param in function.params):
        return ""
    taken = {param.name for param in function.params}
    return next((name for name in _named(route) if name not in taken), "")


def _named(route: Route) -> list[str]:
    """What a path hands over by its name; a group without one is handed over by its place."""
    return [name for name in _PLACEHOLDER.findall(route.path) if not name[0].isdigit()]


def _asked_so(project: Project, route: Route) -> Assumed:
    """That a method of a view is asked for here, where it has an address of its own that it fits."""
    own = project.once(by_handler).get(route.handler, ()) if route.view is not None else ()
    fits = any(other is not route and _fits(project, other) for other in own)
    verb = route.handler.function.name.upper()
    return assume("reach", f"somebody asks for this address with {verb}, which has one of its own") if fits else KNOWN


def _fits(project: Project, route: Route) -> bool:
    """Whether the path hands over all that the handler asks for, and nothing that it does not take."""
    given = {*_PLACEHOLDER.findall(route.path), *(param.name for param in route.params if param.where in _BROUGHT)}
    asked = (param.name for param in route.handler.function.params if param.default == NONE and param.kind == "normal")
    return not _not_taken(project, route) and given.issuperset(asked)


def _is_between(project: Project, route: Route) -> bool:
    """Whether something of the project's own stands between the path and the handler, and may hand over less."""
    if route.wrappers or any(True for name in project.models.kinds["takes-from-path"] for _ in project.calls_of(name)):
        return True
    decorators = [*route.handler.decorators, *_around(route)]
    return any(functions_behind(project, one.func or one) for one in decorators)


def _around(route: Route) -> tuple[Node, ...]:
    view = route.view
    return tuple(view.outer.node(value) for value in view.cls.decorators) if view is not None else ()
