"""What the OpenAPI that a framework makes of the code leaves open: what is answered, how it refuses, what is hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import msgspec

from backaudit.backend.endpoints import endpoints
from backaudit.backend.web.descriptions import describing, is_switched_off
from backaudit.backend.web.records import UNMOUNTED, Endpoint, Route
from backaudit.backend.web.responses import Answer, answers
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Code, Project
from backaudit.project.code import SERVING
from backaudit.project.knowledge import FrameworkModel
from backaudit.project.nodes import operands
from backaudit.rule import Step
from backaudit.vocabulary.meaning import meaning

_HOUSE = meaning("routes", "about-the-api")
_SHOWN = 3
_EMPTY, _FIRST_ERROR, _FAULT = 204, 400, 500


class Gap(msgspec.Struct, frozen=True):
    """Something that the description does not say of some routes of an API; ``others`` are all but the first."""

    place: Place
    message: str
    remedy: str
    others: tuple[Step, ...]


def gaps(project: Project) -> Iterator[Gap]:
    """One for each question that an API's description leaves open, whatever the number of its routes."""
    described = [endpoint for endpoint in _served(project) if not _is_hidden(project, endpoint.route)]
    for framework, group in groupby(described, key=lambda endpoint: endpoint.route.framework):
        model, routes = project.models.framework(framework), list(group)
        yield from _unsaid(routes, [one for one in routes if _hides_its_answer(project, one)], model)
        yield from _unrefused(routes, model)
        yield from _untold(routes, [one for one in routes if not _tells_its_purpose(one, model)], model)
    yield from _hidden(project, described)


def _served(project: Project) -> list[Endpoint]:
    """The routes that a description is made of by their framework, by framework and place."""
    is_off = any(is_switched_off(project, call) for call in describing(project))
    found = [endpoint for endpoint in project.once(endpoints) if not is_off and _is_described(project, endpoint.route)]
    return sorted(found, key=lambda endpoint: (endpoint.route.framework, endpoint.route.place))


def _is_described(project: Project, route: Route) -> bool:
    serves = project.role(route.handler.path) in SERVING and UNMOUNTED not in route.tags
    is_asked = bool(route.methods) and not _HOUSE.holds(route.path)
    return serves and is_asked and bool(project.models.framework(route.framework).says_answers)


def _is_hidden(project: Project, route: Route) -> bool:
    name = project.models.framework(route.framework).hides_routes
    calls = (route.declared, *route.around) if name else ()
    given = (call.arg(None, name) for call in calls if call is not None)
    return any(node is not None and node.const is False for node in given)


# -- what is answered -------------------------------------------------------------------------------------------------


def _unsaid(routes: Sequence[Endpoint], silent: Sequence[Endpoint], model: FrameworkModel) -> Iterator[Gap]:
    if silent:
        told = f"{_counted(silent, routes)} not say what {_they(silent)}: the OpenAPI made of the code leaves it open."
        yield _gap(silent, told, f"Declare it: {model.says_answers}.", lambda one: "it does not say what it answers")


def _hides_its_answer(project: Project, endpoint: Endpoint) -> bool:
    """Whether a route declares no model, and returns something that is no response made by hand."""
    if endpoint.response or endpoint.route.response is not None:
        return False
    return _answers_data(project, endpoint)


def _answers_data(project: Project, endpoint: Endpoint) -> bool:
    """Whether a plain value is returned, which the framework sends, and no response that is made by hand."""
    given = [answer for answer in answers(project, endpoint.route.handler) if answer.how == "return"]
    return any(_is_data(answer) for answer in given)


def _is_data(answer: Answer) -> bool:
    if not answer.body or answer.maker or answer.status == _EMPTY:
        return False
    return not any(node.origin.is_call_of("streamed-responses") for node in answer.body)


# -- how it refuses ---------------------------------------------------------------------------------------------------


def _unrefused(routes: Sequence[Endpoint], model: FrameworkModel) -> Iterator[Gap]:
    lacking = {one: _undeclared(one, model) for one in routes}
    found = [one for one in routes if lacking[one]]
    # Where no route declares any, that is how the API is written; where some do, the others look as if they had none.
    if found and model.says_refusals and any(map(_declares_refusals, routes)):
        told = (
            f"{_counted(found, routes)} not declare the errors that {_they(found)}: clients learn of them by failing."
        )
        remedy = f"Declare them: {model.says_refusals}."
        gap = _gap(found, told, remedy, lambda one: f"it answers {_listed(lacking[one])} and does not say so")
        yield msgspec.structs.replace(gap, place=found[0].route.handler.place)


