"""What annotations and declarations say of the values they admit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from backaudit.backend.web.inputs.records import Scalar, Shape
from backaudit.facts import ops
from backaudit.project import ClassView, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.declarations import items, texts
from backaudit.project.types import split
from backaudit.vocabulary.protocols import ITEM_LIMITS, LIMITS, LIMITS_OF_KIND

_DEPTH = 8
_ANY = Shape()


def parsed(notation: str) -> tuple[Shape, frozenset[str]]:
    """A shape as the tables write it, and the words beside it (``read``, ``private``)."""
    head, *rest = notation.split() or [""]
    known = ("any", "null", "boolean", "integer", "number", "string", "array", "object", "file")
    words = {word for word in (head, *rest) if "=" not in word and word not in known}
    pairs = dict(word.split("=", 1) for word in rest if "=" in word)
    form = pairs.pop("format", "")
    limits = {name: _literal(value) for name, value in pairs.items()}
    kind = head if head in known else "any"
    return Shape(kind=kind, format=form).with_limits(limits), frozenset(words)  # type: ignore[arg-type]


def _literal(text: str) -> int | float | str | bool:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?\d+", text) else text


# -- annotations ------------------------------------------------------------------------------------------------------


def shape_of(project: Project, node: Node, depth: int = 0) -> Shape:
    """What an annotation admits; anything where it is not understood."""
    node = node.origin
    alias = project.alias_of(node) if isinstance(node.op, (ops.Name, ops.Import, ops.Attr)) else None
    node = alias if alias is not None else node
    op = node.op
    if project.gives_up(depth, _DEPTH, node.place):
        return _ANY
    if isinstance(op, ops.Bin) and op.operator == "|":
        return united([shape_of(project, node.to(side), depth + 1) for side in (op.left, op.right)])
    if isinstance(op, ops.Item):
        return _generic(project, node, op, depth)
    if isinstance(op, ops.Const):
        return _constant(project, node, op)
    if isinstance(op, ops.Call):
        return _called(project, node, depth)
    return _named(project, node)


def _constant(project: Project, node: Node, op: ops.Const) -> Shape:
    """``None``, or a class by its name in quotes."""
    if op.value is None:
        return Shape(kind="null")
    text = op.value if isinstance(op.value, str) else ""
    inner = re.fullmatch(r"(?:typing\.)?(\w+)\[(.+)\]", text)
    if inner:
        head, parts = inner[1], [part.strip().strip("\"'") for part in inner[2].split(",")]
        found = [_spelled(project, node, part) for part in parts]
        if head in ("Optional", "Union"):
            return united([*found, *([Shape(kind="null")] if head == "Optional" else [])])
        return _collection(project, head, found) or _ANY
    return united([_spelled(project, node, part.strip()) for part in text.split("|")]) if text else _ANY


def _spelled(project: Project, node: Node, name: str) -> Shape:
    if name == "None":
        return Shape(kind="null")
    found = project.free(node.code, name) if node.code.function.kind == "class" else None
    value = found if found is not None else project.binding(node.code.file.module, name)
    if value is not None:
        return _named(project, value)
    return parsed(project.models.shapes.get(f"builtins.{name}", ""))[0]


def _generic(project: Project, node: Node, op: ops.Item, depth: int) -> Shape:
    base, key = node.to(op.base), node.to(op.key)
    several = isinstance(key.op, ops.Build) and key.op.kind == "tuple"
    inside = key.elements() if several else [key]
    last = next((name.rpartition(".")[2] for name in project.names(base)), base.spelled.rpartition(".")[2])
    if last == "Annotated":
        return narrowed(project, shape_of(project, inside[0], depth + 1), inside[1:])
    if last == "Literal":
        return chosen([part.const for part in inside])
    if last in project.models.kinds["transparent-annotations"]:
        return shape_of(project, inside[0], depth + 1)
    parts = [shape_of(project, part, depth + 1) for part in inside]
    if last in ("Optional", "Union"):
        return united([*parts, *([Shape(kind="null")] if last == "Optional" else [])])
    return _collection(project, last, parts) or _of_generic_class(project, base)


def _collection(project: Project, last: str, parts: list[Shape]) -> Shape | None:
    kinds = project.models.kinds
    first = parts[0] if parts else None
    if last in ("tuple", "Tuple"):
        return Shape(kind="array", items=united(list(filter(_says_something, parts))))
    if last in kinds["list-annotations"]:
        return Shape(kind="array", items=first)
    if last in kinds["set-annotations"]:
        return Shape(kind="array", items=first, limits=(("uniqueItems", True),))
    if last in kinds["mapping-annotations"]:
        return Shape(kind="object", items=parts[-1] if len(parts) > 1 else None)
    return None


def _says_something(part: Shape) -> bool:
    return part.kind != "any" or bool(part.either or part.schema)


def _of_generic_class(project: Project, base: Node) -> Shape:
    """``Page[Item]``: the generic class; its own arguments are lost to us."""
    return _named(project, base)


def _called(project: Project, node: Node, depth: int) -> Shape:
    """``constr(max_length=8)``, ``conlist(int, max_length=3)``."""
    func = node.func
    names = project.names(func) if func is not None else ()
    known = next((project.models.shapes[name] for name in names if name in project.models.shapes), "")
    shape = parsed(known)[0]
    first = node.arg(0, "item_type")
    if shape.kind == "array" and first is not None:
        shape = msgspec.structs.replace(shape, items=shape_of(project, first, depth + 1))
    return narrowed(project, shape, [node])


def _named(project: Project, node: Node) -> Shape:
    found: list[Shape] = []
    for name in project.types(node):
        head, over = split(name)
        if head in ("type", "ext"):
            found.append(of_name(project, over))
    return united(found) if found else _ANY


def of_name(project: Project, name: str) -> Shape:
    """What an instance of the class ``name`` may be."""
    for owner in project.lineage(name):
        known = project.models.shapes.get(owner)
        if known is not None and owner not in ("builtins.object",):
            base = parsed(known)[0]
            enum = _enumerated(project, name)
            return enum if enum is not None else base
    enum = _enumerated(project, name)
    if enum is not None:
        return enum
    return Shape(kind="object", schema=name) if project.class_named(name) is not None else _ANY


def _enumerated(project: Project, name: str) -> Shape | None:
    cls = project.class_named(name)
    if cls is None or not project.inherits(name, *project.models.kinds["enumerations"]):
        return None
    return chosen(list(_members(project, cls)))


def _members(project: Project, cls: ClassView) -> Iterator[Scalar]:
    for name, bind in cls.fields.items():
        if name.startswith("_"):
            continue
        made = bind.origin
        if made.method == "auto":
            yield name if not project.inherits(cls.name, "enum.StrEnum") else name.lower()
            continue
        first = items(made)[0] if items(made) else made
        found = project.constant(first)
        if found is not None and found.const is not None:
            yield found.const


def chosen(values: Iterable[Scalar]) -> Shape:
    """One of known values."""
    listed = tuple(dict.fromkeys(values))
    nullable = None in listed
    rest = tuple(value for value in listed if value is not None)
    kinds = {type(value) for value in rest}
    kind = "string" if kinds == {str} else "boolean" if kinds == {bool} else "integer" if kinds == {int} else "any"
    return Shape(kind=kind, choices=rest, nullable=nullable) if rest else _ANY  # type: ignore[arg-type]


def united(parts: list[Shape]) -> Shape:
    """Any of several shapes; nothing but ``None`` beside one makes that nullable."""
    rest = list(dict.fromkeys(part for part in parts if part.kind != "null"))
    nullable = any(part.kind == "null" for part in parts)
    if not rest:
        return Shape(kind="null") if nullable else _ANY
    if _ANY in rest:
        return _ANY
    if len(rest) == 1:
        return msgspec.structs.replace(rest[0], nullable=nullable or rest[0].nullable)
    flat = [inner for part in rest for inner in (part.either or (part,))]
    return Shape(either=tuple(dict.fromkeys(flat)), nullable=nullable)


# -- limits -----------------------------------------------------------------------------------------------------------


def narrowed(project: Project, shape: Shape, markers: Iterable[Node]) -> Shape:
    """A shape with the limits that markers, validators and keywords of calls set."""
    for marker in markers:
        made = project.resolved(marker)
        if made.call is not None:
            shape = _by_call(project, shape, made)
        elif isinstance(made.op, ops.Build):
            shape = _narrowed(project, made, shape) or shape
        else:
            shape = _by_validator(project, shape, marker)
    return shape


@cut_circles()
def _narrowed(project: Project, made: Node, shape: Shape) -> Shape | None:
    return narrowed(project, shape, items(made))


def _by_call(project: Project, shape: Shape, call: Node) -> Shape:
    if call.method in project.models.limits["validators"]:
        return _by_validator(project, shape, call)
    found: dict[str, int | float | str | bool] = {}
    known = project.models.limits["keywords"]
    for keyword, node in call.keywords().items():
        if keyword in known:
            value = _value(project, node)
            if value is not None:
                found[known[keyword]] = value
        elif keyword in ("choices", "enum") and not shape.choices:
            shape = with_choices(project, shape, node)
        elif keyword in ("validators", "validate", "constraint", "validator", "constraints"):
            shape = narrowed(project, shape, [node])
    return shape.with_limits(_fitting(shape, found))


def _by_validator(project: Project, shape: Shape, node: Node) -> Shape:
    call = node.call
    last = node.method if call is not None else node.spelled.rpartition(".")[2]
    spec = project.models.limits["validators"].get(last, "")
    if last in ("And", "all_of", "Optional") and call is not None:
        return narrowed(project, shape, [node.origin.to(value) for value in call.args])
    found: dict[str, int | float | str | bool] = {}
    for position, part in enumerate(spec.split()):
        if part.startswith("format="):
            return msgspec.structs.replace(shape, format=shape.format or part.removeprefix("format="))
        name, _, limit = part.partition(":")
        given = node.origin.arg(position, name)
        if given is not None and limit == "choices":
            shape = with_choices(project, shape, given)
        elif given is not None:
            found.update(_limits(limit, _value(project, given)))
    return shape.with_limits(_fitting(shape, found))


def _limits(limit: str, value: int | float | str | None) -> dict[str, int | float | str | bool]:
    """What a validator's limit says; -1 is none."""
    if value is None or value == -1:
        return {}
    return dict.fromkeys(("minLength", "maxLength"), value) if limit == "equalLength" else {limit: value}


