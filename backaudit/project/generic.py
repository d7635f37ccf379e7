"""Classes that a generic service is about: ``model = User`` in a subclass, or handed to its constructor.

A method of the base that says ``self.model`` means that of whoever calls it. Where its subclasses have several, the
type is an open one, ``each{app.Base.model}``, which no table is of: a call on a receiver whose class is known fills it
in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from backaudit.facts import ops
from backaudit.project.code import ClassView, Node

if TYPE_CHECKING:
    from backaudit.project import Project

_OPEN = re.compile(r"each\{([\w.#]+)\.(\w+)\}")


def supplied(project: Project, base: ClassView, attr: str) -> Iterator[str]:
    """The class (as ``type[X]``) that a base and its subclasses have in an attribute of it; open, if several."""
    below = (base, *project.subclasses(base.name))
    found = {name for cls in below for name in _about(project, base, cls, attr)}
    if len(found) > 1:
        yield f"type[each{{{base.name}.{attr}}}]"
    yield from found if len(found) == 1 else ()


def filled(project: Project, name: str, receiver: ClassView) -> Iterator[str]:
    """A type name for an object of a known class: what is open in it is what that class is about."""
    part = _OPEN.search(name)
    base = project.class_named(part[1]) if part is not None else None
    if part is None or base is None or base is receiver:
        yield name
        return
    own = (project.class_named(owner) for owner in project.lineage(receiver.name))
    each = (list(_about(project, base, cls, part[2])) for cls in own if cls is not None)
    for found in next((found for found in each if found), [f"type[{part[0]}]"]):
        yield name.replace(part[0], found[5:-1])


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
