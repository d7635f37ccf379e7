"""Functions and classes that are looked up by a name and called."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.sinks import Sink
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.types import split

_NAMESPACES = ("builtins.globals", "builtins.locals", "builtins.vars")


def called_by_name(project: Project) -> Iterator[Sink]:
    """Calls of what was looked up in a module or an object, with the name that was asked for."""
    for looked, name in _looked_up(project):
        if project.role(looked.code.path) in ("production", "script"):
            yield from (Sink(call, name, "looked-up", does=looked) for call in _calls_of(looked))


def _looked_up(project: Project) -> Iterator[tuple[Node, Node]]:
    for call in project.calls("builtins.getattr"):
        name = call.arg(1)
        if name is not None:
            yield call, name
    for namespace in _NAMESPACES:
        for made in project.calls(namespace):
            yield from _of_namespace(made)
    for code in project.mentioning("__dict__"):
        for node in code.nodes(ops.Attr):
            if (
                isinstance(node.op, ops.Attr)
                and node.op.name == "__dict__"
                and is_module(project, node.to(node.op.base))
            ):
                yield from _of_namespace(node)


def _of_namespace(made: Node) -> Iterator[tuple[Node, Node]]:
    """``globals()[name]`` and ``globals().get(name)``."""
    code = made.code
    for item in code.nodes(ops.Item):
        if isinstance(item.op, ops.Item) and code.origin(item.op.base) == made.value:
            yield item, item.to(item.op.key)
    for call in code.calls_of("get"):
        receiver, first = call.receiver, call.arg(0)
        if first is not None and receiver is not None and receiver.origin is made:
            yield call, first


def _calls_of(looked: Node) -> Iterator[Node]:
    code = looked.code
    for call in code.nodes(ops.Call):
        op = call.op
        if isinstance(op, ops.Call) and code.origin(op.func) == looked.value:
            yield call


def is_module(project: Project, node: Node) -> bool:
    """Whether a value is a module, of the project or of a library that is imported as a whole."""
    made = project.resolved(node)
    whole = isinstance(made.op, ops.Import) and not made.op.name
    return whole or any(split(name)[0] == "module" for name in project.types(node))
