"""Classes that a generic service is about: ``model = User`` in a subclass, or handed to its constructor.

A method of the base that says ``self.model`` means that of whoever calls it: all that its subclasses have, as long as
these are few. Where the receiver of a call is known, what only its siblings are about is left out again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from backaudit.facts import ops
from backaudit.project.code import ClassView, Code, Node

if TYPE_CHECKING:
    from backaudit.project import Project

_MANY = 24


def supplied(project: Project, base: ClassView, attr: str) -> Iterator[str]:
    """The classes (as ``type[X]``) that ``base`` and its subclasses have in an attribute of ``base``."""
    below = list(project.subclasses(base.name))
    if len(below) <= _MANY:
        for cls in (base, *below):
            yield from _about(project, base, cls, attr)


def of_siblings(project: Project, code: Code, receiver: ClassView) -> frozenset[str]:
    """The classes that siblings of the receiver's class put into what it fills with others itself."""
    base = code.cls
    if base is None or base.name == receiver.name:
        return frozenset()
    own: set[str] = set()
    others: set[str] = set()
    for attr in (*receiver.fields, *base.assigned):
        mine = set(_about(project, base, receiver, attr))
        if mine:
            own |= mine
            others |= set(supplied(project, base, attr))
    return frozenset(name[5:-1] for name in others - own)


def _about(project: Project, base: ClassView, cls: ClassView, attr: str) -> Iterator[str]:
    """The classes that one class of those below ``base`` has in the attribute."""
    if attr in cls.fields and cls is not base:
        yield from _classes(project, cls.fields[attr])
        return
    for store in base.assigned.get(attr, ()):
        op = store.op
        kept = store.to(op.value).origin if isinstance(op, ops.SetAttr) else None
        if kept is not None and isinstance(kept.op, ops.Param) and kept.code.function.name == "__init__":
            for call in _constructions(project, base, cls):
                given = call.arg(kept.op.index - 1, kept.op.name)
                yield from _classes(project, given) if given is not None else ()


def _constructions(project: Project, base: ClassView, cls: ClassView) -> Iterator[Node]:
    """The calls that reach the constructor of ``base`` for objects of ``cls``."""
    init = cls.methods.get("__init__") if cls is not base else None
    if init is not None:
        yield from (call for call in init.nodes(ops.Call) if call.method == "__init__")
    else:
        yield from (call for call in project.calls_of(cls.cls.name) if call.code.file.role not in ("test", "example"))


def _classes(project: Project, node: Node) -> list[str]:
    return [name for name in project.types(node) if name.startswith("type[")]
