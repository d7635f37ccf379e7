"""Fields whose type is their first argument: ``Required(str)``, ``Required("Author")``, ``Set(lambda: Post)``."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.schema.tables import columns_index
from backaudit.facts import ops
from backaudit.models import OrmModel
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import field_calls, text
from backaudit.sql import Index


def type_name(call: Node) -> str:
    """The last name of the type of a field, as the code spells it."""
    first = call.arg(0)
    return first.spelled.rpartition(".")[2] if first is not None else ""


def is_enumeration(project: Project, call: Node) -> bool:
    """Whether a field holds truth values or members of an enumeration."""
    first = call.arg(0)
    named = project.types(first) if first is not None else ()
    inner = [name.removeprefix("type[").removeprefix("ext[").removesuffix("]") for name in named]
    return any(name == "builtins.bool" or project.inherits(name, "enum.Enum") for name in inner)


def target(project: Project, orm: OrmModel, call: Node) -> str:
    """The model that a field leads to: a class, its name, or what a function without parameters gives."""
    first = call.arg(0)
    if first is None:
        return ""
    if first.text:
        return first.text
    op = first.origin.op
    if isinstance(op, ops.Def):
        inner = first.origin.code.file.code(op.function)
        given = [inner.node(found.value) for found in inner.ops if isinstance(found, ops.Return)]
        return next((_model(project, orm, node) for node in given), "")
    return _model(project, orm, first)


def _model(project: Project, orm: OrmModel, node: Node) -> str:
    named = (cls.name for cls in project.denoted_classes(node) if project.inherits(cls.name, *orm.models))
    return next(named, "")


def answering(project: Project, orm: OrmModel, cls: ClassView, name: str, call: Node) -> tuple[str, Node] | None:
    """The field at the other side of a relation: the one that is named, else the one that leads back here."""
    other = _class_of(project, orm, target(project, orm, call))
    named = text(project, call.arg(None, "reverse"))
    for _, attribute, bind in field_calls(project, other) if other is not None else ():
        back = bind.origin
        if other == cls and attribute == name:
            continue
        if attribute == named or (not named and _leads_to(project, orm, back, cls, name)):
            return attribute, back
    return None


def holds_the_key(project: Project, orm: OrmModel, mine: tuple[ClassView, Node], answer: Node) -> bool:
    """Whether this side of one to one has the key: that which has to be there, or names the column, else the first."""
    cls, call = mine
    optional = [field.method in orm.optional for field in (call, answer)]
    if optional[0] is not optional[1]:
        return not optional[0]
    named = [field.arg(None, "column") is not None for field in (call, answer)]
    if named[0] is not named[1]:
        return named[0]
    other = answer.code.function.name
    return cls.cls.name < other


def _leads_to(project: Project, orm: OrmModel, call: Node, cls: ClassView, name: str) -> bool:
    if not call.method.endswith(orm.fields):
        return False
    said = text(project, call.arg(None, "reverse"))
    return _is(target(project, orm, call), cls) and said in ("", name)


def _is(written: str, cls: ClassView) -> bool:
    return written in (cls.name, cls.cls.name)


def _class_of(project: Project, orm: OrmModel, written: str) -> ClassView | None:
    models = (cls for base in orm.models for cls in project.subclasses(base))
    return next((cls for cls in models if _is(written, cls)), None)


def statements(project: Project, cls: ClassView, columns: dict[str, str]) -> Iterator[Index]:
    """The indexes that the body of a class makes by calls alone: ``composite_key(a, b)``."""
    bound = {bind.origin for bind in cls.fields.values()}
    for node in (call for call in cls.body.nodes(ops.Call) if call not in bound):
        unique, plain = node.is_call_of("unique-groups"), node.is_call_of("index-groups")
        primary = node.is_call_of("primary-groups")
        if unique or plain or primary:
            named = [columns.get(name, name) for name in map(_field_name, node.args()) if name]
            yield columns_index(*named, unique=unique or primary, primary=primary, place=node.place)


def _field_name(node: Node) -> str:
    """The name of the field that a value of a class body is."""
    op = node.op
    return op.name if isinstance(op, (ops.Bind, ops.Name)) else node.text or ""