def _fitting(shape: Shape, found: dict[str, int | float | str | bool]) -> dict[str, int | float | str | bool]:
    """Lengths of arrays count items; bounds of texts and of files say nothing."""
    if shape.kind == "array":
        found = {ITEM_LIMITS.get(name, name): value for name, value in found.items()}
    if shape.kind == "string":
        renamed = {"minimum": "minLength", "maximum": "maxLength"}
        found = {renamed.get(name, name) if not shape.format else name: value for name, value in found.items()}
    kept = LIMITS_OF_KIND.get(shape.kind, frozenset(LIMITS))
    return {name: value for name, value in found.items() if name in kept}


@cut_circles()
def _value(project: Project, node: Node) -> int | float | str | None:
    """A limit's value: a literal, through names; sums of literals; a compiled pattern."""
    found = project.constant(node)
    if found is not None:
        return None if isinstance(found.const, bool) else found.const
    here = project.resolved(node)
    op = here.op
    if isinstance(op, ops.Unary) and op.operator == "-":
        inner = _value(project, here.to(op.value))
        return -inner if isinstance(inner, (int, float)) else None
    if isinstance(op, ops.Bin):
        return _computed(_value(project, here.to(op.left)), op.operator, _value(project, here.to(op.right)))
    first = here.arg(0)
    if here.method in ("compile", "Decimal") and first is not None:
        value = _value(project, first)
        return float(value) if here.method == "Decimal" and _is_number(value) else value  # type: ignore[arg-type]
    return None


