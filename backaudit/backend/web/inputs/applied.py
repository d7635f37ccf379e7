"""Which schemas are really put to what a client sends: by framework, decorator, view, or code of the handler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

import msgspec

from backaudit.backend.deployment.settings import settings_named
from backaudit.backend.web.chosen import chosen
from backaudit.backend.web.inputs.classes import library_of, schema_of, view_form
from backaudit.backend.web.inputs.mappings import location_of, reqparse, schema_behind
from backaudit.backend.web.inputs.records import InputSchema
from backaudit.backend.web.locations import located
from backaudit.backend.web.records import Route, Where
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.models import Applying, SchemaModel
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import text
from backaudit.project.locate import behind
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.protocols import CHECKED

_DEPTH = 2


class Applied(msgspec.Struct, frozen=True):
    """``schema`` is put to the ``where`` of a route's requests by what stands at ``place``; ``many``: a list of it."""

    schema: InputSchema
    where: Where
    place: Place
    many: bool = False


def applied(project: Project) -> Mapping[Route, tuple[Applied, ...]]:
    """The schemas of every route that has some. Ask with ``project.once``."""
    found = {route: tuple(_of(project, route)) for route in routes(project)}
    return {route: unique for route, several in found.items() if (unique := _unique(several))}


def applied_to(project: Project, route: Route) -> tuple[Applied, ...]:
    """The schemas that are put to a route's requests."""
    return project.once(applied).get(route, ())


def _unique(several: tuple[Applied, ...]) -> tuple[Applied, ...]:
    by_key: dict[tuple[str, str], Applied] = {}
    for one in several:
        by_key.setdefault((one.schema.name, one.where), one)
    return tuple(by_key.values())


def _of(project: Project, route: Route) -> Iterator[Applied]:
    yield from _parameters(project, route)
    yield from _decorators(project, route)
    handler = route.handler
    if handler.function.kind != "class":
        for code in reached(project, handler):
            yield from _in_body(project, code, route)
    if route.view is not None and (_takes_body(route) or _reads_body(handler)):
        yield from _of_view(project, route, route.view)


def _takes_body(route: Route) -> bool:
    return not route.methods or bool(CHECKED & set(route.methods))


def _reads_body(handler: Code) -> bool:
    """Whether a handler puts what was sent to its view's serializer, whatever the method: a removal may have a body."""
    return any(call.method == "get_serializer" and _asks(call) for call in handler.nodes(ops.Call))


def _parameters(project: Project, route: Route) -> Iterator[Applied]:
    for param in route.params:
        if param.schema and param.where not in ("injected", "request", "other", "self"):
            for name in param.types:
                head, over = split(name)
                cls = project.class_named(over or head)
                made = schema_of(project, cls) if cls is not None else None
                if made is not None:
                    yield Applied(made, param.where, route.handler.place, bool(over))


# -- around the handler -----------------------------------------------------------------------------------------------


def _decorators(project: Project, route: Route) -> Iterator[Applied]:
    known: dict[str, Applying] = project.models.applies_around
    above = route.view.cls.decorators if route.view is not None else ()
    outer = [route.view.outer.node(value) for value in above] if route.view is not None else []
    for decorator in [*route.handler.decorators, *outer, *route.wrappers]:
        names = project.names(decorator.func or decorator)
        how = next((known[name] for name in names if name in known), None)
        if how is not None and _is_put(project, decorator, how):
            yield from _by_decorator(project, route, decorator, how)
        elif _OWN.holds(said := decorator.method) and not _ANSWERS.holds(said):
            yield from _own(project, route, decorator)


def _is_put(project: Project, decorator: Node, how: Applying) -> bool:
    """Whether a decorator really asks for its schema, and does not only document it."""
    own = decorator.arg(None, how.switch) if how.switch else None
    if not how.switch or own is not None:
        return own is None or own.const is not False
    given = [call.arg(None, how.switch) for call in project.calls(*how.makes)]
    given += [setting.value for setting in settings_named(project, how.setting)]
    return any(value is not None and value.const is not False for value in given)


_OWN = meaning("inputs", "own-decorator")
_ANSWERS = meaning("inputs", "answer-decorator")


