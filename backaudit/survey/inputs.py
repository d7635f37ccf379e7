"""What a client sends to a route: its declared and read inputs, put together with the schemas that judge them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from backaudit.backend.web.inputs.applied import Applied
from backaudit.backend.web.inputs.classes import is_secret
from backaudit.backend.web.inputs.made import made_schema
from backaudit.backend.web.inputs.mappings import schema_named
from backaudit.backend.web.inputs.records import Scalar, Shape
from backaudit.backend.web.inputs.shapes import of_name, parsed, shape_of, united
from backaudit.backend.web.records import Endpoint, Input, Limits
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project
from backaudit.project.operands import walk
from backaudit.project.types import split
from backaudit.survey.records import Sent

_WHOLE = ("body", "form")
_TEXT = Shape(kind="string")


def sent(project: Project, endpoint: Endpoint, applied: Sequence[Applied]) -> tuple[Sent, ...]:
    """All that is sent, a thing once: path first, then as declared; whole bodies last."""
    if project.models.framework(endpoint.route.framework).typed:
        # The handler's own parameters say more of a body than the schema alone.
        own = {given.schema for given in endpoint.inputs if given.schema}
        applied = [one for one in applied if one.where not in _WHOLE or one.schema.name not in own]
    found: dict[tuple[str, str], Sent] = {}
    for one in (*_of_schemas(applied), *_of_inputs(project, endpoint, applied)):
        key = (one.where, one.name.lower() if one.where == "header" else one.name)
        known = found.get(key)
        found[key] = one if known is None else _joined(known, one)
    order = ("path", "query", "header", "cookie", "file", "form", "body")
    return tuple(sorted(found.values(), key=lambda one: (order.index(one.where), one.name == "")))


def _joined(known: Sent, other: Sent) -> Sent:
    """Two schemas of one body are alternatives: one of them is applied."""
    both = known.checked and other.checked
    if both and known.name == "" and other.shape != known.shape:
        return msgspec.structs.replace(known, shape=united([known.shape, other.shape]))
    return known


def _of_schemas(applied: Sequence[Applied]) -> Iterator[Sent]:
    for one in applied:
        shape = Shape(kind="object", schema=one.schema.name)
        if one.where in _WHOLE:
            whole = Shape(kind="array", items=shape) if one.many else shape
            yield Sent(name="", where=one.where, shape=whole, required=True, checked=True)
        elif one.where in ("query", "header", "cookie", "path"):
            for field in one.schema.fields:
                if not field.read_only:
                    yield Sent(
                        name=field.name, where=one.where, shape=field.shape, required=not field.optional,
                        default=field.default, checked=True,
                    )  # fmt: skip


def _of_inputs(project: Project, endpoint: Endpoint, applied: Sequence[Applied]) -> Iterator[Sent]:
    judged = {one.where for one in applied if one.where in _WHOLE}
    typed = project.models.framework(endpoint.route.framework).typed
    several = typed and len([i for i in endpoint.inputs if i.where == "body"]) > 1
    for given in endpoint.inputs:
        form = _library_form(project, given)
        if form:
            yield from form
        elif given.where in _WHOLE and judged and not several:
            continue  # What the schema judges is read again, in whole or in parts.
        elif given.whole and given.schema and not typed and endpoint.route.view is not None and not judged:
            continue  # The view has a schema, and its handler does not ask it.
        elif given.whole and given.schema and given.where not in _WHOLE:
            yield from _expanded(project, given)
        else:
            yield _sent(project, endpoint, given, several, typed)


def _expanded(project: Project, given: Input) -> Iterator[Sent]:
    """The fields of a schema that describes a query string or headers."""
    found = schema_named(project, given.schema)
    for field in found.fields if found is not None else ():
        yield Sent(
            name=field.name, where=given.where, shape=field.shape, required=not field.optional,
            default=field.default, checked=True,
        )  # fmt: skip


def _library_form(project: Project, given: Input) -> list[Sent]:
    """The fields of a form that a library brings."""
    known: dict[str, dict[str, str]] = project.models.library_forms
    name = next((name for name in given.types if name in known), None)
    if name is None:
        return []
    fields = []
    for field, notation in known[name].items():
        shape = parsed(notation.replace("?", ""))[0]
        fields.append(Sent(name=field, where=given.where, shape=shape, required="?" not in notation, checked=True))
    return fields


def _sent(project: Project, endpoint: Endpoint, given: Input, several: bool, typed: bool) -> Sent:
    shape = _shape(project, endpoint.route.handler, given)
    named = several or not given.whole or given.where not in _WHOLE
    is_whole = typed and given.where == "body" and not several
    if is_whole and not _embeds(endpoint.route.handler, given):
        named = False
    told = typed or given.types not in ((), ("builtins.str",)) or given.limits != Limits()
    return Sent(
        name=given.name if named else "",
        where=given.where,
        shape=shape,
        required=given.required or given.where == "path",
        default=_default(project, given),
        checked=(told and not _is_open(shape)) or shape.kind == "file",
    )


def _is_open(shape: Shape) -> bool:
    """Whether a shape says nothing of what is inside."""
    return shape.kind in ("any", "object") and not (shape.schema or shape.either or shape.items is not None)


def _embeds(handler: Code, given: Input) -> bool:
    """Whether a lone body parameter stands under its own name: ``Body(embed=True)``."""
    param = next((p for p in handler.function.params if p.name == given.name), None)
    markers = [node for value in ((param.default, param.annotation) if param is not None else ())
               if (node := handler.outside(value)) is not None]  # fmt: skip
    return any(_says_embed(node) for node in markers)


def _says_embed(node: Node) -> bool:
    flags = (part.arg(None, "embed") for part in walk(node, _inside))
    return any(flag is not None and flag.const is True for flag in flags)


def _inside(annotation: Node) -> tuple[int, ...]:
    """What stands in the brackets of an annotation."""
    op = annotation.op
    return op.items if isinstance(op, ops.Build) else (op.key,) if isinstance(op, ops.Item) else ()


def _shape(project: Project, handler: Code, given: Input) -> Shape:
    """By the annotation of the handler's parameter, which says most; else by the types that are known."""
    annotation = _annotation(handler, given) if given.where in _WHOLE else None
    shape = shape_of(project, annotation) if annotation is not None else of_types(project, given.types)
    made = made_schema(project, annotation) if annotation is not None and _is_open(shape) else None
    if made is not None:
        return Shape(kind="object", schema=made.name)
    if shape == Shape() and given.where not in ("body",):
        shape = _TEXT if given.where != "file" else Shape(kind="file")
    return limited(shape, given.limits)


