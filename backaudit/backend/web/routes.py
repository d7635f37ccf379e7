"""Every endpoint of a back end, whatever the framework, and which parameters of which functions a client fills."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from backaudit.backend.web.callbacks import callbacks, parameters
from backaudit.backend.web.frameworks import described, dispatching, django, tables
from backaudit.backend.web.params import injected_params, injection, marked, plain_params
from backaudit.backend.web.paths import Template, parse
from backaudit.backend.web.records import CLIENT, Route, RouteParam, Where
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.locate import behind, classes_behind, functions_behind

_DEPTH = 8


def declared(project: Project) -> tuple[Route, ...]:
    """Routes as declared, in the order of files and lines, without their guards."""
    found = [route for module in (tables, described, dispatching, django) for route in project.once(module.routes)]
    unique = {(route.place, route.path, route.methods, route.handler.place): route for route in reversed(found)}
    return tuple(unique[key] for key in sorted(unique))


def routes(project: Project) -> tuple[Route, ...]:
    """Every endpoint, in the order of files and lines. Ask with ``project.once(routes)``."""
    return project.once(declared)


def by_handler(project: Project) -> Mapping[Code, tuple[Route, ...]]:
    """The routes that a function answers."""
    found: dict[Code, tuple[Route, ...]] = {}
    for route in project.once(routes):
        found[route.handler] = (*found.get(route.handler, ()), route)
    return found


def route_of(project: Project, code: Code) -> Route | None:
    """The (first) route that a function answers."""
    return next(iter(project.once(by_handler).get(code, ())), None)


def entries(project: Project) -> Mapping[Code, tuple[RouteParam, ...]]:
    """The functions that a framework calls with something of a client's, and where each parameter comes from.

    Events and resolvers first, then handlers, dependencies, methods of class views and hooks, validators of schemas.
    """
    found = {code: parameters(project, code) for code in project.once(callbacks)}
    for code, several in project.once(by_handler).items():
        if code.function.kind != "class":
            found.setdefault(code, _of_all([route.params for route in several]))
    for code, params in [*_dependencies(project), *_hooks(project), *_validators(project)]:
        found.setdefault(code, params)
    return found


def _of_all(several: Sequence[tuple[RouteParam, ...]]) -> tuple[RouteParam, ...]:
    """The parameters of a handler: what one of its routes fills from the client is the client's."""
    return tuple(next((each for each in same if each.where in CLIENT), same[0]) for same in zip(*several, strict=False))


def client_input(project: Project, code: Code, index: int) -> RouteParam | None:
    """The parameter's record if a client fills it, else None. The request object itself is no client input."""
    for param in project.once(entries).get(code, ()):
        if param.index == index:
            return param if param.where in CLIENT else None
    return None


# -- what frameworks call beside handlers -----------------------------------------------------------------------------


def _dependencies(project: Project) -> Iterator[tuple[Code, tuple[RouteParam, ...]]]:
    for code, template in project.once(dependencies).items():
        yield code, injected_params(project, code, template)


def dependencies(project: Project) -> Mapping[Code, Template]:
    """The functions that are injected into handlers, and the placeholders of the paths that reach them."""
    found: dict[Code, Template] = {}
    for route in project.once(declared):
        if any(param.where == "injected" for param in route.params):
            _walk(project, route.handler, parse(route.path, "braces"), found, 0)
        for call in (route.declared, *sharing(project, route)):
            for target in listed_dependencies(project, call):
                _reached(project, injected_code(project, target), parse(route.path, "braces"), found, 0)
    return found


def _walk(project: Project, code: Code, template: Template, found: dict[Code, Template], depth: int) -> None:
    for index in range(len(code.function.params)):
        _reached(project, injected_bodies(project, code, index), template, found, depth)


def _reached(project: Project, bodies: list[Code], template: Template, found: dict[Code, Template], depth: int) -> None:
    for code in bodies:
        known = found.get(code)
        if known is not None and template.types.keys() <= known.types.keys():
            continue
        if project.gives_up(depth, _DEPTH, code.place):
            continue
        types = {**(known.types if known else {}), **template.types}
        found[code] = Template(template.text, types)
        _walk(project, code, found[code], found, depth + 1)


def injected_target(project: Project, code: Code, index: int) -> Node | None:
    """What is injected into a parameter: as its own marker says, or a mapping of the route or of a router around."""
    return injection(project, code, index) or project.once(_provided).get((code, index))


def _provided(project: Project) -> Mapping[tuple[Code, int], Node]:
    """Parameters of handlers, and of what is injected into them, to what mappings of dependencies give for them."""
    found: dict[tuple[Code, int], Node] = {}
    for route in project.once(declared):
        given: dict[str, Node] = {}
        for name, node in route.provided:
            given.setdefault(name, _provider(project, node))
        todo = [route.handler] if given else []
        while todo:
            code = todo.pop()
            for index, param in enumerate(code.function.params):
                target = given.get(param.name)
                if target is not None and (code, index) not in found:
                    found[code, index] = target
                    todo += injected_code(project, target)
    return found


def _provider(project: Project, node: Node) -> Node:
    """``Provide(get_note)``: the function inside."""
    injectors = project.models.kinds.get("injectors", frozenset())
    for made in behind(project, node):
        inner = made.arg(0, "dependency")
        if inner is not None and made.func is not None and not injectors.isdisjoint(project.names(made.func)):
            return inner
    return node


