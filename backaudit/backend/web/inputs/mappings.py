"""Input schemas written as mappings or built by calls: JSON Schema, cerberus, webargs, Flask-RESTX, reqparse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import msgspec

from backaudit.backend.web.inputs.classes import called_shape, is_filled, is_secret, library_of, schema_of
from backaudit.backend.web.inputs.records import Extra, Field, InputSchema, Scalar, Shape
from backaudit.backend.web.inputs.shapes import chosen, narrowed, of_name, parsed, with_choices
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.declarations import entries, items, text, texts, truth
from backaudit.project.locate import behind
from backaudit.vocabulary.protocols import LIMITS

_DEPTH = 6
Reader: TypeAlias = "Callable[[Project, Node, str], InputSchema | None]"


def schema_named(project: Project, name: str) -> InputSchema | None:
    """The schema of that name: a class's, or one that a mapping read before described."""
    cls = project.class_named(name)
    return schema_of(project, cls) if cls is not None else project.once(memory).get(name)


def memory(project: Project) -> dict[str, InputSchema]:
    """The schemas that mappings describe, by name, as far as they were read."""
    return {}


def schema_behind(project: Project, node: Node, notation: str, title: str = "") -> list[InputSchema]:
    """The schemas that a value in some notation stands for: a class, an object of one, a mapping, a parser.

    ``title`` is for mappings that have no name of their own.
    """
    found: list[InputSchema] = []
    reader = _READERS.get(notation, _READERS["marshmallow"])
    for value in behind(project, node):
        listed = [project.resolved(item) for item in items(value)] or [value]
        for one in listed:
            classes = [*project.denoted_classes(one), *project.instances(one)]
            of_class = [made for cls in classes if (made := schema_of(project, cls)) is not None]
            if of_class:
                found += of_class
            elif (made_here := reader(project, one, title)) is not None:
                found.append(made_here)
    return list({schema.name: schema for schema in found}.values())


def _remembered(
    project: Project, node: Node, title: str, library: str, fields: list[Field], extra: Extra
) -> InputSchema:
    title = title or _title(node)
    name = f"{node.code.file.module}:{node.at.line}:{title}"
    made = InputSchema(name=name, title=title, library=library, place=node.place, fields=tuple(fields), extra=extra)
    project.once(memory)[name] = made
    return made


def _title(node: Node, otherwise: str = "") -> str:
    """The name that the code gives a mapping, else what its use says, else where it stands."""
    for value, op in enumerate(node.code.ops):
        if isinstance(op, ops.Bind) and op.name and node.code.node(value).origin is node.origin:
            return op.name
    return otherwise or f"{node.code.function.name or 'schema'}_{node.at.line}"


# -- JSON Schema ------------------------------------------------------------------------------------------------------


def json_schema(project: Project, node: Node, title: str) -> InputSchema | None:
    """A JSON Schema of an object, written as a dict."""
    here = project.resolved(node)
    given = entries(here)
    if "properties" not in given and given.get("type") is None:
        return None
    required = set(texts(project, project.resolved(given["required"]))) if "required" in given else set()
    fields = [
        _json_field(project, name, value, name not in required, _title(here, title))
        for name, value in entries(project.resolved(given["properties"]) if "properties" in given else None).items()
    ]
    closed = given.get("additionalProperties")
    extra: Extra = "forbid" if closed is not None and closed.const is False else "allow"
    return _remembered(project, here, _title(here, title), "jsonschema", fields, extra)


def _json_field(project: Project, name: str, value: Node, optional: bool, title: str) -> Field:
    given = entries(project.resolved(value))
    shape = _json_shape(project, value, f"{title}.{name}", 0)
    return Field(
        name=name, attribute=name, shape=shape, place=value.place, optional=optional,
        default=_plain(project, given.get("default")),
    )  # fmt: skip


def _json_shape(project: Project, node: Node, title: str, depth: int) -> Shape:
    here = project.resolved(node)
    given = entries(here)
    kinds = texts(project, project.resolved(given["type"])) if "type" in given else ()
    rest = [kind for kind in kinds if kind != "null"]
    if len(rest) > 1 or project.gives_up(depth, _DEPTH, here.place):
        return Shape()
    if "enum" in given:
        return with_choices(project, Shape(), given["enum"])
    if "const" in given:
        return chosen([given["const"].const])
    kind = rest[0] if rest else "object" if "properties" in given else "any"
    shape = parsed(kind)[0]
    if kind == "object" and "properties" in given:
        inner = json_schema(project, here, title)
        shape = Shape(kind="object", schema=inner.name if inner is not None else "")
    if kind == "array" and "items" in given:
        shape = msgspec.structs.replace(shape, items=_json_shape(project, given["items"], f"{title}.items", depth + 1))
    form = text(project, given.get("format"))
    limited = shape.with_limits(_limits(project, given, {name: name for name in LIMITS}))
    return msgspec.structs.replace(limited, format=form, nullable="null" in kinds)


