"""Paths that say what the method says: ``POST /create-task`` in place of ``POST /tasks``."""

from __future__ import annotations

import msgspec

from backaudit.analyses.api.answered import is_of_an_api
from backaudit.backend.endpoints import endpoints
from backaudit.backend.web.records import Route
from backaudit.project import Project
from backaudit.vocabulary.meaning import meaning

_VERB = meaning("routes", "says-the-method")


class Verb(msgspec.Struct, frozen=True):
    """A route of an API and the segment of its path that is a verb."""

    route: Route
    segment: str


def verbs(project: Project) -> tuple[Verb, ...]:
    """The routes of an API that have one, by place, each handler once."""
    found: dict[object, Verb] = {}
    for endpoint in project.once(endpoints):
        segment = _verb(endpoint.route)
        if segment and is_of_an_api(project, endpoint):
            found.setdefault(endpoint.route.handler, Verb(endpoint.route, segment))
    return tuple(sorted(found.values(), key=lambda verb: verb.route.place))


def routes_of_the_api(project: Project) -> int:
    """How many handlers the API has."""
    return len({one.route.handler for one in project.once(endpoints) if is_of_an_api(project, one)})


def _verb(route: Route) -> str:
    return next((part for part in route.path.split("/") if _VERB.holds(part)), "")