def _declares_refusals(endpoint: Endpoint) -> bool:
    return any(_FIRST_ERROR <= status < _FAULT for status in endpoint.declared)


def _undeclared(endpoint: Endpoint, model: FrameworkModel) -> tuple[int, ...]:
    """Refusals that the code answers and nothing declares; the framework itself describes those that it makes."""
    known = {*endpoint.declared, model.refuses_with}
    return tuple(s for s in endpoint.returned if _FIRST_ERROR <= s < _FAULT and s not in known)


def _listed(statuses: Sequence[int]) -> str:
    return ", ".join(map(str, statuses))


# -- what it is for ---------------------------------------------------------------------------------------------------


def _untold(routes: Sequence[Endpoint], silent: Sequence[Endpoint], model: FrameworkModel) -> Iterator[Gap]:
    """Where most routes say what they are for, those that do not; where few do, that is how the API is written."""
    if silent and model.tells_purpose and 2 * len(silent) < len(routes):
        told = f"{_counted(silent, routes)} not say what {_they_are(silent)} for: a reader sees the function's name."
        remedy = f"Write a docstring, or `{model.tells_purpose[0]}=…` where the route is."
        gap = _gap(silent, told, remedy, lambda one: "it does not say what it is for")
        yield msgspec.structs.replace(gap, place=silent[0].route.handler.place)


def _tells_its_purpose(endpoint: Endpoint, model: FrameworkModel) -> bool:
    declared, handler = endpoint.route.declared, endpoint.route.handler
    said = (declared.arg(None, name) for name in model.tells_purpose if declared is not None)
    return any(said) or _has_docstring(handler)


def _has_docstring(handler: Code) -> bool:
    """Whether a body begins with a text that nothing reads."""
    first = handler.ops[0] if handler.ops else None
    is_text = isinstance(first, ops.Const) and isinstance(first.value, str)
    return is_text and not any(0 in operands(op) for op in handler.ops)


def _they_are(found: Sequence[Endpoint]) -> str:
    return "it is" if len(found) == 1 else "they are"


# -- what is hidden ---------------------------------------------------------------------------------------------------


def _hidden(project: Project, described: Sequence[Endpoint]) -> Iterator[Gap]:
    """Routes that answer data and are left out, beside some under the same path that are not."""
    shown = {endpoint.route.handler for endpoint in described}
    beside = {_above(endpoint.route) for endpoint in described}
    hidden = [one for one in _served(project) if _is_hidden(project, one.route) and one.route.handler not in shown]
    left_out = [one for one in hidden if _above(one.route) in beside and _answers_data(project, one)]
    if left_out:
        told = f"{_names(left_out)} {_are(left_out)} left out of the OpenAPI, and its neighbours are in it."
        remedy = "Describe it too, or give what is not for clients a path of its own."
        yield _gap(left_out, told, remedy, lambda one: "it is left out as well")


def _above(route: Route) -> str:
    """The path that a route shares with its neighbours."""
    return route.path.rstrip("/").rpartition("/")[0]


# -- words ------------------------------------------------------------------------------------------------------------


def _gap(found: Sequence[Endpoint], told: str, remedy: str, why: Callable[[Endpoint], str]) -> Gap:
    first, *others = found
    steps = (Step(one.route.handler.place, f"{_name(one)}: {why(one)}") for one in others)
    return Gap(first.route.place.first_line(), told, remedy, tuple(dict.fromkeys(steps)))


def _counted(found: Sequence[Endpoint], routes: Sequence[Endpoint]) -> str:
    """``3 of 20 routes (GET /a, GET /b …) do``, or the one by its name."""
    if len(found) == 1:
        return f"{_name(found[0])} does"
    return f"{len(found)} of {len(routes)} routes ({_names(found)}) do"


def _they(found: Sequence[Endpoint]) -> str:
    return "it answers" if len(found) == 1 else "they answer"


def _are(found: Sequence[Endpoint]) -> str:
    return "is" if len(found) == 1 else "are"


def _names(found: Sequence[Endpoint]) -> str:
    return ", ".join(_name(one) for one in found[:_SHOWN]) + (" …" if len(found) > _SHOWN else "")


def _name(endpoint: Endpoint) -> str:
    return f"{'/'.join(endpoint.route.methods)} {endpoint.route.path}"
