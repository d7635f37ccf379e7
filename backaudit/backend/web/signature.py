"""What a handler's own parameters say that a client sends: names on the wire, defaults, limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backaudit.backend.web.params import is_schema, marked
from backaudit.backend.web.records import CLIENT, Input, Limits, RouteParam, Where
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.types import split

Literals = str | int | float | bool | None
_ENUMS = ("enum.Enum", "enum.IntEnum", "enum.StrEnum")


def from_params(project: Project, code: Code, params: tuple[RouteParam, ...]) -> Iterator[Input]:
    """The inputs that the parameters of a handler or dependency declare, in their order."""
    for param in params:
        if param.where in CLIENT and param.index < len(code.function.params):
            yield _declared(project, code, param)


def _declared(project: Project, code: Code, param: RouteParam) -> Input:
    seen = marked(project, code, param.index)
    keywords = _keywords(seen.markers)
    plain = project.default(code, param.index)
    required, default = _default(project, plain, seen.markers)
    return Input(
        name=_wire_name(project, param, keywords),
        where=param.where,
        place=Place(code.path, code.function.params[param.index].at),
        types=param.types,
        required=required or param.where == "path",
        default=default,
        limits=limits_of(project, keywords, param.types, code.outside(code.function.params[param.index].annotation)),
        schema=schema_name(project, param.types),
        whole=param.schema and not _is_true(keywords.get("embed")),
        declared=True,
    )


def declared_limits(project: Project, code: Code, index: int) -> Limits:
    """The limits that a parameter's own declaration puts on it."""
    seen = marked(project, code, index)
    return limits_of(project, _keywords(seen.markers), seen.types)


def schema_name(project: Project, types: tuple[str, ...]) -> str:
    """The dotted name of the input schema among some types, empty if there is none."""
    for name in types:
        if is_schema(project, name):
            head, over = split(name)
            return over if over and head in ("list", "builtins.dict") else head
    return ""


def _keywords(markers: tuple[Node, ...]) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for marker in markers:
        found.update(marker.keywords())
    return found


def _wire_name(project: Project, param: RouteParam, keywords: Mapping[str, Node]) -> str:
    for alias in ("validation_alias", "alias", "header", "cookie", "query"):
        given = project.constant(keywords[alias]) if alias in keywords else None
        if given is not None and given.text:
            return given.text
    kept = keywords.get("convert_underscores")
    if param.where == "header" and (kept is None or kept.const is not False):
        return param.name.replace("_", "-")
    return param.name


def _default(project: Project, plain: Node | None, markers: tuple[Node, ...]) -> tuple[bool, Literals]:
    """Whether a parameter has to be sent, and the literal that stands in for it."""
    for marker in markers[::-1]:
        given = marker.arg(0 if marker == plain else None, "default")
        if given is not None and not _is_ellipsis(given):
            return False, literal(project, given)
        if marker.arg(None, "default_factory") is not None:
            return False, None
    if plain is None or _is_ellipsis(plain):
        return True, None
    if plain.call is not None:
        return bool(markers), None
    return False, literal(project, plain)


def _is_ellipsis(node: Node) -> bool:
    return isinstance(node.origin.op, ops.Opaque)


def _is_true(node: Node | None) -> bool:
    return node is not None and node.const is True


def literal(project: Project, node: Node) -> Literals:
    """The literal that a value is, an enum's member as its value."""
    found = project.constant(node)
    return found.const if found is not None else None


