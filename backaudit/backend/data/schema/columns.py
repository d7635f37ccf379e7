"""Columns as SQLAlchemy's and SQLModel's classes declare them: by a call, by an annotation, or by both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from backaudit.backend.data.schema.helpers import returned_call, text_given
from backaudit.backend.data.schema.tables import columns_index
from backaudit.facts import ops
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import annotation_of, entries, enumerated, number, on_delete, text, truth
from backaudit.sql import Column, Index

_DEPTH = 6


class Annotation(NamedTuple):
    """What an annotation says of a column.

    ``types``: dotted names; ``optional``: whether None is one of them; ``core``: the annotation without wrappers and
    None; ``calls``: the ``mapped_column(...)`` inside of an ``Annotated``.
    """

    types: tuple[str, ...]
    optional: bool
    core: Node
    calls: tuple[Node, ...]


def declaration(bind: Node) -> Node | None:
    """The call that declares a column or relation: also inside ``deferred(...)`` and ``column_property(...)``."""
    call = bind.origin
    if call.call is None:
        return None
    if call.is_call_of("column-wrappers"):
        inner = call.arg(0)
        return inner.origin if inner is not None and inner.origin.call is not None else None
    return call


def column(
    project: Project, cls: ClassView, attribute: str, bind: Node, returned: Node | None = None
) -> tuple[Column, tuple[Node, ...]] | None:
    """A column of a mapped class, with the calls that declare it; None if the attribute is none.

    ``returned``: the annotation of the method that declares it, if one does.
    """
    written = declaration(bind)
    call = _column_call(project, written) if written is not None else None
    node = annotation_of(bind) or returned
    annotation = _annotation(project, node) if node is not None else None
    if call is None and (written is not None or annotation is None or not _maps(project, cls, bind, annotation)):
        return None
    calls = _declaring(call, annotation)
    made = described(project, cls, attribute, calls, annotation)
    if written is not None and not made.references:
        made = msgspec.structs.replace(made, references=_target_given(project, calls, written))
    return made, calls


def _column_call(project: Project, written: Node) -> Node | None:
    """The call that makes a column: what is written, or what a function of the project returns to it."""
    return written if written.is_call_of("column-makers") else returned_call(project, written, "column-makers")


def _declaring(call: Node | None, annotation: Annotation | None) -> tuple[Node, ...]:
    """The calls that say what a column is, the one with precedence first."""
    given = call.arg(None, "sa_column") if call is not None else None
    if given is not None and given.origin.call is not None:
        return (given.origin,)
    return (*((call,) if call is not None else ()), *(annotation.calls if annotation is not None else ()))


def _maps(project: Project, cls: ClassView, bind: Node, annotation: Annotation) -> bool:
    """Whether a bare annotation maps a column: ``Mapped[...]``, or any field of an SQLModel."""
    if project.inherits(cls.name, *project.models.kinds["plainly-annotated"]):
        plain = isinstance(bind.op, ops.Bind) and not bind.op.name.startswith(("_", "model_config"))
        return plain and not any(
            project.class_named(name) and not enumerated(project, (name,)) for name in annotation.types
        )
    node = annotation_of(bind)
    op = node.origin.op if node is not None else None
    wrapper = node.origin.to(op.base).spelled if node is not None and isinstance(op, ops.Item) else ""
    return wrapper.rpartition(".")[2] == "Mapped"


# -- annotations -----------------------------------------------------------------------------------------------------


def _annotation(project: Project, node: Node) -> Annotation:
    optional, core = _core(project, node, 0)
    return Annotation(project.annotated(node), optional, core, tuple(_inside(core)))


def _core(project: Project, node: Node, depth: int) -> tuple[bool, Node]:
    """(whether None is admitted, what remains): through ``Mapped``, ``Optional``, ``X | None`` and names for them."""
    node = node.origin
    op = node.op
    if project.gives_up(depth, _DEPTH, node.place):
        return False, node
    if isinstance(op, ops.Const):
        return "None" in (node.text or "") or "Optional" in (node.text or ""), node
    if isinstance(op, ops.Bin) and op.operator == "|":
        return _union(project, [node.to(op.left), node.to(op.right)], depth)
    if isinstance(op, ops.Item):
        return _unwrapped(project, node, op, depth)
    alias = project.alias_of(node)
    if alias is not None and alias != node and isinstance(alias.op, (ops.Item, ops.Bin)):
        optional, core = _core(project, alias, depth + 1)
        return optional, core if optional else alias
    return False, node


def _unwrapped(project: Project, node: Node, op: ops.Item, depth: int) -> tuple[bool, Node]:
    wrapper = node.to(op.base).spelled.rpartition(".")[2]
    key = node.to(op.key)
    if wrapper in project.models.kinds["mapped-annotations"]:
        return _core(project, key, depth + 1)
    if wrapper == "Optional":
        return True, _core(project, key, depth + 1)[1]
    if wrapper == "Union" and isinstance(key.op, ops.Build):
        return _union(project, key.elements(), depth)
    return False, node


def _union(project: Project, parts: list[Node], depth: int) -> tuple[bool, Node]:
    read = [_core(project, part, depth + 1) for part in parts if not part.is_none]
    optional = any(part.is_none for part in parts) or any(inner for inner, _ in read)
    return optional, read[0][1] if read else parts[0]


def _inside(core: Node) -> Iterator[Node]:
    """The column calls in the metadata of an ``Annotated``, also of one that is named."""
    op = core.op
    if not isinstance(op, ops.Item) or core.to(op.base).spelled.rpartition(".")[2] != "Annotated":
        return
    key = core.to(op.key)
    for item in key.op.items if isinstance(key.op, ops.Build) else ():
        call = key.to(item).origin
        # Of two ways to declare the same kind of column either says what it is.
        call = call.to(call.op.then).origin if isinstance(call.op, ops.Choice) else call
        if call.call is not None and call.is_call_of("column-makers"):
            yield call


def _mapped_type(project: Project, cls: ClassView, annotation: Annotation) -> Node | None:
    """What a base's ``type_annotation_map`` puts for the annotation: for its very name first, then for its type."""
    entries = [pair for owner in project.lineage(cls.name) for pair in _type_map(project, owner)]
    alias = project.alias_of(annotation.core) or annotation.core
    same = (value for key, value in entries if (project.alias_of(key) or key) == alias)
    equal = (value for key, value in entries if project.annotated(key) == annotation.types and _is_plain(project, key))
    return next(same, None) or next(equal, None)