def _own(project: Project, route: Route, decorator: Node) -> Iterator[Applied]:
    """``@accepts(schema=WidgetSchema)``, ``@validate_body(UserIn)``: an argument is a schema."""
    where: Where = "query" if not _takes_body(route) or "query" in decorator.method.lower() else "body"
    for argument in decorator.args():
        for cls in (*project.denoted_classes(argument), *project.instances(argument)):
            made = schema_of(project, cls)
            if made is not None:
                yield Applied(made, where, decorator.place)


def _by_decorator(project: Project, route: Route, decorator: Node, how: Applying) -> Iterator[Applied]:
    for argument, where in how.places.items():
        given = decorator.arg(None, argument) or _parameter_annotation(route.handler, argument)
        for found in schema_behind(project, given, how.notation) if given is not None else ():
            yield Applied(found, _where(project, where), decorator.place)
    given = decorator.argument(how.schema)
    if given is not None:
        title = f"{route.handler.function.name}_input"
        said = text(project, decorator.arg(None, "location"))
        parser = location_of(project, given)
        # Nothing comes in the body of a GET: parsers that look there by default find the query string.
        usual = _where(project, how.where) if _takes_body(route) else "query"
        where = _where(project, parser) if parser else located(project, said, usual)
        for found in schema_behind(project, given, how.notation, title):
            yield Applied(found, where, decorator.place)


def _parameter_annotation(code: Code, name: str) -> Node | None:
    return next((code.outside(p.annotation) for p in code.function.params if p.name == name), None)


def _where(project: Project, word: str) -> Where:
    return "header" if word == "header" else "cookie" if word == "cookie" else located(project, word, "body")


# -- in the handler ---------------------------------------------------------------------------------------------------


def reached(project: Project, handler: Code) -> list[Code]:
    """The handler and the project's functions that it calls, two calls deep: those of its own class first."""
    found = {handler: None}
    edge = [handler]
    for _ in range(_DEPTH):
        edge = [
            callee
            for callee in chain.from_iterable(map(project.called_by, edge))
            if callee not in found and callee.function.name != "__init__"
        ]
        found.update(dict.fromkeys(edge))
    return list(found)


def _in_body(project: Project, code: Code, route: Route) -> Iterator[Applied]:
    known: dict[str, Applying] = project.models.applies
    for call in code.nodes(ops.Call):
        func = call.func
        if func is None:
            continue
        names = project.names(func)
        how = next((known[name] for name in names if name in known), None)
        given = call.argument(how.schema) if how is not None else None
        if how is not None and given is not None:
            said = located(project, text(project, call.arg(None, "location")), "body")
            title = f"{code.function.name}_input"
            yield from (Applied(s, said, call.place) for s in schema_behind(project, given, how.notation, title))
        elif call.method == "parse_args" and call.receiver is not None:
            yield from _parsed(project, call, call.receiver, route)
        else:
            yield from _constructed(project, call, func, route)
            yield from _loaded(project, call)


def _parsed(project: Project, call: Node, receiver: Node, route: Route) -> Iterator[Applied]:
    for parser in behind(project, receiver):
        made = reqparse(project, parser, "")
        if made is not None:
            said = location_of(project, parser)
            where: Where = "body" if _takes_body(route) else "query"
            yield Applied(made, located(project, said, where), call.place)


def _constructed(project: Project, call: Node, func: Node, route: Route) -> Iterator[Applied]:
    """``Serializer(data=request.data)``, ``Form(request.POST)``, ``Model(**request.json)``, a self-loading form."""
    for cls in project.denoted_classes(func):
        library = library_of(project, cls)
        made = schema_of(project, cls) if library is not None else None
        where = _where_given(project, call, route, library[1]) if library is not None else None
        if library is not None and made is not None and where is not None:
            several = call.argument(library[1].several)
            yield Applied(made, where, call.place, several is not None and several.const is True)


def _where_given(project: Project, call: Node, route: Route, model: SchemaModel) -> Where | None:
    """Where the data comes from that a schema of a library is made with; None if it is made with none."""
    data = call.argument(model.data)
    if model.data and data is None:
        return None
    if model.form:
        return "form" if _takes_body(route) else "query"
    if data is not None:
        return _where_from(data)
    return "body" if model.style == "annotations" and _spread(project, call) else None


def _where_from(data: Node) -> Where:
    """Where the data comes from that a serializer is given."""
    return "query" if "query_params" in data.spelled or "GET" in data.spelled else "body"


