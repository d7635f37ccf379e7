"""What stands around a request's handler while it runs, and so may catch what leaves it.

Decorators of the handler are one of several ways: a class view has them for all its methods, or a method that hands
every request on to the one that answers; a registration wraps what it registers, a router has a class of routes of its
own, an application installs them. Middleware stands around the rest of an application: ``passing``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from backaudit.backend.web.params import injection
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import by_handler, injected_code, listed_dependencies, sharing
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import items
from backaudit.project.locate import class_field, classes_behind

# The calls by which one thing around a handler runs it.
Layer: TypeAlias = tuple[Node, ...]

_ADAPTER = "method_decorator"
_EVERY_METHOD = "dispatch"


def layers_of(project: Project, code: Code) -> tuple[tuple[Layer, ...], ...]:
    """For each route of a handler, all that stands around it; what is put on the function itself is not told here."""
    return project.once(_layers).get(code, ())


def _layers(project: Project) -> Mapping[Code, tuple[tuple[Layer, ...], ...]]:
    everywhere = tuple(_installed(project))
    found: dict[Code, tuple[tuple[Layer, ...], ...]] = {}
    for code, several in project.once(by_handler).items():
        around = (tuple(_of_route(project, route)) for route in several)
        found[code] = tuple((*layers, *everywhere) for layers in around)
    return found


def _of_route(project: Project, route: Route) -> Iterator[Layer]:
    put = [*class_decorators(project, route), *_adapted(project, route.handler), *_by_keyword(project, route)]
    put += [wrapper.func for wrapper in route.wrappers if wrapper.func is not None]
    yield from _put_around(project, put)
    if route.view is not None:
        yield from _by_dispatch(project, route.view)
    yield from _by_route_class(project, route)
    yield from _by_dependencies(project, route)


def _put_around(project: Project, decorators: list[Node]) -> Iterator[Layer]:
    for decorator in decorators:
        wrapping = project.graph.made_around(decorator)
        if wrapping is not None:
            yield wrapping.calls


def _by_keyword(project: Project, route: Route) -> Iterator[Node]:
    """Decorators that a registration, or a router around it, is given in a list."""
    keywords = sorted(project.models.kinds["decorating-keywords"])
    for call in filter(None, (route.declared, *route.around)):
        for given in filter(None, (call.arg(None, keyword) for keyword in keywords)):
            yield from items(project.resolved(given)) or [given]


def _by_dependencies(project: Project, route: Route) -> Iterator[Layer]:
    """What is injected until the answer is made: what the handler raises comes out of its ``yield``."""
    code = route.handler
    injected = [injection(project, code, index) for index in range(len(code.function.params))]
    for call in filter(None, (route.declared, *sharing(project, route))):
        injected += listed_dependencies(project, call)
    for target in filter(None, injected):
        for made in injected_code(project, target):
            yield from yields_of(made)


def yields_of(code: Code) -> Iterator[Layer]:
    """Where a generator waits while what it surrounds runs."""
    waits = tuple(code.nodes(ops.Yield))
    if waits:
        yield waits


# -- class views -------------------------------------------------------------------------------------------------------


def class_decorators(project: Project, route: Route) -> Iterator[Node]:
    """What decorates the handlers of a class view: what stands on the class, and the lists that it names."""
    view = route.view
    if view is None:
        return
    for value in view.cls.decorators:
        yield from _on_class(project, view.outer.node(value), route)
    for name in sorted(project.models.kinds["class-decorator-lists"]):
        field = class_field(project, view, name)
        yield from _listed(project, field, route) if field is not None else ()


def _on_class(project: Project, decorator: Node, route: Route) -> Iterator[Node]:
    if decorator.method != _ADAPTER:
        yield decorator
        return
    name = decorator.arg(1, "name")
    wanted = name.text if name is not None else _EVERY_METHOD
    methods = [method.lower() for method in route.methods]
    if wanted in (_EVERY_METHOD, *methods, route.handler.function.name):
        yield from _inside(project, decorator)


def _inside(project: Project, adapter: Node) -> Iterator[Node]:
    """The decorators that an adapter makes into ones of methods: one, or a list."""
    inner = adapter.arg(0, "decorator")
    if inner is not None:
        yield from items(project.resolved(inner)) or [inner]


def _listed(project: Project, field: Node, route: Route) -> Iterator[Node]:
    here = project.resolved(field)
    if not here.is_dict:
        yield from items(here)
        return
    for key, value in here.entries():
        if (key.text or "").upper() in route.methods:
            yield from items(value) or [value]


def _adapted(project: Project, code: Code) -> Iterator[Node]:
    """Decorators of functions that an adapter puts on a method."""
    for decorator in code.decorators:
        if decorator.method == _ADAPTER:
            yield from _inside(project, decorator)


def _by_dispatch(project: Project, view: ClassView) -> Iterator[Layer]:
    """Methods that hand a request on to the one that answers it, by their base's method of the same name."""
    for name in sorted(project.models.kinds["view-dispatchers"]):
        code = project.method(view.name, name)
        if code is not None:
            yield from _put_around(project, list(_adapted(project, code)))
            handed = tuple(call for call in code.nodes(ops.Call) if call.method == name and _is_base(call.receiver))
            if handed:
                yield handed


def _is_base(receiver: Node | None) -> bool:
    return receiver is not None and receiver.origin.method == "super"


# -- routers and applications ------------------------------------------------------------------------------------------


def _by_route_class(project: Project, route: Route) -> Iterator[Layer]:
    """``APIRouter(route_class=Logged)``: what such a class makes of the handler that its base would run."""
    for router in route.around:
        given = router.arg(None, "route_class")
        for cls in classes_behind(project, given) if given is not None else ():
            for name in sorted(project.models.kinds["route-class-handlers"]):
                code = project.method(cls.name, name)
                yield from _handed_over(code, name) if code is not None else ()


def _handed_over(code: Code, name: str) -> Iterator[Layer]:
    """The calls, in a function that is made here, of what the base's method of that name gave."""
    for node in code.nodes(ops.Def):
        inner = code.file.code(node.op.function) if isinstance(node.op, ops.Def) else code
        calls = tuple(call for call in inner.nodes(ops.Call) if _is_given_by_base(call.func, name))
        if calls:
            yield calls


def _is_given_by_base(func: Node | None, name: str) -> bool:
    made = func.code.project.resolved(func) if func is not None else None
    return made is not None and made.method == name and _is_base(made.receiver)


def _installed(project: Project) -> Iterator[Layer]:
    """Decorators that an application puts around all its handlers."""
    for call in project.calls(*sorted(project.models.kinds["installs-decorators"])):
        yield from _put_around(project, call.args())
