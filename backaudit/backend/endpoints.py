"""Endpoints as a client and a reader see them: all that is sent, what runs before the answer, and what is answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from backaudit.backend.access.guards import guarded, steps
from backaudit.backend.web.params import is_schema
from backaudit.backend.web.paths import parse
from backaudit.backend.web.reads import declared_by, inputs_read
from backaudit.backend.web.records import Endpoint, Input, Route, Step
from backaudit.backend.web.responses import answers
from backaudit.backend.web.routes import (
    entries,
    injected_bodies,
    injected_classes,
    injected_code,
    listed_dependencies,
    sharing,
)
from backaudit.backend.web.signature import from_params, restriction_limits
from backaudit.backend.web.statuses import status_of
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.models import DeclareModel
from backaudit.project import Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.declarations import items
from backaudit.project.locate import class_field, functions_behind
from backaudit.vocabulary.protocols import SENDING

# Class-level fields of views whose class checks the body.


def endpoints(project: Project) -> tuple[Endpoint, ...]:
    """Every endpoint, in the order of files and lines. Ask with ``project.once(endpoints)``."""
    return tuple(_endpoint(project, route) for route in project.once(guarded))


def _endpoint(project: Project, route: Route) -> Endpoint:
    before = steps(project, route)
    return Endpoint(
        route=route,
        inputs=_merged(_inputs(project, route)),
        steps=before,
        response=_response(project, route),
        declared=tuple(
            sorted(
                {s for s, _ in _declared(project, route)}
                | ({route.status} if route.status else set())
                | {*route.statuses}
            )
        ),
        returned=tuple(sorted(set(_returned(project, route, before)))),
    )


def taken(project: Project, route: Route) -> Endpoint:
    """A route with all that is sent to it, and nothing else."""
    return project.once_of(_taken, route)


def _taken(project: Project, route: Route) -> Endpoint:
    return Endpoint(route=route, inputs=_merged(_inputs(project, route)))


# -- what is sent ---------------------------------------------------------------------------------------------------


def _inputs(project: Project, route: Route) -> Iterator[Input]:
    yield from route.inputs
    yield from _in_path(project, route)
    parsers = project.models.kinds.get("argument-parsers", frozenset())
    parsing = [d for d in _decorators(route) if not parsers.isdisjoint(project.names(d.func or d))]
    # What a parsing decorator hands over is told by the decorator.
    told = bool(parsing or route.inputs)
    own = (p for p in route.params if p.where != "path" and not (told and p.where == "body"))
    yield from from_params(project, route.handler, tuple(own))
    for decorator in parsing:
        yield from declared_by(project, decorator)
    for code in running(project, route):
        yield from _inputs_of(project, code, own=code == route.handler)
    yield from _class_schema(project, route)


def _inputs_of(project: Project, code: Code, *, own: bool) -> Iterator[Input]:
    """What one of the bodies takes that a request runs; of the handler the parameters are told already."""
    if not own:
        params = project.once(entries).get(code, ())
        yield from from_params(project, code, tuple(param for param in params if param.where != "path"))
    for index in range(len(code.function.params)):
        yield from _injected_class(project, code, index)
    yield from inputs_read(project, code)


def _in_path(project: Project, route: Route) -> Iterator[Input]:
    """The path's placeholders, with what the handler's parameter of that name says."""
    written = dict(route.converters)
    own, reached = _of_placeholders(project, route)
    for name, types in parse(route.path, "braces").types.items():
        restriction = written.get(name, "")
        found = own.get(name)
        known = found.types if found is not None and found.types else types or _types(restriction)
        limits = restriction_limits(restriction, bool(known))
        yield Input(
            name=name,
            where="path",
            place=found.place if found is not None else route.place,
            types=known,
            required=True,
            declared=found is not None or name in reached,
            limits=found.limits if found is not None and found.limits != type(found.limits)() else limits,
        )


def _of_placeholders(project: Project, route: Route) -> tuple[dict[str, Input], set[str]]:
    """What parameters say of the path's placeholders by name, the handler's first; and the names that any has."""
    typed = {param.name: param for param in route.params if param.where == "path"}
    own = {found.name: found for found in from_params(project, route.handler, tuple(typed.values()))}
    reached: set[str] = set()
    for code in running(project, route):
        params = tuple(param for param in project.once(entries).get(code, ()) if param.where == "path")
        reached.update(param.name for param in params)
        for injected in from_params(project, code, params if code != route.handler else ()):
            own.setdefault(injected.name, injected)
    return own, reached


def _injected_class(project: Project, code: Code, index: int) -> Iterator[Input]:
    """A class without a constructor of its own that is injected: its fields come from the query string."""
    for cls in injected_classes(project, code, index):
        if project.method(cls.name, "__init__") is None and is_schema(project, cls.name):
            place = Place(code.path, code.function.params[index].at)
            yield Input(
                name="", where="query", place=place, types=(cls.name,), schema=cls.name, whole=True, declared=True
            )


def _types(restriction: str) -> tuple[str, ...]:
    return parse("{x:" + restriction + "}", "braces").types.get("x", ()) if restriction.isidentifier() else ()


def _decorators(route: Route) -> tuple[Node, ...]:
    view = route.view
    own = tuple(view.outer.node(value) for value in view.cls.decorators) if view is not None else ()
    return (*own, *route.handler.decorators)


def running(project: Project, route: Route) -> tuple[Code, ...]:
    """The bodies that run for a request: the handler and what is inside, its dependencies, and what they call."""
    found: dict[Code, None] = {}
    if route.handler.function.kind != "class":
        _run(project, route.handler, found)
    for call in (route.declared, *sharing(project, route)):
        for target in listed_dependencies(project, call):
            for code in injected_code(project, target):
                _run(project, code, found)
    return tuple(found)


def _run(project: Project, code: Code, found: dict[Code, None]) -> None:
    """Notes a body and all that it runs, each where it comes first."""
    waiting = [code]
    while waiting:
        body = waiting.pop()
        if body not in found and body.file.role not in ("test", "example"):
            found[body] = None
            waiting += reversed(list(_run_by(project, body)))


def _run_by(project: Project, code: Code) -> Iterator[Code]:
    for index in range(len(code.function.params)):
        yield from injected_bodies(project, code, index)
    for node in code.nodes(ops.Def):
        if isinstance(node.op, ops.Def):
            yield code.file.code(node.op.function)
    for call in code.nodes(ops.Call):
        yield from project.callees(call)


def _class_schema(project: Project, route: Route) -> Iterator[Input]:
    """``serializer_class`` and ``form_class`` of a generic view."""
    view = route.view
    if view is None or (route.methods and SENDING.isdisjoint(route.methods)):
        return
    for name, part in sorted(project.models.words["holds-schema"].items(), reverse=True):
        field = class_field(project, view, name)
        for cls in project.denoted_classes(field) if field is not None else ():
            yield Input(
                name="", where="form" if part == "form" else "body", place=field.place if field else view.place,
                types=(cls.name,), required=True, schema=cls.name, whole=True,
            )  # fmt: skip


def _merged(found: Iterable[Input]) -> tuple[Input, ...]:
    """One record for each thing; what is required anywhere is required, what is declared first counts."""
    kept: dict[tuple[str, str, str], Input] = {}
    for item in found:
        name = item.name.lower() if item.where == "header" else item.name
        key = (item.where, name, "" if item.name else item.schema)
        kept[key] = _both(kept[key], item) if key in kept else item
    schemas = {item.where for item in kept.values() if item.whole and item.schema}
    return tuple(item for item in kept.values() if item.schema or item.name or item.where not in schemas)


def _both(known: Input, item: Input) -> Input:
    return msgspec.structs.replace(
        known,
        types=known.types or item.types,
        required=known.required and item.required,
        declared=known.declared or item.declared,
        default=known.default if known.default is not None else item.default,
    )


# -- what is answered -----------------------------------------------------------------------------------------------


def _declared(project: Project, route: Route) -> Iterator[tuple[int, Node | None]]:
    """The statuses, with their models, that decorators declare; those of all its routes a router declares."""
    models: dict[str, DeclareModel] = project.models.declares
    for decorator in dict.fromkeys((*_decorators(route), *((route.declared,) if route.declared else ()))):
        target = decorator.func or decorator
        model = next((models[name] for name in project.names(target) if name in models), None)
        if model is not None:
            yield from _by_model(project, decorator, model)
        for keyword in ("responses", "response"):
            given = decorator.arg(None, keyword)
            yield from _table(project, given) if given is not None else ()
    for router in route.around:
        given = router.arg(None, "responses")
        yield from _table(project, given) if given is not None else ()


def _by_model(project: Project, decorator: Node, model: DeclareModel) -> Iterator[tuple[int, Node | None]]:
    given, shown, table = (decorator.argument(which) for which in (model.status, model.model, model.table))
    status = status_of(project, given) if given is not None else None
    if status is None:
        status = model.default
    if status:
        yield status, shown
    yield from _table(project, table) if table is not None else ()


@cut_circles()
def _table(project: Project, given: Node) -> Iterator[tuple[int, Node | None]]:
    """``{200: Model, 404: ...}``, merged displays included."""
    here = project.resolved(given)
    op = here.op
    for key, value in here.entries_and_unpacked():
        if key is None:
            yield from _table(project, value)
            continue
        for status in (status_of(project, one) for one in items(key) or [key]):
            if status is not None:
                yield status, value
    if isinstance(op, ops.Bin):
        yield from _table(project, here.to(op.left))
        yield from _table(project, here.to(op.right))


def _response(project: Project, route: Route) -> tuple[str, ...]:
    """Type names of the declared response model."""
    given = route.response
    if given is not None and not _is_table(project, given):
        return project.annotated(given)
    for status, node in _declared(project, route):
        types = _types_said(project, node) if node is not None and 200 <= status < 300 else ()
        if types:
            return types
    field = class_field(project, route.view, "serializer_class") if route.view is not None else None
    return tuple(cls.name for cls in project.denoted_classes(field)) if field is not None else ()


def _types_said(project: Project, node: Node) -> tuple[str, ...]:
    return tuple(project.annotated(node)) or tuple(cls.name for cls in project.instances(node))


def _is_table(project: Project, node: Node) -> bool:
    return project.resolved(node).is_dict


def _returned(project: Project, route: Route, before: tuple[Step, ...]) -> Iterator[int]:
    """The statuses that the handler, and what it calls, give; the declared one stands for the framework's default."""
    for step in before:
        code = _hook(project, step) if step.how == "hook" and step.kinds else None
        yield from _stated(project, code) if code is not None else ()
    for decorator in route.handler.decorators:
        for made in functions_behind(project, decorator.func or decorator):
            yield from (status for code in made.nested for status in _stated(project, code))
    for code in running(project, route):
        yield from _answered(project, route, code)
    body = route.handler
    if body.function.kind != "class" and not any(isinstance(op, ops.Return) for op in body.ops):
        yield route.status or 200


def _answered(project: Project, route: Route, code: Code) -> Iterator[int]:
    """The statuses of one body's answers; of what the handler calls, those that are raised."""
    for answer in answers(project, code):
        if answer.status is not None and (code == route.handler or answer.how == "raise"):
            yield answer.status if answer.stated or route.status is None else route.status


def _stated(project: Project, code: Code) -> Iterator[int]:
    return (answer.status for answer in answers(project, code) if answer.stated and answer.status is not None)


def _hook(project: Project, step: Step) -> Code | None:
    file = project.files.get(step.place.path)
    found = (index for index, f in enumerate(file.facts.functions) if f.name_at == step.place.span) if file else ()
    return next((file.code(index) for index in found), None) if file else None


__all__ = ["endpoints", "running", "taken"]
