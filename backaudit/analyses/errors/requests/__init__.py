"""The request by which a client meets a mistake: valid in all but what it is to show."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from backaudit.analyses.errors.requests.composing import Draft, composed
from backaudit.analyses.errors.requests.places import coming_to, route_to, ways_to
from backaudit.analyses.errors.requests.provoking import provoking
from backaudit.analyses.errors.requests.rows import Asked
from backaudit.analyses.errors.requests.wishes import Kind, Wish, input_behind, looked_up, to_reach
from backaudit.backend.endpoints import running
from backaudit.backend.web.catching import handler_of
from backaudit.backend.web.inputs.records import Scalar
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import by_handler
from backaudit.facts.place import Place
from backaudit.facts.requests import Request
from backaudit.flow.trace import Access
from backaudit.project import Node, Project

_SAID: dict[Kind, str] = {
    "absent": "is left out", "malformed": "is {value}, of which nothing can be made",
    "unknown": "names nothing that is there",
    "null": "is null", "equal": "is {value}", "present": "is sent", "long": "is too long", "negative": "is below zero",
    "zero": "is zero", "listed": "is an empty list",
    "pieces": "has no second part", "twice": "is there already", "taken": "is another row's already",
    "known": "names what is there", "never": "",
}  # fmt: skip
_WANTED: dict[Kind, tuple[int, ...]] = {"unknown": (404,), "twice": (409,), "taken": (409,)}
_MALFORMED = 400


def wrong(project: Project, kind: Kind, value: Node, access: Access = (), limit: Scalar = None) -> tuple[Wish, ...]:
    """That the input behind a value, or the part of it that is meant, is wrong in a way; nothing if it is not known."""
    place = input_behind(project, value, access, texts=kind == "malformed")
    return (Wish(kind, place[0], place[1], limit),) if place is not None else ()


def showing(
    project: Project,
    node: Node,
    path: tuple[Node, ...],
    wishes: Iterable[Wish] | None = None,
    *,
    raises: str = "",
    status: int = 500,
    wanted: tuple[int, ...] = (),
) -> Request | None:
    """The request that makes ``node`` do what a finding says, coming by ``path``; None where none can be named.

    ``wishes``: what the client does wrong, beside what the conditions on the way ask for; None: they are all.
    """
    own = tuple(wishes) if wishes is not None else None
    if own == ():
        return None
    found = _route(project, node, path, own or (), raises)
    if found is None:
        return None
    route, method, before = found
    draft = Draft(project, route, method)
    for wish in (*before, *(own or ())):
        draft.want(wish)
    shown = own or before
    return composed(
        draft,
        wrong=_said(draft, shown),
        raises=raises.rpartition(".")[2],
        at=f"{node.place.path}:{node.place.span.line}",
        status=status,
        wanted=wanted or _wanted(project, shown, route.framework),
        apart=_apart(own[0], before) if own and own[0].kind == "twice" else None,
    )


def never_runs(project: Project, node: Node, raises: str) -> bool:
    """Whether, on each way by which requests come, a condition stands that no request can meet."""
    ways = tuple(ways_to(project, node.code, raises))
    return bool(ways) and all(_is_closed(to_reach(project, node, way)) for way in ways)


def _is_closed(asked: Iterable[Wish]) -> bool:
    return any(wish.kind == "never" for wish in asked)


def _route(
    project: Project, node: Node, path: tuple[Node, ...], own: tuple[Wish, ...], raises: str
) -> tuple[Route, str, tuple[Wish, ...]] | None:
    """The route to ask, its method, and what the way asks for: by ``path``, else by another that takes the inputs."""
    others = (way for way in ways_to(project, node.code, raises) if way != path)
    first: tuple[Route, str, tuple[Wish, ...]] | None = None
    for way in chain((path,), others):
        before = to_reach(project, node, way)
        if _is_closed(before) or _contradict(before, own):
            continue
        found = route_to(project, way[-1].code if way else node.code, (*own, *before))
        if found is not None and any(_is_anothers(project, found[0], wish) for wish in own):
            continue
        if found is not None and _takes(project, found[0], found[1], own):
            return (*found, before)
        first = first or ((*found, before) if found is not None else None)
    return first


def _contradict(before: tuple[Wish, ...], own: tuple[Wish, ...]) -> bool:
    """Whether an input would have to name a row on the way, and none in the end."""
    known = {(wish.where, wish.name) for wish in before if wish.kind == "known"}
    return any((wish.where, wish.name) in known for wish in own if wish.kind == "unknown")


def _is_anothers(project: Project, route: Route, wish: Wish) -> bool:
    """Whether an input is read by another route, and comes here through a session or the like."""
    others = project.once(by_handler).get(wish.read_in, ()) if wish.read_in is not None else ()
    return bool(others) and route not in others and wish.read_in not in running(project, route)


def _takes(project: Project, route: Route, method: str, own: tuple[Wish, ...]) -> bool:
    """Whether a route reads what the client does wrong."""
    named = [wish for wish in own if wish.name and wish.where in ("body", "form", "query")]
    draft = Draft(project, route, method) if named else None
    return draft is None or all(draft.knows(wish.where, wish.name) for wish in named)


def _apart(twice: Wish, before: tuple[Wish, ...]) -> list[Wish]:
    """What has to differ so that a second row comes as far as the first: all that is asked for but what collides."""
    colliding = {name.strip().removesuffix("_id") for name in twice.name.split(",")}
    return [wish for wish in before if wish.kind == "unknown" and wish.name.removesuffix("_id") not in colliding]


def valid(
    project: Project, route: Route, method: str, *, raises: str, at: Place, wrong: str, wanted: int
) -> Request | None:
    """A request with which nothing is wrong, and which fails; None where none can be named."""
    return composed(
        Draft(project, route, method),
        wrong=wrong,
        raises=raises.rpartition(".")[2],
        at=f"{at.path}:{at.span.line}",
        status=500,
        wanted=(wanted,),
        apart=None,
    )


def of_answer(project: Project, node: Node, status: int | None) -> Request | None:
    """The request that is answered at ``node``: by what the ``except`` around it catches, or the conditions before."""
    handler = handler_of(project, node)
    path = coming_to(project, node.code)
    if status is None:
        return None
    if handler is None:
        return showing(project, node, path, status=status) if to_reach(project, node, path) else None
    return showing(project, node, path, provoking(project, handler), status=status)


def _said(draft: Draft, shown: tuple[Wish, ...]) -> str:
    """What is wrong with the request, in words."""
    wish = next((wish for wish in shown if not wish.method), None)
    if wish is None:
        return ""
    what = f"`{wish.name}`" if wish.name else "the body"
    value = draft.values.get((wish.where, wish.name), "broken JSON" if not wish.name else "")
    return f"{what} {_SAID[wish.kind].format(value=value)}"


def _wanted(project: Project, shown: tuple[Wish, ...], framework: str) -> tuple[int, ...]:
    kind = next((wish.kind for wish in shown if not wish.method), None)
    known = _WANTED.get(kind) if kind is not None else None
    return known or (project.models.framework(framework).refuses_with or _MALFORMED,)


__all__ = ["Asked", "Wish", "input_behind", "looked_up", "never_runs", "of_answer", "showing", "valid", "wrong"]
