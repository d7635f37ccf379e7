"""What a route answers beside its success, and why: what is raised and returned, refused, and not found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from backaudit.backend.endpoints import running
from backaudit.backend.web.records import Endpoint
from backaudit.backend.web.responses import Answer, answers
from backaudit.project import Code, Node, Project
from backaudit.project.code import last_name
from backaudit.survey.records import Guarding, Sent, Spot, StatusRow
from backaudit.vocabulary.protocols import TURNED_AWAY


def told(
    project: Project, endpoint: Endpoint, taken: Iterable[Sent], guards: Iterable[Guarding]
) -> Iterator[StatusRow]:
    """The statuses of a route with their reasons, in the order in which a request meets them."""
    yield from _of_guards(guards)
    yield from _of_declarations(project, endpoint, taken)
    handler = endpoint.route.handler
    if handler.function.kind == "class":
        return
    absent = project.once(_found_or_404)
    for code in running(project, endpoint.route):
        yield from (_answered(answer) for answer in answers(project, code) if _counts(answer, code == handler))
        yield from (StatusRow(404, f"`{call.method}()` finds nothing", _spot(call)) for call in absent.get(code, ()))


def _of_guards(guards: Iterable[Guarding]) -> Iterator[StatusRow]:
    for guard in guards:
        status = next((TURNED_AWAY[kind] for kind in guard.kinds if kind in TURNED_AWAY), None)
        if status is not None:
            yield StatusRow(status, f"`{guard.name}` lets the caller not pass", guard.at)


def _of_declarations(project: Project, endpoint: Endpoint, taken: Iterable[Sent]) -> Iterator[StatusRow]:
    """What a framework refuses by itself: what does not fit the types that are declared."""
    route = endpoint.route
    framework = project.models.framework(route.framework)
    judged = [one for one in taken if one.checked and not (one.where == "path" and one.shape.free)]
    if framework.typed and judged:
        names = ", ".join(f"`{one.name}`" if one.name else f"the {one.where}" for one in judged[:3])
        spot = Spot(route.place.path, route.place.span.line)
        yield StatusRow(framework.refuses_with or 422, f"{names} may not fit what is declared", spot)


def _counts(answer: Answer, own: bool) -> bool:
    return answer.status is not None and answer.stated and (own or answer.how == "raise")


def _answered(answer: Answer) -> StatusRow:
    name = last_name(answer.maker)
    what = f"`{name}` is {'raised' if answer.how == 'raise' else 'returned'}" if name else "is returned with it"
    return StatusRow(answer.status or 0, what, _spot(answer.node))


def _spot(node: Node) -> Spot:
    return Spot(node.place.path, node.place.span.line)


def _found_or_404(project: Project) -> Mapping[Code, list[Node]]:
    """The look-ups that answer 404 themselves, by where they stand."""
    found: dict[Code, list[Node]] = {}
    for call in project.calls(*sorted(project.models.kinds["answers-404"])):
        found.setdefault(call.code, []).append(call)
    return found
