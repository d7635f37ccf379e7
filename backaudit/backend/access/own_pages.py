"""Routes that the program's own pages ask: a form that lacks the token of such a page is refused before."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.guards import guarded
from backaudit.backend.deployment.django_settings import settings_modules
from backaudit.backend.web.records import Route
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.declarations import items, truth


def is_of_own_pages(project: Project, handler: Code) -> bool:
    """Whether every route that runs a handler takes forms of the program's own pages alone."""
    found = project.once(_by_handler).get(handler, ())
    return bool(found) and all(_is_protected(project, route) for route in found)


def is_of_a_role(project: Project, handler: Code) -> bool:
    """Whether every route that runs a handler turns away who has no role."""
    found = project.once(_by_handler).get(handler, ())
    return bool(found) and all(any(guard.kind == "role" for guard in route.guards) for route in found)


def exempts(project: Project, node: Node) -> bool:
    """``@csrf_exempt``, also by ``method_decorator``, alone or in a list."""
    named = [node.func or node, *(node.args() if node.method == "method_decorator" else [])]
    names = {name for one in named for item in (one, *items(one)) for name in project.names(item)}
    return not project.models.kinds["csrf-exemptions"].isdisjoint(names)


def _by_handler(project: Project) -> dict[Code, tuple[Route, ...]]:
    found: dict[Code, tuple[Route, ...]] = {}
    for route in project.once(guarded):
        found[route.handler] = (*found.get(route.handler, ()), route)
    return found


def _is_protected(project: Project, route: Route) -> bool:
    """Whether a token is asked of every form that is sent to a route."""
    call = route.declared
    words = sorted(project.models.kinds["csrf-keywords"])
    if call is not None and call.call is not None and any(truth(project, call.arg(None, word)) for word in words):
        return True
    by_middleware = project.models.framework(route.framework).forms_by_middleware
    return by_middleware and project.once(_has_middleware) and not _is_let_off(project, route)


def _has_middleware(project: Project) -> bool:
    known = project.models.kinds["csrf-middleware"]
    # Settings that are put together are not read one by one: it is named, be it further up.
    return any(node.text in known for code in _settings(project) for node in code.nodes(ops.Const))


def _settings(project: Project) -> Iterator[Code]:
    """The modules in which the middleware is listed."""
    listing = [module.names.get("MIDDLEWARE") for module in project.once(settings_modules)]
    yield from dict.fromkeys(value.code for value in listing if value is not None)


def _is_let_off(project: Project, route: Route) -> bool:
    """Whether a route is exempted, or its library's views, which programs ask, see to the token themselves."""
    view = route.view
    around = [view.outer.node(value) for value in view.cls.decorators] if view is not None else []
    decorators = (*route.handler.decorators, *around, *route.wrappers)
    if any(exempts(project, node) for node in decorators):
        return True
    lineage = project.lineage(view.name) if view is not None else ()
    names = (name for node in decorators for name in project.names(node.func or node))
    packages = {name.partition(".")[0] for name in (*lineage, *names)}
    return not project.models.kinds["asks-for-csrf-itself"].isdisjoint(packages)
