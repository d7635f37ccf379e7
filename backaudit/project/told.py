"""What a project has told its libraries: functions that it registered, classes that its settings name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from backaudit.facts import ops
from backaudit.project.classes import ClassView
from backaudit.project.code import Code
from backaudit.project.nodes import Node

if TYPE_CHECKING:
    from backaudit.project import Project

_TRIALS = ("test", "example")


def registered(project: Project, name: str) -> Iterator[Code]:
    """The functions that stand under a library's decorator ``name``, or that it is called with."""
    last = name.rpartition(".")[2]
    for code in dict.fromkeys(project.mentioning(last)):
        for node in code.nodes(ops.Attr) if code.file.role not in _TRIALS else ():
            called = isinstance(node.op, ops.Attr) and node.op.name == last
            if called and not {name, f"*.{last}"}.isdisjoint(project.names(node)):
                yield from _taken(project, node)


def _taken(project: Project, decorator: Node) -> Iterator[Code]:
    """What a decorator decorates in the body where it is spelled, and what it is called with there."""
    body = decorator.code
    for index, function in enumerate(body.file.facts.functions):
        if function.parent == body.index and decorator.value in function.decorators:
            yield body.file.code(index)
    for call in body.nodes(ops.Call):
        first = call.arg(0) if call.func == decorator else None
        for name in project.types(first) if first is not None else ():
            found = project.function_named(name[4:-1]) if name.startswith("def[") else None
            yield from [found] if found is not None else []


def bound(project: Project, names: list[str], wanted: frozenset[str]) -> Iterator[Node]:
    """What the project gave a container for one of the classes ``wanted``: a class, a factory, or an object."""
    for call in project.calls(*names):
        args = call.args() if call.code.file.role not in _TRIALS else []
        for at, argument in enumerate(args):
            if not wanted.isdisjoint(project.types(argument)):
                yield from args[at + 1 :]
                break
    containers = {name.rpartition(".")[0] for name in names if name.endswith(".__setitem__")}
    for code in project.once(_filling) if containers else ():
        yield from _put_into(project, code, containers, wanted)


def _put_into(project: Project, code: Code, containers: set[str], wanted: frozenset[str]) -> Iterator[Node]:
    """``container[Wanted] = value``."""
    for node in code.nodes(ops.SetItem):
        op = node.op
        asked = isinstance(op, ops.SetItem) and not wanted.isdisjoint(project.types(node.to(op.key)))
        if asked and isinstance(op, ops.SetItem) and not containers.isdisjoint(project.types(node.to(op.base))):
            yield node.to(op.value)


def _filling(project: Project) -> list[Code]:
    """The bodies of code that serves which set items of mappings."""
    files = [file for file in project.files.values() if file.role not in _TRIALS]
    codes = [code for file in files for code in file.bodies]
    return [code for code in codes if any(True for _ in code.nodes(ops.SetItem))]


def implementing(project: Project, name: str) -> Iterator[Code]:
    """The methods of the project's classes that stand in the place of a library's (``Base.authenticate``)."""
    base, _, method = name.rpartition(".")
    for cls in project.subclasses(base):
        if method in cls.methods and cls.file.role not in _TRIALS:
            yield cls.methods[method]


def set_classes(project: Project, setting: str) -> Iterator[ClassView]:
    """The classes that the settings of the project name by a text (``"shop.Customer"``)."""
    for text in dict.fromkeys(project.all_of(_set_texts, setting)):
        yield from spelled_classes(project, text)


def _set_texts(project: Project, setting: str) -> Iterator[str]:
    """The texts that modules, or classes in them, give to a setting's name."""
    for file in project.files.values():
        bodies = [file.top, *(cls.body for cls in file.classes())] if file.role not in _TRIALS else []
        for body in bodies:
            value = body.body.final.get(setting)
            text = body.node(value).text if value is not None else None
            yield from [text] if text else []


def spelled_classes(project: Project, spelled: str) -> list[ClassView]:
    """The classes that a text names; of several, those whose folder is named before it."""
    label, _, name = spelled.rpartition(".")
    found = project.classes_called(name) if name else []
    near = [cls for cls in found if label and label in cls.file.path.split("/")]
    return near or found[:1]
