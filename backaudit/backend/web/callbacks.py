"""What libraries call with what a client sends, beside handlers of routes: events of sockets, resolvers of GraphQL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from backaudit.backend.web.params import is_schema, marked
from backaudit.backend.web.records import Route, RouteParam
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.knowledge import Callback
from backaudit.project.locate import argument_of, behind, decorated, functions_behind
from backaudit.project.types import Types, split

_DEPTH = 4


def callbacks(project: Project) -> Mapping[Code, Callback]:
    """The functions that a library calls for what a client sends, and what its table says of them."""
    found: dict[Code, Callback] = {}
    for code, entry in (*_decorated(project), *_registered(project), *_methods(project)):
        found.setdefault(code, entry)
    return found


def _decorated(project: Project) -> Iterator[tuple[Code, Callback]]:
    table = project.models.callbacks
    for decorator, target in project.once(decorated):
        for name in project.names(decorator.func or decorator) if isinstance(target, Code) else ():
            if name in table and isinstance(target, Code) and not table[name].methods:
                yield target, table[name]


def _registered(project: Project) -> Iterator[tuple[Code, Callback]]:
    for name, entry in project.models.callbacks.items():
        for call in project.calls(name) if entry.function else ():
            for argument in entry.function:
                given = argument_of(call, argument)
                for code in functions_behind(project, given) if given is not None else ():
                    yield code, entry


def _methods(project: Project) -> Iterator[tuple[Code, Callback]]:
    """Methods by their names, also those of a mixin that only the class brings together with the library's base."""
    for name, entry in project.models.callbacks.items():
        for cls in project.subclasses(name) if entry.methods else ():
            for view in project.lineage_views(cls.name):
                for method, code in view.methods.items():
                    if any(fnmatchcase(method, pattern) for pattern in entry.methods):
                        yield code, entry


# -- what its parameters are ------------------------------------------------------------------------------------------


def parameters(project: Project, code: Code) -> tuple[RouteParam, ...]:
    """Where each parameter of such a function comes from."""
    entry = project.once(callbacks)[code]
    start = _start(project, code, entry)
    declared = _declared(project, code)
    return tuple(_parameter(project, code, index, entry, start, declared) for index in range(len(code.function.params)))


def _start(project: Project, code: Code, entry: Callback) -> int:
    """How many parameters stand before the first that the library gives."""
    marks = {name for decorator in code.decorators for name in project.names(decorator)}
    if code.cls is None or "builtins.staticmethod" in marks:
        return 0
    return 0 if entry.unbound and "builtins.classmethod" not in marks else 1


def _parameter(
    project: Project, code: Code, index: int, entry: Callback, start: int, declared: Mapping[str, Types]
) -> RouteParam:
    name = code.function.params[index].name
    if index < start or (code.cls is not None and index == 0 and name in ("self", "cls")):
        return RouteParam(index, name, "self")
    annotated = marked(project, code, index).types
    if index < start + entry.skips or _is_own(entry, name, annotated):
        return RouteParam(index, name, "other", annotated)
    given = declared.get(_plain(name), ()) or (annotated if entry.typed else ())
    types = tuple(project.models.scalars.get(kind, kind) for kind in given)
    return RouteParam(index, name, "body", types, any(is_schema(project, kind) for kind in types))


def _is_own(entry: Callback, name: str, types: Types) -> bool:
    """Whether the library fills a parameter of that name or type itself."""
    return name in entry.own or any(split(kind)[0] in entry.own for kind in types)


def _plain(name: str) -> str:
    """A name as it is the same in Python and on the wire (``max_price``, ``maxPrice``)."""
    return name.replace("_", "").lower()


# -- types that stand elsewhere than in the signature -------------------------------------------------------------


def _declared(project: Project, code: Code) -> Mapping[str, Types]:
    """The types of a resolver's arguments, as its class or the schema's text declares them; by plain name."""
    found = dict(_in_class(project, code))
    for decorator in code.decorators:
        field = decorator.arg(0)
        if field is not None and field.text is not None:
            found |= project.once(_in_texts).get(_plain(field.text), {})
    return found


def _in_class(project: Project, code: Code) -> Iterator[tuple[str, Types]]:
    """``class Arguments`` beside the method, and the arguments of the field that the method resolves."""
    if code.cls is None:
        return
    for inner in project.models.kinds["argument-classes"]:
        view = project.class_named(f"{code.cls.name}.{inner}")
        for name, bind in view.fields.items() if view is not None else ():
            yield _plain(name), _scalar(project, bind, 0)
    field = code.cls.fields.get(code.function.name.partition("_")[2])
    for declared in behind(project, field) if field is not None else ():
        for name, given in declared.keywords().items() if declared.call is not None else ():
            yield _plain(name), _scalar(project, given, 0)


def _scalar(project: Project, node: Node, depth: int) -> Types:
    """The type that a declaration stands for, through wrappers (``Argument(Int)``, ``NonNull(Int)``)."""
    node = node.origin
    named = node.func if isinstance(node.op, ops.Call) else node
    for name in project.names(named) if named is not None else ():
        if name in project.models.scalars:
            return (project.models.scalars[name],)
    inner = node.arg(0, "type_") if isinstance(node.op, ops.Call) else None
    if inner is None or project.gives_up(depth, _DEPTH, node.place):
        return ()
    return _scalar(project, inner, depth + 1)


_TYPE = re.compile(r"\btype\s+\w+[^{]*\{([^}]*)\}")
_FIELD = re.compile(r"(\w+)\s*\(([^)]*)\)\s*:")
_ARGUMENT = re.compile(r"(\w+)\s*:\s*\[*\s*(\w+)")


def _in_texts(project: Project) -> Mapping[str, Mapping[str, Types]]:
    """The arguments of fields, by plain names, from the schemas that stand in the code as text."""
    found: dict[str, dict[str, Types]] = {}
    for call in project.calls(*sorted(project.models.kinds["schema-texts"])):
        for argument in call.args():
            known = project.constant(argument)
            for body in _TYPE.findall(known.text or "") if known is not None else ():
                for field, arguments in _FIELD.findall(body):
                    found.setdefault(_plain(field), {}).update(_arguments(project, arguments))
    return found


def _arguments(project: Project, text: str) -> Iterator[tuple[str, Types]]:
    for name, kind in _ARGUMENT.findall(text):
        known = project.models.scalars.get(kind)
        if known is not None:
            yield _plain(name), (known,)


# -- asked about like routes --------------------------------------------------------------------------------------


def acts(project: Project) -> tuple[Route, ...]:
    """Mutations, queries and events as routes whose path is their name, in the order of files and lines."""
    found = [_act(project, code, entry) for code, entry in project.once(callbacks).items() if entry.act]
    return tuple(sorted(found, key=lambda route: route.place))


def _act(project: Project, code: Code, entry: Callback) -> Route:
    declared = next((decorator for decorator in code.decorators if _in_table(project, decorator)), None)
    said = declared.arg(0) if declared is not None else None
    own = code.cls.name.rpartition(".")[2] if code.cls is not None and code.function.name in entry.methods else ""
    name = (said.text if said is not None else None) or own or code.function.name
    return Route(
        methods=(entry.act,), path=name, handler=code, framework="", place=code.place, declared=declared,
        params=parameters(project, code), response=code.outside(code.function.returns) if entry.typed else None,
    )  # fmt: skip


def _in_table(project: Project, decorator: Node) -> bool:
    return any(name in project.models.callbacks for name in project.names(decorator.func or decorator))


__all__ = ["acts", "callbacks", "parameters"]
