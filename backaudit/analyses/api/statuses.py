"""Successes told by the wrong status: made, queued or missing as 200, a body with 204, an empty list as 404."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.api.accepted import is_all, names_the_job, names_what_is_made, queued
from backaudit.analyses.api.answered import answers_data
from backaudit.analyses.api.nothing import null_for
from backaudit.backend.access.changes import changes
from backaudit.backend.endpoints import endpoints
from backaudit.backend.web.records import Endpoint, Route
from backaudit.backend.web.responses import Answer, answers
from backaudit.distinct import distinct
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project
from backaudit.project.code import SERVING
from backaudit.project.holding import conditions
from backaudit.rule import capitalized
from backaudit.vocabulary.meaning import meaning

_LISTS = frozenset({"list", "builtins.list"})
_STEPS = (meaning("routes", "public-step"), meaning("routes", "public-ending"), meaning("routes", "visit"))
_ACT = meaning("routes", "act")
_CHANGING = meaning("routes", "changing")


class Wrong(msgspec.Struct, frozen=True):
    """An answer whose status says something else than what happened."""

    route: Route
    place: Place
    message: str


def wrong_successes(project: Project) -> Iterator[Wrong]:
    """All of them, each handler once for each kind."""
    return (wrong for _, wrong in distinct(_wrong(project), lambda found: found[0]))


def _wrong(project: Project) -> Iterator[tuple[tuple[Code, str], Wrong]]:
    """What is wrong, by the handler and the kind."""
    for endpoint in project.once(endpoints):
        route = endpoint.route
        if project.role(route.handler.path) not in SERVING or route.handler.function.kind == "class":
            continue
        for kind, wrong in _judged(project, endpoint):
            if wrong is not None:
                yield (route.handler, kind), wrong


def _judged(project: Project, endpoint: Endpoint) -> Iterator[tuple[str, Wrong | None]]:
    accepted = _accepted(project, endpoint)
    yield "made", accepted or _made(project, endpoint)
    yield from _answered(project, endpoint.route)


def _accepted(project: Project, endpoint: Endpoint) -> Wrong | None:
    """All that a route does is to queue work, or it tells which job to ask for, and the only success is 200."""
    route = endpoint.route
    jobs = queued(project, route.handler) if _successes(endpoint) == {200} else ()
    if not jobs or not answers_data(project, route.handler):
        return None
    given = answers(project, route.handler)
    bodies = [body for answer in filter(_is_success, given) for body in answer.body]
    is_step = any(book.holds(f"{route.path} {route.handler.function.name}") for book in _STEPS)
    if not names_the_job(jobs, bodies) and (is_step or not is_all(project, route, jobs, bodies)):
        return None
    message = f"{capitalized(route.label)} queues the work and answers 200: 202 tells that it is not done yet."
    return Wrong(route, jobs[0].node.place.first_line(), message)


def _successes(endpoint: Endpoint) -> set[int]:
    return {status for status in (*endpoint.declared, *endpoint.returned) if status < 400}


def _is_success(answer: Answer) -> bool:
    return answer.how == "return" and (answer.status is None or answer.status < 400)


def _made(project: Project, endpoint: Endpoint) -> Wrong | None:
    """A collection that is posted to makes a row, and the only success is 200."""
    route = endpoint.route
    if route.methods != ("POST",) or not _is_collection(route):
        return None
    made = [change for change in changes(project, route.handler) if change.how == "insert"]
    if _successes(endpoint) != {200} or not made or not answers_data(project, route.handler):
        return None
    if queued(project, route.handler) and not any(names_what_is_made(route, change) for change in made):
        return None
    what = next((f"`{change.name}`" for change in made if change.table is not None), "a row")
    message = f"POST {route.path} adds {what} and answers 200: 201 tells that something was made."
    return Wrong(route, route.handler.place, message)


def _is_collection(route: Route) -> bool:
    """``/tasks``, whose last part is a thing's name: no verb, no step of a login, no message to the house."""
    *_, tail = route.path.rstrip("/").rpartition("}")
    parts = [part for part in tail.split("/") if part]
    if not parts or any(_ACT.holds(part) or _CHANGING.holds(part) for part in parts):
        return False
    said = f"{route.path} {route.handler.function.name}"
    return not any(book.holds(said) for book in _STEPS)


def _answered(project: Project, route: Route) -> Iterator[tuple[str, Wrong | None]]:
    for answer in answers(project, route.handler):
        if answer.status == 204 or (answer.status is None and route.status == 204):
            yield "nothing", _with_a_body(route, answer)
        elif answer.status == 404 and _is_list(route):
            yield "empty", _empty(project, route, answer)
        elif answer.status == 200 and (route.status or 200) == 200:
            yield "null", _null(project, route, answer)


def _with_a_body(route: Route, answer: Answer) -> Wrong | None:
    shown = [node for node in answer.body if _is_something(node)]
    if answer.how != "return" or not shown:
        return None
    message = f"{capitalized(route.label)} answers 204 with a body, which no client gets: send nothing, or 200."
    return Wrong(route, answer.place.first_line(), message)


def _null(project: Project, route: Route, answer: Answer) -> Wrong | None:
    lookup = null_for(project, route, answer)
    if not lookup:
        return None
    shown = capitalized(route.label)
    message = f"{shown} answers 200 with null where `{lookup}()` finds nothing: 404 tells that it is not there."
    return Wrong(route, answer.place.first_line(), message)


def _is_something(node: Node) -> bool:
    """A display or text that is not empty."""
    op = node.origin.op
    if isinstance(op, ops.Build):
        return bool(op.items)
    return isinstance(op, ops.Const) and op.value not in ("", None)


def _is_list(route: Route) -> bool:
    last = next((part for part in reversed(route.path.split("/")) if part), "")
    return "GET" in route.methods and "{" not in route.path and not _ACT.holds(last)


def _empty(project: Project, route: Route, answer: Answer) -> Wrong | None:
    """``if not tasks: raise 404`` where tasks is all that there is."""
    for test, truth in conditions(answer.node.code, answer.value):
        node = answer.node.code.node(test)
        if not truth and any(name.partition("[")[0] in _LISTS for name in project.types(node)):
            shown = capitalized(route.label)
            message = f"{shown} answers 404 where the list is empty: nothing in it is an answer, `[]` with 200."
            return Wrong(route, answer.place.first_line(), message)
    return None