def _is_plain(project: Project, key: Node) -> bool:
    alias = project.alias_of(key)
    op = alias.op if alias is not None else None
    return not (
        alias is not None and isinstance(op, ops.Item) and alias.to(op.base).spelled.rpartition(".")[2] == "Annotated"
    )


def _type_map(project: Project, owner: str) -> Iterator[tuple[Node, Node]]:
    view = project.class_named(owner)
    bound = view.fields.get("type_annotation_map") if view is not None else None
    yield from bound.entries() if bound is not None else ()


# -- description -----------------------------------------------------------------------------------------------------


def described(
    project: Project,
    cls: ClassView | None,
    attribute: str,
    calls: Sequence[Node],
    annotation: Annotation | None = None,
) -> Column:
    """A column by what its calls say, the first of which has precedence, and by its annotation."""
    positional = _positional(calls)
    explicit = positional[0].text if positional else None
    type_ = _declared_type(project, cls, calls, annotation)
    types = annotation.types if annotation is not None else ()
    spelled = type_name(type_) or _simple(project, types)
    primary = truth(project, _argument(calls, "primary_key"))
    written = [name for name in sorted(project.models.kinds["default-keywords"]) if _argument(calls, name) is not None]
    return Column(
        name=explicit or text(project, _argument(calls, "name")) or attribute,
        attribute=attribute,
        type=spelled,
        nullable=_nullable(calls, primary, annotation),
        unique=truth(project, _argument(calls, "unique")),
        primary_key=primary,
        length=_length(type_, calls),
        default=bool(written) or any(node.method in ("Computed", "Identity") for node in positional),
        server_default="server_default" in written,
        references=text(project, _argument(calls, "foreign_key")) or _key_target(project, positional),
        on_delete=on_delete(project, _argument([*calls, *positional], "ondelete")),
        few=spelled.lower().startswith(("bool", "enum", "choice")) or enumerated(project, types),
    )


