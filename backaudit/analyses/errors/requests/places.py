"""The route by which a request comes to a body of code, and the method that it needs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from backaudit.analyses.errors.requests.wishes import Wish
from backaudit.backend.endpoints import running
from backaudit.backend.web.applications import hangs
from backaudit.backend.web.catching import catches, request_handlers
from backaudit.backend.web.paths import parse
from backaudit.backend.web.records import UNMOUNTED, Route
from backaudit.backend.web.routes import by_handler, routes
from backaudit.project import Code, Node, Project
from backaudit.vocabulary.protocols import METHODS, UNSAFE


def route_to(project: Project, entry: Code, wishes: tuple[Wish, ...]) -> tuple[Route, str] | None:
    """A route that runs ``entry``, with the method to ask it by; None where no HTTP request comes there."""
    named = next((str(wish.value) for wish in wishes if wish.method), "")
    in_path = {wish.name for wish in wishes if wish.where == "path" and wish.name}
    candidates = project.once(by_handler).get(entry) or _around(project, entry) or project.once(_by_body).get(entry, ())
    served = [route for route in candidates if UNMOUNTED not in route.tags and "WEBSOCKET" not in route.methods]
    for route in (route for route in served if hangs(project, route)):
        if not in_path <= parse(route.path, "braces").types.keys():
            continue
        method = _method(project, route, entry, named, wishes)
        if method:
            return route, method
    return None


def _around(project: Project, entry: Code) -> tuple[Route, ...]:
    """The routes of the function in which a function stands."""
    outer = entry.parent
    return project.once(by_handler).get(outer, ()) if outer is not None else ()


def _by_body(project: Project) -> Mapping[Code, tuple[Route, ...]]:
    """The routes by what runs for them beside their handler: dependencies, and methods of their views."""
    found: dict[Code, list[Route]] = {}
    for route in project.once(routes):
        for code in running(project, route):
            found.setdefault(code, []).append(route)
        for code in _of_view(project, route):
            found.setdefault(code, []).append(route)
    return {code: tuple(several) for code, several in found.items()}


def _of_view(project: Project, route: Route) -> list[Code]:
    """The methods of a view's class, its own and those that it inherits from the project's."""
    names = project.lineage(route.view.name) if route.view is not None else ()
    views = (view for name in names if (view := project.class_named(name)) is not None)
    return [code for view in views for code in view.methods.values()]


def _method(project: Project, route: Route, entry: Code, named: str, wishes: tuple[Wish, ...]) -> str:
    methods = [method for method in METHODS if not route.methods or method in route.methods]
    of_hook = [name for name in METHODS if entry.function.name in project.models.kinds[f"runs-for:{name}"]]
    if of_hook and entry != route.handler:
        methods = [method for method in methods if method in of_hook]
    if named:
        return named if named in methods else ""
    sends = any(wish.where in ("body", "form", "file") for wish in wishes)
    if sends:
        methods = [method for method in methods if method in UNSAFE] or methods
    return methods[0] if methods else ""


def coming_to(project: Project, code: Code) -> tuple[Node, ...]:
    """The calls by which a request comes to a body, innermost first; empty where it is its own, or none does."""
    return next(ways_to(project, code), ())


def ways_to(project: Project, code: Code, uncaught: str = "") -> Iterator[tuple[Node, ...]]:
    """The calls by which requests come to a body, from each handler once, the nearest first.

    ``uncaught``: what none of the calls catches.
    """
    waiting: deque[tuple[Code, tuple[Node, ...]]] = deque([(code, ())])
    seen = {code}
    while waiting:
        here, path = waiting.popleft()
        if here in project.once(request_handlers):
            yield path
            continue
        for call in project.callers(here):
            if call.code in seen or call.code.file.role != "production":
                continue
            if not uncaught or catches(project, call, (uncaught,)) is None:
                seen.add(call.code)
                waiting.append((call.code, (*path, call)))