def _is_number(value: object) -> bool:
    return bool(re.fullmatch(r"-?\d+(\.\d+)?", str(value)))


def _computed(left: object, operator: str, right: object) -> int | float | str | None:
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return None
    if operator == "*" and abs(left * right) < 1 << 53:
        return left * right
    if operator == "**" and 0 <= right < 64 and abs(left) <= 16:
        power: int | float = left**right
        return power
    return {"+": left + right, "-": left - right}.get(operator)


def with_choices(project: Project, shape: Shape, node: Node) -> Shape:
    """A shape that admits the values of a list, of the first of pairs, or of an enumeration."""
    values = list(choices_of(project, node))
    if not values:
        return shape
    found = chosen(values)
    if shape.kind == "array":
        return msgspec.structs.replace(shape, items=found)
    return msgspec.structs.replace(found, nullable=shape.nullable or found.nullable, format="")


@cut_circles()
def choices_of(project: Project, node: Node) -> Iterator[Scalar]:
    """The values that ``choices=...`` offers, groups included."""
    here = project.resolved(node)
    op = here.op
    if isinstance(op, ops.Attr) and op.name in ("choices", "values"):
        here = here.to(op.base)
    if here.method == "choices" and here.receiver is not None:
        here = here.receiver
    enumeration = next(
        (
            cls
            for cls in project.denoted_classes(here)
            if project.inherits(cls.name, *project.models.kinds["enumerations"])
        ),
        None,
    )
    if enumeration is not None:
        yield from _members(project, enumeration)
    elif here.is_dict:
        keys = (project.constant(key) for key, _ in here.entries())
        yield from (key.const for key in keys if key is not None)
    else:
        yield from (choice for item in items(here) for choice in _choice(project, item))


def _choice(project: Project, item: Node) -> Iterator[Scalar]:
    """One of the items of a list of choices: a value, a pair with its label, a group of them."""
    pair = items(project.resolved(item))
    if len(pair) == 2 and items(project.resolved(pair[1])):
        yield from choices_of(project, pair[1])
        return
    found = project.constant(pair[0] if pair else item)
    if found is not None and found.const is not None:
        yield found.const


__all__ = ["choices_of", "chosen", "narrowed", "of_name", "parsed", "shape_of", "texts", "united", "with_choices"]