def _spread(project: Project, call: Node) -> bool:
    """Whether a client's mapping is unpacked into a call."""
    op = call.call
    return op is not None and any(clients(project, call.to(value)) for value in (*op.dstar, *op.star))


def _loaded(project: Project, call: Node) -> Iterator[Applied]:
    """``UserSchema().load(data)``, ``User.model_validate(data)``."""
    receiver, first = call.receiver, call.arg(0)
    if receiver is None or first is None:
        return
    if call.is_call_of("loads-by-schema"):
        spelled = first.origin.spelled
        where: Where = "query" if ".args" in spelled or ".query" in spelled else "body"
        for cls in project.instances(receiver):
            library = library_of(project, cls)
            made = schema_of(project, cls) if library is not None and library[1].loads else None
            yield from [Applied(made, where, call.place)] if made is not None else []
    elif call.is_call_of("parses-into-schema") and clients(project, first):
        parsed = (schema_of(project, cls) for cls in project.denoted_classes(receiver))
        yield from (Applied(made, "body", call.place) for made in parsed if made is not None)


def made_by(project: Project, call: Node) -> Iterator[InputSchema]:
    """The schemas of what a call makes of data (``NoteIn().load(data)``, ``decode(body, type=Note)``)."""
    func, receiver = call.func, call.receiver
    names = project.names(func) if func is not None else ()
    how = next((found for name in names if (found := project.models.applies.get(name)) is not None), None)
    given = call.argument(how.schema) if how is not None else None
    if how is not None and given is not None:
        yield from schema_behind(project, given, how.notation)
    elif receiver is not None and call.is_call_of("loads-by-schema"):
        yield from (made for cls in project.instances(receiver) if (made := schema_of(project, cls)) is not None)


def clients(project: Project, node: Node) -> bool:
    """Whether a value is a body or part of a request, as far as this body of code shows."""
    seen: set[Node] = set()
    left = [node.origin]
    while left:
        here = left.pop()
        if here not in seen:
            seen.add(here)
            if _is_clients(project, here):
                return True
            left += [here.to(value).origin for value in _taken_from(here.op) if value != NONE]
    return False


def _is_clients(project: Project, here: Node) -> bool:
    op = here.op
    sources = project.models.sources
    reads = project.models.kinds.get("body-reads", frozenset())
    names = project.names(here.func or here) if here.call is not None else project.names(here)
    if any(name in sources or name in reads for name in names):
        return True
    if isinstance(op, ops.Attr) and here.to(op.base).spelled in ("self.request", "request"):
        return op.name in ("data", "json", "POST", "GET", "body", "form", "args", "query_params", "values")
    return False


def _taken_from(op: ops.AnyOp) -> tuple[int, ...]:
    """The values that another may be, or be read from."""
    if isinstance(op, ops.Call):
        return (*op.args, op.func)
    if isinstance(op, (ops.Attr, ops.Item)):
        return (op.base,)
    if isinstance(op, (ops.Await, ops.Bind)):
        return (op.value,)
    return op.values if isinstance(op, (ops.Phi, ops.Logic)) else ()


# -- the view's own schema --------------------------------------------------------------------------------------------


def _of_view(project: Project, route: Route, view: ClassView) -> Iterator[Applied]:
    """``serializer_class`` and ``form_class`` of views whose library does the work, or whose handler asks for it."""
    handler = route.handler
    own = handler.function.kind == "class" or handler.function.name in project.models.kinds["performs"]
    if not own and not any(map(_asks, handler.nodes(ops.Call))):
        return
    found = False
    for field in sorted(project.models.words["holds-schema"], reverse=True):
        for cls in _held_classes(project, view, field):
            made = schema_of(project, cls)
            library = library_of(project, cls)
            if made is not None and library is not None:
                found = True
                yield Applied(made, "form" if library[1].form else "body", view.place)
    form = view_form(project, view) if not found and own else None
    if form is not None:
        yield Applied(form, "form", view.place)


def _asks(call: Node) -> bool:
    """Whether a call takes input through the view's own schema, or leaves that to the library's method."""
    if call.method == "get_serializer":
        return call.arg(None, "data") is not None
    return call.method in ("get_form", "super")


def _held_classes(project: Project, view: ClassView, field: str) -> Iterator[ClassView]:
    yield from dict.fromkeys(one.cls for one in chosen(project, view, field))
