"""Where each parameter of a handler comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec

from backaudit.backend.web.paths import Template
from backaudit.backend.web.records import RouteParam, Where
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.python import ParamFact
from backaudit.project import Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.types import split

_MARKED: tuple[Where, ...] = ("query", "path", "header", "cookie", "body", "form", "file", "request", "injected")
_KEYWORDS: tuple[Where, ...] = ("header", "cookie", "query")
_NARROW = frozenset(
    {"builtins.bool", "uuid.UUID", "datetime.date", "datetime.datetime", "datetime.time", "typing.Literal"}
)
_CONTAINERS = frozenset({"builtins.dict", "typing.Dict", "list", "builtins.list"})
_ENUMS = ("enum.Enum", "enum.IntEnum", "enum.StrEnum")


class Marked(msgspec.Struct, frozen=True):
    """A parameter as declared: its types, and the markers (defaults, ``Annotated`` metadata) that qualify it."""

    types: tuple[str, ...]
    markers: tuple[Node, ...]


def marked(project: Project, code: Code, index: int) -> Marked:
    """The types and markers of a parameter, through ``Annotated`` aliases."""
    param = code.function.params[index]
    annotation = code.outside(param.annotation)
    markers: list[Node] = []
    types: tuple[str, ...] = ()
    if annotation is not None:
        types = project.annotated(_carried(project, annotation) or annotation)
        markers += _metadata(project, annotation)
    default = project.default(code, index)
    if default is not None:
        markers.append(default)
    return Marked(types, tuple(markers))


def _carried(project: Project, annotation: Node) -> Node | None:
    """What a marker that stands around a type is about: ``Form[Item]``; None where none does."""
    node = project.alias_of(annotation) or annotation.origin
    op = node.op
    is_around = isinstance(op, ops.Item) and any(_is(project, node.to(op.base), f"where:{where}") for where in _MARKED)
    return node.to(op.key) if is_around and isinstance(op, ops.Item) else None


@cut_circles()
def _metadata(project: Project, annotation: Node) -> Iterator[Node]:
    """What stands beside the type in ``Annotated[...]``."""
    node = project.alias_of(annotation) or annotation.origin
    op = node.op
    if not isinstance(op, ops.Item):
        return
    key = node.to(op.key)
    inside = key.elements()
    if any(name.rpartition(".")[2] == "Annotated" for name in project.names(node.to(op.base))):
        yield from inside[1:]
        yield from _metadata(project, inside[0])
    elif any(name.rpartition(".")[2] in ("Optional", "Union") for name in project.names(node.to(op.base))):
        for part in inside:
            yield from _metadata(project, part)
    elif _carried(project, annotation) is not None:
        yield node.to(op.base)


def is_declared_header(project: Project, code: Code, index: int) -> bool:
    """Whether a parameter is declared to be a header of the request."""
    declared = index < len(code.function.params)
    return declared and _where_marked(project, marked(project, code, index)) == "header"


def injection(project: Project, code: Code, index: int) -> Node | None:
    """What is injected: the argument of ``Depends(...)``; the marker itself where it has none."""
    for marker in marked(project, code, index).markers:
        if marker.call is not None and _is(project, marker, "injectors"):
            return marker.arg(0, "dependency") or marker
    return None


def field_injections(project: Project, cls: str) -> Mapping[str, Node]:
    """What is injected into the fields of a class-based view (``user: User = Depends(current_user)``), by field."""
    found: dict[str, Node] = {}
    for view in project.lineage_views(cls):
        for name, bind in view.fields.items():
            target = _field_injection(project, bind) if name not in found else None
            if target is not None:
                found[name] = target
    return found


def _field_injection(project: Project, bind: Node) -> Node | None:
    op = bind.op
    annotation = bind.to(op.annotation) if isinstance(op, ops.Bind) and op.annotation != NONE else None
    markers: list[Node] = [bind.origin, *(_metadata(project, annotation) if annotation is not None else ())]
    for marker in markers:
        if marker.call is not None and _is(project, marker, "injectors"):
            return marker.arg(0, "dependency") or marker
    return None


def _is(project: Project, marker: Node, kind: str) -> bool:
    known = project.models.kinds.get(kind, frozenset())
    target = marker.func if marker.call is not None else marker
    return target is not None and not known.isdisjoint(project.names(target))


def injected_params(
    project: Project, code: Code, template: Template, named: Mapping[str, Where] = MappingProxyType({})
) -> tuple[RouteParam, ...]:
    """Parameters of handlers whose framework reads their annotations (FastAPI, django-ninja, Litestar).

    ``named``: parameters that mean something by their name alone.
    """
    return tuple(
        _injected(project, code, index, param, template, named) for index, param in enumerate(code.function.params)
    )


def _injected(
    project: Project, code: Code, index: int, param: ParamFact, template: Template, named: Mapping[str, Where]
) -> RouteParam:
    if index == 0 and code.cls is not None and param.name in ("self", "cls"):
        return RouteParam(index, param.name, "self")
    seen = marked(project, code, index)
    types = seen.types or template.types.get(param.name, ())
    schema = any(is_schema(project, name) for name in types)
    where = _where(project, seen, param, template, schema)
    if param.name in named and where in ("query", "body"):
        where = named[param.name]
    return RouteParam(index, param.name, where, types, schema, _bounded(project, seen), _pattern(project, seen))


def _where(project: Project, seen: Marked, param: ParamFact, template: Template, schema: bool) -> Where:
    if param.kind in ("star", "dstar"):
        return "other"
    if any(_is(project, marker, "injectors") for marker in seen.markers):
        if any(_lineage_in(project, name, "where:form") for name in seen.types):
            return "form"
        return "query" if schema and _injects_itself(project, seen) else "injected"
    marked = _where_marked(project, seen)
    if marked is not None:
        return marked
    if param.name in template.types:
        return "path"
    if schema or any(split(name)[0] in _CONTAINERS for name in seen.types):
        return "body"
    return "query"


def _injects_itself(project: Project, seen: Marked) -> bool:
    """Whether what is injected is the class of the parameter, whose fields are then read from the query."""
    for marker in seen.markers:
        given = marker.arg(0, "dependency") if marker.call is not None else None
        if given is not None and not any(cls.name in seen.types for cls in project.denoted_classes(given)):
            return False
    return True


def _where_marked(project: Project, seen: Marked) -> Where | None:
    """Where a parameter comes from by its markers, one of their keywords, or its type."""
    for where in _MARKED:
        if any(_is(project, marker, f"where:{where}") for marker in seen.markers):
            return where
    for marker in seen.markers:
        given = [where for where in _KEYWORDS if where in marker.keywords()]
        if given and _is(project, marker, "where-by-keyword"):
            return given[0]
    typed = (where for where in _MARKED if any(_lineage_in(project, name, f"where:{where}") for name in seen.types))
    return next(typed, None)


def _lineage_in(project: Project, name: str, kind: str) -> bool:
    head, over = split(name)
    known = project.models.kinds.get(kind, frozenset())
    return not known.isdisjoint(project.lineage(over if head == "list" else head))


def is_schema(project: Project, name: str) -> bool:
    """Whether a type name is (a collection of) an input schema: its fields are checked on construction."""
    head, over = split(name)
    target = over if over and head in ("list", "builtins.dict") else head
    if _lineage_in(project, target, "schemas"):
        return True
    cls = project.class_named(target)
    if cls is None:
        return False
    made = {dotted for value in cls.cls.decorators for dotted in project.names(cls.outer.node(value))}
    declaring = {dotted for library in project.models.schemas.values() for dotted in library.decorators}
    return not declaring.isdisjoint(made) or "typing.TypedDict" in project.lineage(target)


def _bounded(project: Project, seen: Marked) -> bool:
    if any(split(name)[0] in _NARROW or project.inherits(split(name)[0], *_ENUMS) for name in seen.types):
        return True
    return any(not project.models.kinds["limiting-keywords"].isdisjoint(marker.keywords()) for marker in seen.markers)


def _pattern(project: Project, seen: Marked) -> str:
    """The regular expression that a parameter's declaration asks its text to match."""
    given = [marker.arg(None, name) for marker in seen.markers for name in ("pattern", "regex")]
    known = [project.constant(node) for node in given if node is not None]
    return next((node.text for node in known if node is not None and node.text), "")


