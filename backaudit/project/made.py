"""What a record holds that is written out: an entry of a mapping, a part of a tuple, a field of an object."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import items, told_of

Key = str | int

_BASES = 4


def read_part(node: Node) -> tuple[Node, Key] | None:
    """The record that a value is read off, and under which name or number."""
    here = node.origin
    op = here.op
    if isinstance(op, ops.Part):
        return here.to(op.base).awaited, op.index
    if isinstance(op, ops.Attr):
        return here.to(op.base).awaited, op.name
    if isinstance(op, ops.Item):
        key = here.to(op.key).const
        return (here.to(op.base).awaited, key) if isinstance(key, (str, int)) else None
    first = here.arg(0) if here.is_call_of("key-reads") else None
    return (here.receiver.awaited, first.text) if here.receiver and first is not None and first.text else None


def held_part(project: Project, node: Node) -> Node | None:
    """What a value is that is read off a record which the same body makes, unless the part is set anew."""
    read = read_part(node)
    if read is None:
        return None
    record, key = read
    return None if _is_set_anew(record, key) else part_of(project, record, key)


def _is_set_anew(record: Node, key: Key) -> bool:
    effects = (record.to(effect).op for effect in record.code.effects.get(record.value, ()))
    return any(
        (isinstance(op, ops.SetItem) and record.to(op.key).const == key)
        or (isinstance(op, ops.SetAttr) and op.name == key)
        for op in effects
    )


def part_of(project: Project, record: Node, key: Key) -> Node | None:
    """What a record that is written out holds under a key, in a place, or in a field."""
    if isinstance(key, int):
        parts = items(record)
        return parts[key] if -len(parts) <= key < len(parts) else None
    written = told_of(record, key)
    if written is not None or record.func is None:
        return written
    for cls in project.denoted_classes(record.func):
        return _field(project, record, cls, key)
    return None


def _field(project: Project, call: Node, cls: ClassView, name: str) -> Node | None:
    """What an object is given for a field: what its constructor keeps, or the argument in the field's place."""
    constructor = project.method(cls.name, "__init__")
    kept = _kept(project, call, constructor, name) if constructor is not None else None
    if kept is not None or constructor is not None:
        return kept or _default(project, cls, name)
    given = call.arg(None, name)
    names = list(_fields(project, cls))
    if given is None and name in names:
        given = call.arg(names.index(name))
    return given or _default(project, cls, name)


def _kept(project: Project, call: Node, constructor: Code, name: str, depth: int = _BASES) -> Node | None:
    """What a constructor stores under a name, or hands to that of its base which does."""
    for _, change in constructor.changes.get(0, ()):
        op = constructor.ops[change]
        if isinstance(op, ops.SetAttr) and op.name == name:
            return _passed(project, call, constructor, constructor.node(op.value))
    for inner in constructor.calls_of("__init__") if depth else ():
        for base in project.callees(inner):
            found = _kept(project, inner, base, name, depth - 1)
            if found is not None:
                return _passed(project, call, constructor, found)
    return None


def _passed(project: Project, call: Node, constructor: Code, value: Node) -> Node | None:
    """A value in a constructor, as this call has it."""
    op = value.origin.op
    if not isinstance(op, ops.Param) or value.code is not constructor:
        return value
    return project.argument(call, constructor, op.index) or project.default(constructor, op.index)


def _fields(project: Project, cls: ClassView) -> Iterator[str]:
    """The fields of a record's class in the order in which it takes them, those of its bases first."""
    views = reversed(project.lineage_views(cls.name))
    return iter(dict.fromkeys(name for view in views for name in view.fields))


def _default(project: Project, cls: ClassView, name: str) -> Node | None:
    for view in project.lineage_views(cls.name):
        if name in view.fields:
            value = view.fields[name].origin
            return None if isinstance(value.op, ops.Opaque) else value
    return None