def _limit(project: Project, node: Node) -> int | float | str | bool | None:
    found = project.constant(node)
    return found.const if found is not None else None


def _plain(project: Project, node: Node | None) -> Scalar:
    found = project.constant(node) if node is not None else None
    return None if found is None or is_secret(project, found.code.path, found.at) else found.const


# -- cerberus ---------------------------------------------------------------------------------------------------------


@cut_circles()
def cerberus(project: Project, node: Node, title: str) -> InputSchema | None:
    """A cerberus schema: field to rules."""
    here = project.resolved(node)
    given = entries(here)
    if not given:
        return None
    fields = [_cerberus_field(project, name, value, _title(here, title)) for name, value in given.items()]
    return _remembered(project, here, _title(here, title), "cerberus", fields, "forbid")


def _cerberus_field(project: Project, name: str, value: Node, title: str) -> Field:
    rules = entries(project.resolved(value))
    return Field(
        name=name,
        attribute=name,
        shape=_cerberus_shape(project, rules, f"{title}.{name}"),
        place=value.place,
        optional=not truth(project, rules.get("required")),
        default=_plain(project, rules.get("default")),
        validated="check_with" in rules or "validator" in rules,
    )


def _cerberus_shape(project: Project, rules: dict[str, Node], title: str) -> Shape:
    word = text(project, rules.get("type"))
    known = project.models.words
    shape = parsed(known["cerberus-types"].get(word, word))[0]
    shape = msgspec.structs.replace(
        shape, format=known["cerberus-formats"].get(word, ""), nullable=truth(project, rules.get("nullable"))
    )
    if "allowed" in rules:
        return with_choices(project, shape, rules["allowed"])
    inner = rules.get("schema")
    if inner is not None and shape.kind == "object":
        made = cerberus(project, inner, title)
        return msgspec.structs.replace(shape, schema=made.name if made is not None else "")
    if inner is not None and shape.kind == "array":
        shape = msgspec.structs.replace(shape, items=_cerberus_items(project, inner, f"{title}.items"))
    found = _limits(project, rules, known["cerberus-limits"])
    renamed = {"minLength": "minItems", "maxLength": "maxItems"} if shape.kind == "array" else {}
    return shape.with_limits({renamed.get(limit, limit): value for limit, value in found.items()})


def _limits(project: Project, given: dict[str, Node], names: Mapping[str, str]) -> dict[str, int | float | str | bool]:
    """The limits that a mapping sets; ``names``: what JSON Schema calls them."""
    read = {limit: _limit(project, given[rule]) for rule, limit in names.items() if rule in given}
    return {limit: value for limit, value in read.items() if value is not None}


@cut_circles(Shape())
def _cerberus_items(project: Project, node: Node, title: str) -> Shape:
    return _cerberus_shape(project, entries(project.resolved(node)), title)


# -- mappings of fields -----------------------------------------------------------------------------------------------


def webargs(project: Project, node: Node, title: str) -> InputSchema | None:
    """A dict of marshmallow's fields."""
    here = project.resolved(node)
    if here.method in ("from_dict",) and here.arg(0) is not None:
        here = project.resolved(here.arg(0) or here)
    fields = list(_fields(project, here, "marshmallow"))
    return _remembered(project, here, _title(here, title), "marshmallow", fields, "ignore") if fields else None


def _fields(project: Project, node: Node, library: str) -> Iterator[Field]:
    for name, value in entries(node).items():
        made = project.resolved(value)
        found = called_shape(project, library, made) if made.call is not None else _bare(project, library, made)
        if found is not None:
            shape, words = found
            yield Field(
                name=name, attribute=name, shape=_restx_nested(project, shape, made, library), place=value.place,
                optional=not truth(project, made.arg(None, "required")),
                default=_plain(project, made.argument(("default", "load_default"))),
                read_only="read" in words or truth(project, made.arg(None, "readonly")),
                omitted=not truth(project, made.arg(None, "required")) and not is_filled(made),
            )  # fmt: skip


def _bare(project: Project, library: str, node: Node) -> tuple[Shape, frozenset[str]] | None:
    """A field class that is named and not called."""
    fields = project.models.schemas[library].fields
    last = next((part for name in project.names(node) if (part := name.rpartition(".")[2]) in fields), None)
    return parsed(fields[last]) if last is not None else None


