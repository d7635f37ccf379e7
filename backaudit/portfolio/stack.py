"""What a project is built with, and the next step in its own stack for what it lacks."""

from __future__ import annotations

from collections import Counter

from backaudit.backend.endpoints import endpoints
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import routes
from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.portfolio.records import Lack
from backaudit.project import Project
from backaudit.survey.compose import survey
from backaudit.survey.records import RouteRow, Spot, Survey


def surveyed(project: Project) -> Survey:
    """Routes, schemas and tables, as `map` shows them."""
    return project.once(survey)


def served(project: Project) -> tuple[RouteRow, ...]:
    """The routes that clients reach by HTTP."""
    return project.once(_served)


def _served(project: Project) -> tuple[RouteRow, ...]:
    return tuple(row for row in surveyed(project).routes if "WEBSOCKET" not in row.methods)


def paired(project: Project) -> tuple[tuple[RouteRow, Route], ...]:
    """The routes that are served, each with what the model knows of it. Ask with ``project.once``."""
    known: dict[tuple[object, ...], Route] = {}
    for endpoint in project.once(endpoints):
        route = endpoint.route
        known[route.place.path, route.place.span.line, route.methods, route.path] = route
    rows = ((row, known.get((row.at.path, row.at.line, row.methods, row.path))) for row in served(project))
    return tuple((row, route) for row, route in rows if route is not None)


def stack(project: Project) -> tuple[str, ...]:
    """The names of web frameworks, ORMs and stores, the most used first. Ask with ``project.once``."""
    found = surveyed(project)
    frameworks = Counter(row.framework for row in found.routes)
    stores = Counter([*(row.source for row in found.tables), *(row.source for row in found.collections)])
    return tuple(name for counted in (frameworks, stores) for name, _ in counted.most_common())


def advice(project: Project, key: str) -> str:
    """The next step for what is missing: in the project's own stack where a table tells it, else in any."""
    known = project.models.advice
    own = (f"{key}/{name}" for name in project.once(stack))
    return next((known[name] for name in own if name in known), known[key])


def lack(project: Project, key: str, text: str, at: Place | None = None, *, urgent: bool = False) -> Lack:
    """Something missing, with its next step."""
    return Lack(text, advice(project, key), at, urgent)


def at_line(at: Spot) -> Place:
    """Where a row of the survey stands."""
    return Place.at_line(at.path, at.line)


def place_of(at: Spot | None) -> Place | None:
    """The same, where the row may stand nowhere."""
    return at_line(at) if at is not None else None


def anchor(project: Project) -> Place:
    """Where the application is made: the place for what is missing altogether. Ask with ``project.once``."""
    starts = project.models.kinds["starts"]
    made = (call.place for call in project.calls(*sorted(starts)) if project.role(call.code.path) == "production")
    placed = (route.place for route in project.once(routes) if project.role(route.place.path) == "production")
    first = min(made, default=None) or min(placed, default=None)
    return first or Place(min(project.facts, default="."), WHOLE_FILE)


def route_name(row: RouteRow) -> str:
    """``POST /users`` as a reader says it."""
    return f"{'/'.join(row.methods) or 'any method'} {row.path}"


def listed(names: list[str], most: int = 4) -> str:
    """Names in a row, the rest counted."""
    rest = len(names) - most
    shown = ", ".join(names[:most])
    return f"{shown} and {rest} more" if rest > 0 else shown


def counted(count: int, noun: str, plural: str = "") -> str:
    """``1 table``, ``3 tables``."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