def _declared_type(
    project: Project, cls: ClassView | None, calls: Sequence[Node], annotation: Annotation | None
) -> Node | None:
    """The type that the calls name, else the one that the registry maps the annotation to."""
    named = _argument(calls, "type_") or _argument(calls, "sa_type")
    named = named or next(iter(_types(_positional(calls))), None)
    if named is not None or annotation is None or cls is None:
        return named
    return _mapped_type(project, cls, annotation)


def _positional(calls: Sequence[Node]) -> list[Node]:
    """What the calls are given by position; the first argument of ``Field`` is a default."""
    return [call.to(value).origin for call in calls if call.call and call.method != "Field" for value in call.call.args]


def _key_target(project: Project, positional: Sequence[Node]) -> str:
    keys = [node for node in positional if node.call is not None and node.method == "ForeignKey"]
    return _target(project, keys[0]) if keys else ""


def _target_given(project: Project, calls: Sequence[Node], written: Node) -> str:
    """What a key leads to that a helper makes, at one call of the helper."""
    keys = [node for node in _positional(calls) if node.call is not None and node.method == "ForeignKey"]
    first = keys[0].arg(0, "column") if keys else None
    return text_given(project, first, written) if first is not None else ""


def _argument(calls: Sequence[Node], name: str) -> Node | None:
    """The first call's argument of that name; SQLModel's fields may hold it in ``sa_column_kwargs``."""
    for call in calls:
        found = call.arg(None, name) or entries(call.arg(None, "sa_column_kwargs")).get(name)
        if found is not None:
            return found
    return None


def _nullable(calls: Sequence[Node], primary: bool, annotation: Annotation | None) -> bool:
    given = _argument(calls, "nullable")
    if given is not None and isinstance(given.const, bool):
        return given.const
    if primary:
        return False
    by_call = bool(calls) and calls[0].method == "Column"
    return True if annotation is None or by_call else annotation.optional


def _types(positional: list[Node]) -> Iterator[Node]:
    for node in positional:
        if node.text is None and not (node.call is not None and node.is_call_of("no-column-types")):
            yield node


def type_name(node: Node | None) -> str:
    """``String`` for ``sa.String(50)`` and for ``String``."""
    if node is None:
        return ""
    op = node.origin.op
    if isinstance(op, ops.Import):
        return op.name
    return node.method if node.call is not None else node.spelled.rpartition(".")[2]


def _simple(project: Project, types: tuple[str, ...]) -> str:
    if types and project.class_named(types[0]) is not None and enumerated(project, types):
        return "Enum"
    return types[0].rpartition(".")[2] if types else ""


def _length(type_: Node | None, calls: Sequence[Node]) -> int | None:
    inside = type_.arg(0, "length") if type_ is not None and type_.call is not None else None
    return number(inside) or number(_argument(calls, "max_length"))


def _target(project: Project, key: Node) -> str:
    """``ForeignKey("users.id")``, ``ForeignKey(column="users.id")`` or ``ForeignKey(User.id)``."""
    first = key.arg(0, "column")
    if first is None:
        return ""
    named = text(project, first)
    if named:
        return ".".join(named.split(".")[-2:])
    op = first.origin.op
    if isinstance(op, ops.Attr):
        for cls in project.denoted_classes(first.origin.to(op.base)):
            return f"{cls.name}.{op.name}"
    return first.spelled


def column_indexes(project: Project, made: Column, calls: Sequence[Node]) -> Iterator[Index]:
    """The index that the switches ``index`` and ``unique`` of a column make."""
    unique = truth(project, _argument(calls, "unique"))
    if calls and (unique or truth(project, _argument(calls, "index"))):
        yield columns_index(made.name, unique=unique, place=calls[0].place)
