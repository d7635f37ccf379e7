"""Fields of input schemas that have no limit: text of any length, numbers of any size."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.data.schema import Column, schema
from backaudit.backend.web.inputs.applied import applied
from backaudit.backend.web.inputs.records import Field
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.flow.approvals import ORDER
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.protocols import CHECKED, UPPER_LIMITS

_NUMBERS = meaning("columns", "amount")


class Limitless(msgspec.Struct, frozen=True):
    """``name``, declared at ``place``, has ``fields`` without limits."""

    place: Place
    name: str
    fields: tuple[str, ...]


def limitless(project: Project) -> Iterator[Limitless]:
    """Schemas, forms, serializers and parsers on writing endpoints with fields that have no limits."""
    seen: set[str] = set()
    for cls in (*_bodies(project), *_forms(project), *_serializers(project)):
        for owner in project.lineage(cls.name):
            view = project.class_named(owner)
            if view is None or owner in seen or view.file.role != "production":
                continue
            seen.add(owner)
            fields = tuple(name for name, field in view.fields.items() if _is_limitless(project, cls, name, field))
            fields += tuple(_columns(project, view))
            if fields:
                yield Limitless(view.place, view.cls.name, fields)
    yield from _put_to_bodies(project, seen)
    yield from _parsers(project)


def _put_to_bodies(project: Project, seen: set[str]) -> Iterator[Limitless]:
    """Schemas that are put to a body otherwise: by a decorator, a call of a validator, as a mapping."""
    for route, several in project.once(applied).items():
        writes = not route.methods or not CHECKED.isdisjoint(route.methods)
        for made in (one.schema for one in several if writes and one.where in ("body", "form")):
            if made.name in seen or project.role(made.place.path) != "production":
                continue
            seen.add(made.name)
            fields = tuple(field.attribute for field in made.fields if _is_open(field))
            if fields and made.library not in _READ_BY_CALLS:
                yield Limitless(made.place, made.title, fields)


# Parsers whose arguments are judged one by one.
_READ_BY_CALLS = frozenset({"reqparse"})


def _is_open(field: Field) -> bool:
    """Whether a field takes text, an amount or a collection of any length or size."""
    if field.read_only or field.validated or field.shape.bounded:
        return False
    kinds = {field.shape.kind, *(part.kind for part in field.shape.either)}
    number = bool(kinds & {"integer", "number"}) and is_amount(field.attribute)
    return bool(kinds & {"string", "array"}) or number


def _bodies(project: Project) -> Iterator[ClassView]:
    for route in routes(project):
        if route.methods and not CHECKED & set(route.methods):
            continue
        for param in route.params:
            if param.where in ("body", "form") and param.schema:
                yield from _nested(project, param.types, set())


def _nested(project: Project, types: tuple[str, ...], seen: set[str]) -> Iterator[ClassView]:
    for name in types:
        cls = project.class_named(_innermost(name))
        if cls is None or cls.name in seen:
            continue
        seen.add(cls.name)
        yield cls
        for field in cls.fields.values():
            if isinstance(field.op, ops.Bind) and field.op.annotation != NONE:
                yield from _nested(project, project.annotated(field.to(field.op.annotation)), seen)


def _innermost(type_: str) -> str:
    """What a collection holds, however deep: `Row` of a mapping to lists of rows."""
    head, over = split(type_)
    while over:
        head, over = split(over)
    return head


def _forms(project: Project) -> Iterator[ClassView]:
    """Forms that are made in code that serves."""
    for cls in project.subclasses(*sorted(project.models.kinds.get("forms", frozenset()))):
        if any(project.calls_of(cls.cls.name)):
            yield cls


def _serializers(project: Project) -> Iterator[ClassView]:
    names = project.models.kinds["asked-schemas"]
    for cls in project.subclasses(*sorted(names)):
        used = any(
            call.arg(None, "data") is not None or call.method == "load" for call in project.calls_of(cls.cls.name)
        )
        if used or _is_a_views(project, cls):
            yield cls


def _is_a_views(project: Project, cls: ClassView) -> bool:
    for route in routes(project):
        field = route.view.fields.get("serializer_class") if route.view is not None else None
        if field is not None and set(route.methods) & CHECKED and f"type[{cls.name}]" in project.types(field):
            return True
    return False


def _is_limitless(project: Project, cls: ClassView, name: str, field: Node) -> bool:
    op = field.op
    if not isinstance(op, ops.Bind) or name.startswith("_") or name in ("model_config", "Config"):
        return False
    if _validated(project, cls, name):
        return False
    if op.annotation != NONE:
        return _is_annotated_limitless(project, name, field, field.to(op.annotation))
    declared = field.origin
    if declared.call is None or _limits(project, declared) or _is_read_only(declared):
        return False
    if any(_limits(project, other) for other in _held_equal(cls, name, declared)):
        return False
    return declared.is_call_of("free-text-fields") or (declared.is_call_of("number-fields") and is_amount(name))


def _held_equal(cls: ClassView, name: str, declared: Node) -> Iterator[Node]:
    """The fields that a form holds one against, whichever of the two has the validator: they are as long as it."""
    for other, field in cls.fields.items():
        if other in _equals(declared) or (other != name and name in _equals(field.origin)):
            yield field.origin


def _equals(declared: Node) -> set[str]:
    """The fields that the validators of a declaration name as its equals."""
    found: set[str] = set()
    waiting = [declared]
    while waiting:
        node = waiting.pop().origin
        named = node.argument((0, "fieldname")) if node.is_call_of("equality-validators") else None
        found |= {named.text} if named is not None and named.text else set()
        waiting += _parts(node)
    return found


def _is_annotated_limitless(project: Project, name: str, field: Node, annotation: Node) -> bool:
    if _is_collection(project, annotation):
        return not _is_counted(project, field)
    text, number = _declared(project, annotation)
    limited = _limits(project, annotation) or _limits(project, field.origin)
    return (text or (number and is_amount(name))) and not limited


def _is_read_only(declared: Node) -> bool:
    read_only = declared.argument(("read_only", "dump_only"))
    return read_only is not None and read_only.const is True


_COLLECTIONS = frozenset({"list", "builtins.list", "builtins.set", "builtins.frozenset", "set"})


def _is_collection(project: Project, annotation: Node) -> bool:
    heads = {split(name)[0] for name in project.annotated(annotation)} - {"None", "builtins.None", "types.NoneType"}
    return bool(heads) and heads <= _COLLECTIONS


def _is_counted(project: Project, field: Node) -> bool:
    """Whether the collection itself has a greatest length: in its declaration, or beside its type in ``Annotated``."""
    op = field.op
    if not isinstance(op, ops.Bind) or _limits(project, field.origin):
        return True
    annotation = field.to(op.annotation)
    made = project.alias_of(annotation) or annotation.origin
    if made.method in ("conlist", "conset"):
        return _limits(project, made)
    key = made.to(made.op.key).origin if isinstance(made.op, ops.Item) else None
    beside = key.op.items[1:] if key is not None and isinstance(key.op, ops.Build) else ()
    return key is not None and any(_limits(project, key.to(item)) for item in beside)


def _declared(project: Project, annotation: Node) -> tuple[bool, bool]:
    types = {split(name)[0] for name in project.annotated(annotation)}
    number = bool(types & {"builtins.int", "builtins.float", "decimal.Decimal"})
    return "builtins.str" in types, number


def is_amount(name: str) -> bool:
    """Whether a name says that its number counts something: too large or below zero, it does harm."""
    return _NUMBERS.holds(name)


@cut_circles(otherwise=False)
def _limits(project: Project, node: Node) -> bool:
    """Whether a declaration says how much: a keyword, a marker or validator among its parts."""
    node = node.origin
    op = node.op
    alias = project.alias_of(node) if isinstance(op, (ops.Name, ops.Attr, ops.Import)) else None
    if alias is not None and alias != node:
        return _limits(project, alias)
    limits = project.models.kinds["limiting-names"]
    limit = isinstance(op, ops.Call) and not limits.isdisjoint((node.method, *node.keywords()))
    if limit or (isinstance(op, ops.Call) and _marks_most(project, node)):
        return True
    return any(_limits(project, part) for part in _parts(node))


def _parts(node: Node) -> list[Node]:
    """The parts of a declaration: arguments, items, both sides of ``X[…]`` and ``X | Y``."""
    op = node.op
    if isinstance(op, ops.Call):
        return node.args()
    if isinstance(op, ops.Item):
        return [node.to(op.key), node.to(op.base)]
    if isinstance(op, ops.Bin):
        return [node.to(op.left), node.to(op.right)]
    return node.elements() if isinstance(op, ops.Build) else []


def _marks_most(project: Project, call: Node) -> bool:
    """Whether a marker beside the type is given a greatest length or value: ``MaxLen(80)``, ``Len(1, 80)``."""
    for position, part in enumerate(project.models.limits["validators"].get(call.method, "").split()):
        name, _, limit = part.partition(":")
        if limit in UPPER_LIMITS and call.arg(position, name) is not None:
            return True
    return False


def _validated(project: Project, cls: ClassView, name: str) -> bool:
    """Whether the class checks the field in a method: ``validate_name``, ``clean_name``, a validator of that name."""
    for view in project.lineage_views(cls.name):
        for method, code in view.methods.items():
            if method in (f"validate_{name}", f"clean_{name}"):
                return not is_amount(name) or _judges_number(code)
            for decorator in code.decorators:
                if any(argument.text in (name, "*") for argument in decorator.args()):
                    return True
    return False


def _judges_number(code: Code) -> bool:
    """Whether a check of an amount knows a number of its own: one that only asks the balance lets minus ten pass."""
    compares = [op for op in code.ops if isinstance(op, ops.Compare) and op.operator in ORDER]
    sides = [code.node(side) for op in compares for side in (op.left, op.right)]
    return not compares or any(code.project.constant(side) is not None for side in sides)


def _columns(project: Project, cls: ClassView) -> Iterator[str]:
    """Of a serializer over a model: the listed columns without limits."""
    meta = cls.inner.get("Meta")
    model = meta.fields.get("model") if meta is not None else None
    serializer = not project.models.kinds["model-serializers"].isdisjoint(project.lineage(cls.name))
    if model is None or meta is None or not serializer:
        return
    listed = meta.fields.get("fields")
    every = listed is not None and listed.const == "__all__"
    names = {item.text for item in listed.origin.elements()} if listed is not None else set()
    for row in project.denoted_classes(model.origin):
        table = project.once(schema).of_model(row.name)
        for column in table.columns if table is not None else ():
            field = row.fields.get(column.attribute or column.name)
            wanted = (every or column.attribute in names) and column.attribute not in cls.fields
            if wanted and field is not None and _is_limitless_column(project, column, field.origin):
                yield column.attribute


def _is_limitless_column(project: Project, column: Column, declared: Node) -> bool:
    if _limits(project, declared):
        return False
    if column.type == "TextField":
        return declared.arg(None, "max_length") is None
    return column.type in ("IntegerField", "PositiveIntegerField") and is_amount(column.attribute)


def _parsers(project: Project) -> Iterator[Limitless]:
    """Request parsers (flask-restful's): text arguments without a form, by the file's first argument."""
    by_file: dict[str, list[Node]] = {}
    for call in project.calls_of("add_argument"):
        receiver = call.receiver
        if receiver is None or call.code.file.role != "production":
            continue
        if any(name.endswith("reqparse.RequestParser") for name in project.types(receiver)):
            by_file.setdefault(f"{call.code.path}\0{receiver.spelled}", []).append(call)
    for calls in by_file.values():
        names = tuple(str(first.const) for call in calls if (first := _open_argument(project, call)) is not None)
        if names:
            yield Limitless(calls[0].place, calls[0].receiver.spelled if calls[0].receiver else "", names)


def _open_argument(project: Project, call: Node) -> Node | None:
    kind = call.arg(None, "type")
    if call.arg(None, "choices") is not None:
        return None
    names = project.names(kind) if kind is not None else ("builtins.str",)
    return call.arg(0, "name") if "builtins.str" in names else None
