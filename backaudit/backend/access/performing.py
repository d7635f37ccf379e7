"""Who does the work of a route: its handler, or the methods that a library's view calls once the input is checked."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.access.guards import acting
from backaudit.backend.web.records import Route, RouteParam
from backaudit.project import Code, Project


def performed(project: Project) -> tuple[Route, ...]:
    """All that clients ask for; a view of a library's is there by each of the project's methods that it calls, too."""
    return tuple(done for route in project.once(acting) for done in (route, *by_steps(project, route)))


def by_steps(project: Project, route: Route) -> Iterator[Route]:
    """The route of a library's view with a method that the view calls, once the input is checked, as the handler."""
    if route.view is None or route.handler.function.kind == "function":
        return
    kinds = project.models.kinds
    called = {name for method in route.methods for name in kinds.known(f"runs-for:{method}")}
    for name in sorted(called & kinds["performs"]):
        code = project.method(route.view.name, name)
        if code is not None:
            yield msgspec.structs.replace(route, handler=code, params=_checked(code))


def _checked(code: Code) -> tuple[RouteParam, ...]:
    """What such a method is handed: the form or serializer that holds what the client has sent."""
    given = enumerate(code.function.params[:2])
    return tuple(RouteParam(index, param.name, "form", schema=True) for index, param in given if index == 1)
