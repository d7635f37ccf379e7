"""What a broken JSON body is answered with."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.catching import escapes
from backaudit.backend.web.records import Route
from backaudit.facts.place import Place
from backaudit.portfolio.records import Question
from backaudit.portfolio.stack import at_line, paired, route_name
from backaudit.project import Node, Project
from backaudit.survey.records import RouteRow

_ASK = "What does a client get who sends a body that is no JSON?"
_RAISED = ("json.JSONDecodeError",)


def ask(project: Project) -> Iterator[Question]:
    """Asked where a route takes a body."""
    taking = [(row, route) for row, route in project.once(paired) if any(one.where == "body" for one in row.sent)]
    if not taking:
        return
    loose = _uncaught(project)
    if loose is not None:
        answer = "A 500: the body is read by hand here, and nobody catches what that raises."
        yield Question(ask=_ASK, answer=answer, at=loose)
        return
    yield _by_framework(project, *taking[0])


def _by_framework(project: Project, row: RouteRow, route: Route) -> Question:
    named = [*_of_libraries(project, route), row.framework]
    said = next(filter(None, (project.models.framework(name).refuses_broken_bodies for name in named)), "")
    if said:
        answer = f"{said} So it is with {route_name(row)}, before the handler runs."
        return Question(ask=_ASK, answer=answer, at=at_line(row.at))
    answer = "The code does not say it, and backaudit does not know what the framework does of itself."
    return Question(ask=_ASK, answer=answer, at=at_line(row.at), known=False)


def _of_libraries(project: Project, route: Route) -> Iterator[str]:
    """The libraries whose view or decorator stands around a handler: they see the body first."""
    lineage = project.lineage(route.view.name) if route.view is not None else ()
    decorated = (name for one in route.handler.decorators for name in project.names(one.func or one))
    yield from (name.partition(".")[0] for name in (*lineage, *decorated))


def _uncaught(project: Project) -> Place | None:
    """Where a body is parsed by hand and what that raises reaches the client as a 500."""
    kinds = project.models.kinds
    raw = kinds["raw-bodies"] | kinds["text-body-reads"]
    for call in project.calls("json.loads"):
        by_hand = project.role(call.code.path) == "production" and _is_body(project, call.arg(0), raw)
        if by_hand and escapes(project, call, _RAISED) is not None:
            return call.place
    return None


def _is_body(project: Project, node: Node | None, raw: frozenset[str]) -> bool:
    if node is None:
        return False
    here = project.resolved(node).awaited
    named = (*project.names(here), *(project.names(here.func) if here.func is not None else ()))
    return not raw.isdisjoint(named)