def _restx_nested(project: Project, shape: Shape, made: Node, library: str) -> Shape:
    """``fields.Nested(model)`` and ``fields.List(fields.Nested(model))`` of models that are values."""
    first = made.argument(("model", 0, "cls_or_instance"))
    if not project.models.schemas[library].values or first is None:
        return shape
    if made.method == "Nested":
        inner = next((m for v in behind(project, first) if (m := restx_model(project, v, "")) is not None), None)
        return Shape(kind="object", schema=inner.name) if inner is not None else shape
    if made.method == "List" and first.origin.method == "Nested":
        return msgspec.structs.replace(shape, items=_restx_nested(project, Shape(kind="object"), first.origin, library))
    return shape


@cut_circles()
def restx_model(project: Project, node: Node, title: str) -> InputSchema | None:
    """``api.model("Name", {...})``, ``api.inherit("Name", parent, {...})``, a list of one, or a parser."""
    here = project.resolved(node)
    if here.call is None or here.method not in ("model", "inherit", "clone", "Model", "OrderedModel"):
        return reqparse(project, here, title)
    named = text(project, here.arg(0, "name"))
    fields: dict[str, Field] = {}
    for argument in [here.to(value) for value in here.call.args[1:]]:
        for value in behind(project, argument):
            parent = restx_model(project, value, "") if value.call is not None else None
            fields.update({field.name: field for field in parent.fields} if parent is not None else {})
            fields.update({field.name: field for field in _fields(project, value, "flask_restx")})
    return _remembered(project, here, named, "flask_restx", list(fields.values()), "ignore")


# -- request parsers --------------------------------------------------------------------------------------------------


@cut_circles()
def reqparse(project: Project, node: Node, title: str) -> InputSchema | None:
    """A ``RequestParser`` with the arguments that the project adds to it."""
    here = project.resolved(node)
    if not any(name.endswith("RequestParser") for name in project.types(here)):
        return None
    base = here.receiver if here.method == "copy" else None
    inherited = reqparse(project, base, "") if base is not None else None
    fields = {field.name: field for field in inherited.fields} if inherited is not None else {}
    for call in project.calls_of("add_argument"):
        named = text(project, call.arg(0, "name"))
        if call.receiver is not None and named and here in behind(project, call.receiver):
            field = _argument(project, call, named)
            fields[field.name] = field
    if not fields:
        return None
    return _remembered(project, here, _title(here, title), "reqparse", list(fields.values()), "ignore")


def _argument(project: Project, call: Node, named: str) -> Field:
    kind = call.arg(None, "type")
    shape = Shape(kind="string")
    if kind is not None:
        made = project.resolved(kind)
        word = (made.method if made.call is not None else made.spelled).rpartition(".")[2]
        names = project.names(kind)
        known = next((project.models.shapes[name] for name in names if name in project.models.shapes), "")
        shape = parsed(known or project.models.words["parser-inputs"].get(word, "string"))[0]
        shape = _ranged(project, shape, made)
    shape = narrowed(project, shape, [call])
    if text(project, call.arg(None, "action")) in ("append", "split"):
        shape = Shape(kind="array", items=shape)
    location = texts(project, call.arg(None, "location"))
    if "files" in location:
        shape = Shape(kind="file")
    name = text(project, call.arg(None, "dest")) or named.lstrip("-")
    return Field(
        name=named.lstrip("-"), attribute=name, shape=shape, place=call.place,
        optional=not truth(project, call.arg(None, "required")), default=_plain(project, call.arg(None, "default")),
    )  # fmt: skip


def _ranged(project: Project, shape: Shape, made: Node) -> Shape:
    """``inputs.int_range(1, 5)``, ``inputs.regex("...")``."""
    if made.method == "int_range":
        low, high = (_plain(project, made.arg(position)) for position in (0, 1))
        pairs = [("minimum", low), ("maximum", high)]
        return shape.with_limits({name: value for name, value in pairs if isinstance(value, int)})
    pattern = text(project, made.arg(0)) if made.method == "regex" else ""
    return shape.with_limits({"pattern": pattern}) if pattern else shape


def location_of(project: Project, parser: Node) -> str:
    """Where a request parser looks first, by the arguments it was given; empty where they do not say."""
    here = project.resolved(parser)
    known = project.models.words["locations"]
    found: list[str] = []
    for call in project.calls_of("add_argument"):
        receiver = call.receiver
        if receiver is not None and here in behind(project, receiver):
            found += [known[word] for word in texts(project, call.arg(None, "location")) if word in known]
    return found[0] if found else ""


def of_class(project: Project, node: Node, title: str) -> InputSchema | None:
    """A class by itself, also inside ``list[...]``."""
    for name in project.annotated(node):
        cls = project.class_named(of_name(project, name).schema)
        if cls is not None and library_of(project, cls) is not None:
            return schema_of(project, cls)
    return None


_READERS: dict[str, Reader] = {
    "jsonschema": json_schema,
    "cerberus": cerberus,
    "marshmallow": webargs,
    "flask_restx": restx_model,
    "reqparse": reqparse,
    "class": of_class,
}