def limits_of(
    project: Project, keywords: Mapping[str, Node], types: tuple[str, ...], annotation: Node | None = None
) -> Limits:
    """The limits that keyword arguments of a marker or field declare, and the texts that enums and literals admit."""

    def number(*names: str) -> float | None:
        values = (literal(project, keywords[name]) for name in names if name in keywords)
        return next((float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)), None)

    def text(*names: str) -> str:
        values = (literal(project, keywords[name]) for name in names if name in keywords)
        return next((value for value in values if isinstance(value, str)), "")

    shortest, longest = number("min_length", "min_items"), number("max_length", "max_items")
    return Limits(
        minimum=number("ge", "gt", "min_value", "minimum"),
        maximum=number("le", "lt", "max_value", "maximum"),
        exclusive_minimum="gt" in keywords,
        exclusive_maximum="lt" in keywords,
        min_length=int(shortest) if shortest is not None else None,
        max_length=int(longest) if longest is not None else None,
        pattern=text("pattern", "regex"),
        choices=_choices(project, keywords, types, annotation),
    )


def _choices(
    project: Project, keywords: Mapping[str, Node], types: tuple[str, ...], annotation: Node | None
) -> tuple[str, ...]:
    listed = keywords.get("choices") or keywords.get("enum")
    if listed is not None:
        return _texts(project, project.resolved(listed))
    classes = (project.class_named(split(name)[0]) for name in types)
    enumeration = next((cls for cls in classes if cls is not None and project.inherits(cls.name, *_ENUMS)), None)
    if enumeration is not None:
        return _members(project, enumeration)
    literals = _literals(project, annotation) if annotation is not None else None
    return _texts(project, literals) if literals is not None else ()


def _members(project: Project, enumeration: ClassView) -> tuple[str, ...]:
    fields = (field for name, field in enumeration.fields.items() if not name.startswith("_"))
    values = (literal(project, field) for field in fields)
    return tuple(str(value) for value in values if value is not None)


@cut_circles()
def _literals(project: Project, annotation: Node) -> Node | None:
    """What stands in the brackets of ``Literal[...]``, also under ``Annotated``, ``Optional`` and ``|``."""
    node = project.alias_of(annotation) or annotation.origin
    op = node.op
    inner: list[Node] = []
    if isinstance(op, ops.Item):
        key = node.to(op.key)
        if any(name.rpartition(".")[2] == "Literal" for name in project.names(node.to(op.base))):
            return key.origin
        inner = key.elements()
    elif isinstance(op, ops.Bin):
        inner = [node.to(op.left), node.to(op.right)]
    found = (_literals(project, part) for part in inner)
    return next((part for part in found if part is not None), None)


def _texts(project: Project, node: Node) -> tuple[str, ...]:
    op = node.op
    parts = [node.to(item) for item in op.items] if isinstance(op, ops.Build) else [node]
    values = (literal(project, part) for part in parts)
    return tuple(str(value) for value in values if value is not None)


def from_path(
    converters: tuple[tuple[str, str], ...], template_types: Mapping[str, tuple[str, ...]]
) -> dict[str, Limits]:
    """The limits that the converters of a path's placeholders put on them."""
    return {name: restriction_limits(text, bool(template_types.get(name))) for name, text in converters}


def restriction_limits(text: str, typed: bool) -> Limits:
    """A converter as written: ``any(a,b)``, ``string(length=2)``, ``int(min=1)``, ``re:...``, or a bare pattern."""
    name, bracket, inside = text.partition("(")
    if bracket and name.isalpha() and inside.endswith(")"):
        return _converter(name, inside[:-1])
    if typed or not text or text.isidentifier():
        return Limits()
    return Limits(pattern=text.removeprefix("re:"))


def _converter(name: str, inside: str) -> Limits:
    parts = [part.strip() for part in inside.split(",") if part.strip()]
    if name in ("any", "enum"):
        return Limits(choices=tuple(part.strip("\"'") for part in parts))
    given = {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in parts)}

    def number(key: str) -> int | None:
        value = given.get(key, "")
        return int(value) if value.lstrip("-").isdigit() else None

    length = number("length")
    return Limits(
        minimum=number("min"),
        maximum=number("max"),
        min_length=length if length is not None else number("minlength"),
        max_length=length if length is not None else number("maxlength"),
    )


__all__ = ["Where", "from_params", "from_path", "limits_of", "literal", "restriction_limits", "schema_name"]
