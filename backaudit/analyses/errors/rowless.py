"""Generic views of rows that are told of none: what the library answers by itself fails, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.requests import valid
from backaudit.backend.web.records import UNMOUNTED, Route
from backaudit.backend.web.routes import routes
from backaudit.project import ClassView, Project
from backaudit.project.code import last_name
from backaudit.project.locate import class_field
from backaudit.rule import Finding

_ROWS = ("queryset", "model")
_STEPS = ("get_queryset", "get_object")
_MAKING = "POST"


def findings(project: Project) -> Iterator[Finding]:
    """Each such view, by the first method that the library answers for it."""
    told: set[str] = set()
    for route in project.once(routes):
        view = route.view
        method = next((name for name in route.methods if name != _MAKING), "")
        if view is None or view.name in told or not _answers_by_itself(route, method):
            continue
        raised = _raised(project, view)
        if raised and not _knows_rows(project, view):
            told.add(view.name)
            yield _finding(project, route, view, method, raised)


def _answers_by_itself(route: Route, method: str) -> bool:
    return bool(method) and route.handler.function.kind == "class" and UNMOUNTED not in route.tags


def _raised(project: Project, view: ClassView) -> str:
    """What the library raises where a view of its kind has no rows; empty where it is of others, or of unknown ones."""
    known = project.models.words["row-views"]
    libraries = [name for name in project.lineage(view.name) if project.class_named(name) is None]
    behind = {base for name in libraries for base in project.lineage(name)[1:]}
    own = [name for name in libraries if name not in behind]
    raised = [known[name] for name in own if name in known]
    return raised[0] if raised and len(raised) == len(own) else ""


def _knows_rows(project: Project, view: ClassView) -> bool:
    fields = (class_field(project, view, name) for name in _ROWS)
    steps = (project.method(view.name, name) for name in _STEPS)
    return any(field is not None for field in fields) or any(step is not None for step in steps)


def _finding(project: Project, route: Route, view: ClassView, method: str, raised: str) -> Finding:
    name = last_name(raised)
    return Finding(
        place=view.place.first_line(),
        message=f"`{last_name(view.name)}` leaves {method} to the library and tells it of no rows: {name}, a 500 "
        "whatever is asked.",
        shown="strict",
        request=valid(project, route, method, raises=name, at=view.place, wrong="", wanted=405),
    )