def injected_bodies(project: Project, code: Code, index: int) -> list[Code]:
    """What runs to give a parameter its value; ``Depends()`` alone builds the class that the annotation names."""
    target = injected_target(project, code, index)
    if target is None:
        return []
    made = (project.method(cls.name, "__init__") for cls in injected_classes(project, code, index))
    return list(dict.fromkeys([*injected_code(project, target), *(body for body in made if body is not None)]))


def injected_classes(project: Project, code: Code, index: int) -> list[ClassView]:
    """The project's classes that are built for a parameter: named by the marker, else by the annotation."""
    target = injection(project, code, index)
    if target is None:
        return []
    named = classes_behind(project, target)
    if named or not _is_marker(project, target):
        return named
    return [cls for name in marked(project, code, index).types if (cls := project.class_named(name)) is not None]


def _is_marker(project: Project, target: Node) -> bool:
    """``Depends()`` itself, which :func:`injection` gives where it has no argument."""
    func = target.func
    return func is not None and not project.models.kinds.get("injectors", frozenset()).isdisjoint(project.names(func))


def injected_code(project: Project, target: Node) -> list[Code]:
    """What runs when ``target`` is injected: a function, a class's constructor, an object's ``__call__``."""
    found = [code for code in functions_behind(project, target) if code.function.name != "__init__"]
    for cls in classes_behind(project, target):
        made = project.method(cls.name, "__init__")
        found += [made] if made is not None else []
    for value in behind(project, target):
        for cls in project.instances(value) if value.call is not None else ():
            called = project.method(cls.name, "__call__")
            found += [called] if called is not None else []
    return list(dict.fromkeys(found))


def listed_dependencies(project: Project, call: Node | None) -> list[Node]:
    """What ``dependencies=[Depends(...)]`` of a route, router, mount or application injects."""
    listed = call.arg(None, "dependencies") if call is not None else None
    if listed is None:
        return []
    found: list[Node] = []
    injectors = project.models.kinds.get("injectors", frozenset())
    for display in behind(project, listed):
        op = display.op
        # A mapping gives its values to parameters of these names alone.
        for item in op.items if isinstance(op, ops.Build) and op.kind != "dict" else ():
            for marker in behind(project, display.to(item)):
                target = marker.arg(0, "dependency")
                if target is not None and marker.func and not injectors.isdisjoint(project.names(marker.func)):
                    found.append(target)
    return found


def sharing(project: Project, route: Route) -> tuple[Node, ...]:
    """The routers around a route whose dependencies are its own too: those below the last mounted application."""
    apart: frozenset[str] = project.models.kinds.get("isolating-mounts", frozenset())
    for place in range(len(route.around) - 1, -1, -1):
        func = route.around[place].func
        if func is not None and not apart.isdisjoint(project.names(func)):
            return route.around[place + 1 :]
    return route.around


def _hooks(project: Project) -> Iterator[tuple[Code, tuple[RouteParam, ...]]]:
    """Methods of class views, registered where this could be followed or not."""
    kinds = project.models.kinds
    for cls in project.once(view_classes):
        bare = kinds.get("request-first-classes", frozenset()).isdisjoint(project.lineage(cls.name))
        for name, code in cls.methods.items():
            if name in ("get", "post", "put", "patch", "delete", "head", "options"):
                template = Template("", {p.name: () for p in code.function.params[1:]})
                yield code, plain_params(project, code, template, request=not bare)
            elif name in ("form_valid", "form_invalid", "perform_create", "perform_update"):
                yield code, _one_schema(code, 1)


def view_classes(project: Project) -> tuple[ClassView, ...]:
    """The project's class views."""
    return tuple(project.subclasses(*sorted(project.models.kinds.get("view-classes", ()))))


def _one_schema(code: Code, position: int) -> tuple[RouteParam, ...]:
    """Parameters of a hook that gets validated input at ``position``."""
    return tuple(
        RouteParam(i, p.name, "self" if i == 0 else "body" if i == position else "other", (), i > 0)
        for i, p in enumerate(code.function.params)
    )


def _validators(project: Project) -> Iterator[tuple[Code, tuple[RouteParam, ...]]]:
    kinds = project.models.kinds
    names = sorted({*kinds.get("schemas", ()), *kinds.get("forms", ())})
    hooks = kinds.get("validator-decorators", frozenset())
    for cls in project.subclasses(*names):
        for name, code in cls.methods.items():
            marked = any(not hooks.isdisjoint(project.names(d.func or d)) for d in code.decorators)
            if (marked or name.startswith("validate_") or name in ("validate", "to_internal_value")) and (
                len(code.function.params) > 1
            ):
                yield code, _value_at(code, 1)
            elif name in ("create", "update", "save") and code.function.params[-1].name == "validated_data":
                yield code, _one_schema(code, len(code.function.params) - 1)


def _value_at(code: Code, position: int) -> tuple[RouteParam, ...]:
    def where(index: int) -> Where:
        return "self" if index == 0 else "body" if index == position else "other"

    return tuple(RouteParam(i, p.name, where(i)) for i, p in enumerate(code.function.params))


__all__ = [
    "by_handler", "client_input", "declared", "dependencies", "entries", "injected_bodies",
    "injected_classes", "injected_code", "injected_target", "listed_dependencies", "route_of", "routes", "sharing",
    "view_classes",
]  # fmt: skip