def _annotation(handler: Code, given: Input) -> Node | None:
    here = next((p for p in handler.function.params if Place(handler.path, p.at) == given.place), None)
    return handler.outside(here.annotation) if here is not None else None


def of_types(project: Project, types: Sequence[str]) -> Shape:
    """The shape of any of some types, see :mod:`backaudit.project.types`."""
    parts = []
    for name in types:
        head, over = split(name)
        if over and head in ("list", "builtins.list", "builtins.set", "builtins.tuple"):
            parts.append(Shape(kind="array", items=of_types(project, (over,))))
        elif over and head == "builtins.dict":
            parts.append(Shape(kind="object"))
        else:
            parts.append(of_name(project, head))
    return united(parts) if parts else Shape()


def limited(shape: Shape, limits: Limits) -> Shape:
    """A shape with the limits of an input."""
    long = ("minItems", "maxItems") if shape.kind == "array" else ("minLength", "maxLength")
    low = "exclusiveMinimum" if limits.exclusive_minimum else "minimum"
    high = "exclusiveMaximum" if limits.exclusive_maximum else "maximum"
    of_numbers = {low: _tidy(limits.minimum), high: _tidy(limits.maximum)}
    of_others = {long[0]: limits.min_length, long[1]: limits.max_length, "pattern": limits.pattern or None}
    fitting = of_numbers if shape.kind in ("integer", "number") else of_others
    known = {name: value for name, value in fitting.items() if value is not None}
    shape = shape.with_limits(known if shape.kind != "file" else {})
    if limits.choices and not shape.choices and shape.kind in ("string", "any", "integer"):
        shape = msgspec.structs.replace(shape, choices=_choices(shape, limits.choices))
    return shape


def _choices(shape: Shape, choices: tuple[str, ...]) -> tuple[Scalar, ...]:
    whole = shape.kind == "integer" and all(text.lstrip("-").isdigit() for text in choices)
    return tuple(map(int, choices)) if whole else choices


def _tidy(number: float | None) -> int | float | None:
    return int(number) if number is not None and number == int(number) else number


def _default(project: Project, given: Input) -> Scalar:
    """The literal default, unless the extractors take what stands there for a credential."""
    file = project.files.get(given.place.path)
    hidden = file is not None and is_secret(project, file.path, given.place.span)
    return None if hidden else given.default
