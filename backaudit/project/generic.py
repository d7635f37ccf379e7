"""Classes that a generic service is about: ``model = User`` in a subclass, or handed to its constructor.

A method of the base that says ``self.model`` means that of whoever calls it. Where its subclasses have several, the
type is an open one, ``each{app.Base.model}``, which no table is of: a call on a receiver whose class is known fills it
in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project.classes import ClassView
from backaudit.project.nodes import Node

if TYPE_CHECKING:
    from backaudit.project import Project

_OPEN = re.compile(r"each\{([\w.#]+)\.(\w+)\}")


def supplied(project: Project, base: ClassView, attr: str) -> Iterator[str]:
    """The class (as ``type[X]``) that a base and its subclasses have in an attribute of it; open, if several."""
    service = _service(base, attr)
    below = (base, *project.subclasses(base.name))
    found = {name for cls in below for name in _about(project, service, cls)}
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
    service = _service(base, part[2])
    own = project.lineage_views(receiver.name)
    each = (list(_about(project, service, cls)) for cls in own)
    for found in next((found for found in each if found), [f"type[{part[0]}]"]):
        yield name.replace(part[0], found[5:-1])


def is_open(name: str) -> bool:
    """Whether a type is that of a service's model, or over it, which a call on a receiver of a known class fills in."""
    return "each{" in name


def shared_bases(project: Project, name: str) -> tuple[str, ...]:
    """What all the classes inherit that an open type may be, nearest first; nothing of any other name."""
    classes = [given[5:-1] for given in _each(project, f"type[{name}]")] if is_open(name) else []
    above = [project.lineage(cls) for cls in classes]
    return tuple(base for base in above[0] if all(base in other for other in above[1:])) if above else ()


def made_through(project: Project, cls: ClassView) -> tuple[Node, ...]:
    """The calls that make an object of a class by its name, or by an attribute that holds it (``self.model()``)."""
    named = [call for call in project.calls_of(cls.cls.name) if call.func is not None and _denotes(project, call, cls)]
    return tuple(dict.fromkeys([*named, *project.once(_by_attribute).get(cls.name, ())]))


def _denotes(project: Project, call: Node, cls: ClassView) -> bool:
    return call.func is not None and f"type[{cls.name}]" in project.types(call.func)


def _by_attribute(project: Project) -> dict[str, list[Node]]:
    """The calls of attributes that hold classes, by each class that they may hold."""
    table: dict[str, list[Node]] = {}
    serving = (cls for cls in project.classes() if cls.file.role not in ("test", "example"))
    for attr in sorted({attr for cls in serving for attr in (*cls.fields, *cls.assigned)}):
        for call in project.calls_of(attr):
            for name in project.types(call.func) if call.func is not None and call.receiver is not None else ():
                for made in _each(project, name) if name.startswith("type[") else ():
                    table.setdefault(made[5:-1], []).append(call)
    return table


def _each(project: Project, name: str) -> Iterator[str]:
    """The classes that an open type may be; any other is itself."""
    part = _OPEN.search(name)
    base = project.class_named(part[1]) if part is not None else None
    if part is None or base is None:
        yield name
        return
    service = _service(base, part[2])
    for cls in project.subclasses(base.name):
        yield from _about(project, service, cls)


class _Service(NamedTuple):
    """What the class ``base`` says of an attribute, for all that extend it.

    ``variables``: the places among its brackets of the type variables that it is declared with; ``handed``: the
    parameters of its constructor that it keeps there.
    """

    base: ClassView
    attr: str
    variables: list[int]
    handed: list[ops.Param]


def _service(base: ClassView, attr: str) -> _Service:
    declared = [base.fields[attr]] if attr in base.fields else base.assigned.get(attr, ())
    spelled = {name for node in declared for name in _variables(node)}
    order = [name for node in base.bases for name in _spelled_in(node)] if spelled else []
    places = sorted(order.index(name) for name in spelled if name in order) or [0] * bool(spelled)
    return _Service(base, attr, places, list(_kept_of_constructor(base.assigned.get(attr, ()))))


def _kept_of_constructor(stores: Iterable[Node]) -> Iterator[ops.Param]:
    for store in stores:
        op = store.op
        kept = store.to(op.value).origin if isinstance(op, ops.SetAttr) else None
        if kept is not None and isinstance(kept.op, ops.Param) and kept.code.function.name == "__init__":
            yield kept.op


def _about(project: Project, service: _Service, cls: ClassView) -> Iterator[str]:
    """The classes that one class of those below a base has in the attribute."""
    base, attr = service.base, service.attr
    if attr in cls.fields and cls is not base:
        yield from _classes(project, cls.fields[attr])
        return
    given = list(_subscribed(project, service, cls)) if service.variables else []
    if given:
        yield from given
        return
    for param in service.handed:
        for call in _constructions(project, base, cls):
            handed = call.arg(param.index - 1, param.name)
            yield from _classes(project, handed) if handed is not None else ()


def _subscribed(project: Project, service: _Service, cls: ClassView) -> Iterator[str]:
    """The classes in the brackets of ``class Users(Repository[User])``, where the attribute is of that variable."""
    for node in cls.bases:
        op = node.origin.op
        if isinstance(op, ops.Item) and service.base in project.denoted_classes(node.origin.to(op.base)):
            inside = list(_keys(node.origin, op))
            for place in service.variables:
                yield from _classes(project, inside[place]) if place < len(inside) else ()


def _variables(declared: Node) -> Iterator[str]:
    """The names in the brackets of an annotation (``model: type[T]``)."""
    op = declared.op
    annotation = op.annotation if isinstance(op, (ops.Bind, ops.SetAttr)) else NONE
    if annotation != NONE:
        yield from _spelled_in(declared.to(annotation))


def _spelled_in(node: Node) -> list[str]:
    op = node.origin.op
    return [key.spelled for key in _keys(node.origin, op)] if isinstance(op, ops.Item) else []


def _keys(node: Node, op: ops.Item) -> Iterator[Node]:
    key = node.to(op.key).origin
    yield from [key.to(item) for item in key.op.items] if isinstance(key.op, ops.Build) else [node.to(op.key)]


def _constructions(project: Project, base: ClassView, cls: ClassView) -> Iterator[Node]:
    """The calls that reach the constructor of ``base`` for objects of ``cls``."""
    init = cls.methods.get("__init__") if cls is not base else None
    if init is not None:
        yield from (call for call in init.nodes(ops.Call) if call.method == "__init__")
    else:
        yield from (call for call in project.calls_of(cls.cls.name) if call.code.file.role not in ("test", "example"))


def _classes(project: Project, node: Node) -> list[str]:
    return [name for name in project.types(node) if name.startswith("type[")]
