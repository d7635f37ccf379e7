"""Details of what does not fit a schema, answered as they are: they hold what JSON has no way to write."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.errors.requests import valid
from backaudit.backend.web.catching import handlers_in
from backaudit.backend.web.inputs.classes import pydantic_one, schema_of
from backaudit.backend.web.inputs.records import InputSchema
from backaudit.backend.web.records import Route, RouteParam
from backaudit.backend.web.responses import error_handlers
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.facts.requests import JSON, Request
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Goal, Trace
from backaudit.project import Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.nodes import ANY
from backaudit.rule import Finding, Step
from backaudit.vocabulary.protocols import UNSAFE

_RAISED = "builtins.TypeError"
_METHOD = "errors"
_REFUSED = 422


def findings(project: Project) -> Iterator[Finding]:
    """Each answer in JSON that is given such details without anything that makes texts of them first."""
    sources = {call: odd for call in project.calls_of(_METHOD) if (odd := _held(project, call))}
    goal = _Details(project, sources)
    for maker in project.calls(*sorted(project.models.kinds["strict-json"])) if sources else ():
        given = (maker.to(node.value) for node in maker.args())
        origin = next((found for node in given for found in Trace(project, goal).origins(node)), None)
        if origin is not None and maker.code.file.role == "production":
            place = maker.place.first_line()
            yield Finding(
                place=place,
                message=f"`{origin.node.spelled}` holds {sources[origin.node]}, of which `{maker.method}` makes no "
                f"JSON: a TypeError, and the client's mistake ends as a 500, not a {_REFUSED}.",
                trace=(*origin.steps, Step(place, "is written as JSON, or raises TypeError")),
                request=_request(project, maker),
            )


def _held(project: Project, call: Node) -> str:
    """What the details hold that is none of JSON's values; empty where they are others', or hold none."""
    kinds = project.models.kinds
    names = set(project.names(call.func)) if call.func is not None else set()
    names |= {f"{name}.{_METHOD}" for name in _caught(project, call.receiver)}
    if any(_leaves_out(call, argument) for argument in ("include_input", "include_context")):
        return ""
    if pydantic_one(project):
        return ""
    if not kinds["details-with-bodies"].isdisjoint(names):
        return "the body as it came, in bytes where it is no JSON"
    if not kinds["details-with-causes"].isdisjoint(names) and project.once(_has_own_checks):
        return "the exceptions of the schemas' own validators"
    return ""


def _leaves_out(call: Node, argument: str) -> bool:
    said = call.keywords().get(argument)
    return said is not None and said.const is False


def _caught(project: Project, exception: Node | None) -> tuple[str, ...]:
    """The classes of an exception, by the ``except`` that caught it, or by what the application's handler is for."""
    here = exception.origin if exception is not None else None
    if here is not None and isinstance(here.op, ops.Caught):
        around = (handler for handler in handlers_in(project, here.code) if handler.exception.origin == here)
        return next((handler.caught for handler in around), ())
    return _of_handler(project, here, here.op.index) if here is not None and isinstance(here.op, ops.Param) else ()


def _of_handler(project: Project, param: Node, index: int) -> tuple[str, ...]:
    own = next((caught for code, caught in project.once(error_handlers) if code == param.code), None)
    return own if own is not None else _handed(project, param, index)


@cut_circles(())
def _handed(project: Project, param: Node, index: int) -> tuple[str, ...]:
    """The classes of an exception that the callers of a function hand to it."""
    given = filter(None, (project.argument(call, param.code, index) for call in project.callers(param.code)))
    return tuple(dict.fromkeys(name for one in given for name in _caught(project, one)))


def _has_own_checks(project: Project) -> bool:
    """Whether a schema judges a field by code of its own, whose exception the details keep."""
    schemas = (schema_of(project, cls) for cls in project.subclasses(*sorted(project.models.kinds["keeps-causes"])))
    return any(map(_judges, filter(None, schemas)))


def _judges(schema: InputSchema) -> bool:
    return any(field.validated for field in schema.fields)


class _Details(Goal):
    """The details, until something makes plain values of them."""

    def __init__(self, project: Project, sources: dict[Node, str]) -> None:
        self._sources = sources
        self._plain = project.models.kinds["makes-plain"]
        self._texts = project.models.kinds["plain-details"]

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        keyed = (str(part) for part in access if part != ANY)
        if node not in self._sources or not self._texts.isdisjoint(keyed):
            return None
        return f"`{node.spelled}` are the details of what does not fit"

    def ends(self, search: Search, node: Node, access: Access, use: int) -> bool:
        if not isinstance(node.op, ops.Call) or node.func is None:
            return isinstance(node.op, ops.Format)
        as_json = node.keywords().get("mode")
        return not self._plain.isdisjoint(search.project.names(node.func)) or (
            as_json is not None and as_json.text == "json"
        )


def _request(project: Project, maker: Node) -> Request | None:
    """A body that is no JSON, for the first route that takes one by a schema."""
    made = (_valid(project, route, maker) for route in project.once(routes) if any(map(_is_body, route.params)))
    found = next((request for request in made if request is not None and request.content_type == JSON), None)
    if found is None:
        return None
    kept = tuple(pair for pair in found.headers if pair[0] != "Content-Type")
    return msgspec.structs.replace(found, body="text", headers=(*kept, ("Content-Type", "text/plain")))


def _is_body(param: RouteParam) -> bool:
    return param.where == "body" and param.schema


def _valid(project: Project, route: Route, maker: Node) -> Request | None:
    method = next((name for name in sorted(UNSAFE) if name in route.methods), "")
    if not method:
        return None
    return valid(project, route, method, raises=_RAISED, at=maker.place, wrong="the body is no JSON", wanted=_REFUSED)