def is_capped(project: Project, code: Code, index: int) -> bool:
    """Whether a parameter's declaration gives it a greatest value, or a choice of values."""
    seen = marked(project, code, index)
    if any(split(name)[0] in _NARROW or project.inherits(split(name)[0], *_ENUMS) for name in seen.types):
        return True
    return any(not {"le", "lt", "choices", "enum"}.isdisjoint(marker.keywords()) for marker in seen.markers)


def plain_params(project: Project, code: Code, template: Template, request: bool) -> tuple[RouteParam, ...]:
    """Parameters of handlers that get the path's placeholders by name, after the request where ``request`` is set."""
    parsers = project.models.kinds.get("argument-parsers", frozenset())
    parsed = any(not parsers.isdisjoint(project.names(d.func or d)) for d in code.decorators)
    offset = 1 if code.cls is not None and not _is_static(project, code) else 0
    return tuple(
        _plain(project, code, index, param, template, request and index == offset, parsed, offset)
        for index, param in enumerate(code.function.params)
    )


def _plain(
    project: Project, code: Code, index: int, param: ParamFact, template: Template, request: bool, parsed: bool,
    offset: int,
) -> RouteParam:  # fmt: skip
    if index < offset:
        return RouteParam(index, param.name, "self")
    if request and param.kind in ("positional", "normal"):
        return RouteParam(index, param.name, "request")
    seen = marked(project, code, index)
    name = param.name if param.name in template.types else str(index - offset - 1)
    if name in template.types:
        return RouteParam(index, param.name, "path", template.types[name], False, name in template.bounded)
    if param.kind == "dstar" and template.types:
        return RouteParam(index, param.name, "path", _types_of_all(template))
    if parsed and param.kind in ("normal", "keyword", "dstar"):
        return RouteParam(index, param.name, "body", seen.types, True)
    return RouteParam(index, param.name, "injected" if param.kind == "normal" else "other", seen.types)


def _types_of_all(template: Template) -> tuple[str, ...]:
    """The types of a path's placeholders together, if each is known."""
    known = template.types.values()
    return tuple(sorted({name for types in known for name in types})) if all(known) else ()


def _is_static(project: Project, code: Code) -> bool:
    return any("builtins.staticmethod" in project.names(decorator) for decorator in code.decorators)
