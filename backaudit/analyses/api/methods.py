"""POST where another method says what is done: a change of one thing, in an API that has PUT; a plain read."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.api.accepted import queued
from backaudit.analyses.api.answered import is_of_an_api
from backaudit.backend.access.acts import acts
from backaudit.backend.access.changes import changes
from backaudit.backend.access.reads import looked_at
from backaudit.backend.endpoints import endpoints
from backaudit.backend.web.records import Endpoint, Route
from backaudit.project import Code, Project
from backaudit.project.operands import made_of
from backaudit.vocabulary.meaning import meaning

_REPLACING = frozenset({"PUT", "PATCH"})
_STEPS = (meaning("routes", "public-step"), meaning("routes", "public-ending"), meaning("routes", "visit"))


class Posted(msgspec.Struct, frozen=True):
    """A route that is posted to, what it does, and by which method the API would say so."""

    route: Route
    does: str
    better: str


def posted(project: Project) -> tuple[Posted, ...]:
    """All of them, by place, each handler once."""
    of_the_api = [endpoint for endpoint in project.once(endpoints) if is_of_an_api(project, endpoint)]
    replaced = {_thing(endpoint.route) for endpoint in of_the_api if _replaces(endpoint.route)}
    found: dict[Code, Posted] = {}
    for endpoint in of_the_api:
        for one in _judged(project, endpoint, replaced):
            found.setdefault(endpoint.route.handler, one)
    return tuple(sorted(found.values(), key=lambda one: one.route.place))


def _judged(project: Project, endpoint: Endpoint, replaced: set[str]) -> Iterator[Posted]:
    route = endpoint.route
    said = f"{route.path} {route.handler.function.name}"
    if route.methods != ("POST",) or any(book.holds(said) for book in _STEPS):
        return
    if replaced and route.names_one_thing and _only_updates(project, route.handler):
        beside = " beside a PUT or PATCH of the same path" if _thing(route) in replaced else ""
        yield Posted(route, f"changes a row that is there{beside}", "PATCH")
    elif not _takes_a_body(endpoint) and _only_reads(project, route.handler):
        yield Posted(route, "only reads", "GET")


def _replaces(route: Route) -> bool:
    return not _REPLACING.isdisjoint(route.methods)


def _thing(route: Route) -> str:
    return route.path.rstrip("/")


def _only_updates(project: Project, handler: Code) -> bool:
    done = {change.how for change in changes(project, handler)}
    return done == {"update"}


def _takes_a_body(endpoint: Endpoint) -> bool:
    return any(one.where in ("body", "form", "file") for one in endpoint.inputs)


def _only_reads(project: Project, handler: Code) -> bool:
    """Whether what is answered is what was looked up, and nothing else is done."""
    if changes(project, handler) or acts(project, handler) or queued(project, handler):
        return False
    looked = {read.node for read in looked_at(project, handler)}
    return any(part in looked for node in handler.returned() for part in made_of(node))
