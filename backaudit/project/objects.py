"""Objects whose class no name says: made by a class that is kept in a table, looked up by name, or handed in.

Only where the types say nothing. What cannot be followed at all (a plugin that is loaded by a name nobody knows) may be
any class of one family: those that share a base which has the method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from backaudit.facts import ops
from backaudit.project.classes import ClassView
from backaudit.project.code import Code
from backaudit.project.nodes import Node
from backaudit.project.types import split

if TYPE_CHECKING:
    from backaudit.project import Project

# The values that a value may be, one step back.
Behind = Callable[[Node], Iterable[Node]]

_MANY = 12
_FAMILY = 8


def methods_reached(project: Project, func: Node, behind: Behind) -> list[Code]:
    """The methods that ``receiver.name`` may be, by the classes of which the receiver may be an object."""
    op = func.origin.op
    if not isinstance(op, ops.Attr):
        return []
    receiver = func.origin.to(op.base)
    classes = dict.fromkeys(_Makers(project, behind, op.name).objects(receiver))
    found = dict.fromkeys(code for cls in classes if (code := project.method(cls.name, op.name)) is not None)
    if len(found) > _MANY:
        project.not_asked(func.place, f"which of {len(found)} methods `{op.name}` this runs.")
        return []
    return list(found)


class _Makers:
    """Goes back from an object to the classes that may have made it. ``name``: the method that is asked of it."""

    def __init__(self, project: Project, behind: Behind, name: str) -> None:
        self.project = project
        self.behind = behind
        self.name = name
        self._seen: set[Node] = set()
        self._seen_classes: set[Node] = set()

    def objects(self, node: Node) -> Iterator[ClassView]:
        """The classes of which a value may be an object."""
        node = node.origin
        if node in self._seen:
            return
        self._seen.add(node)
        known = list(self.project.instances(node))
        yield from known
        if known:
            return
        func = node.func if isinstance(node.op, ops.Call) else None
        made = list(self.classes(func)) if func is not None else []
        yield from made
        for value in () if made else (*self.behind(node), *_carried(self.project, node)):
            yield from self.objects(value)

    def classes(self, node: Node) -> Iterator[ClassView]:
        """The classes that a value may itself be."""
        node = node.origin
        if node in self._seen_classes:
            return
        self._seen_classes.add(node)
        known = list(self.project.denoted_classes(node))
        yield from known
        if known:
            return
        yield from self._looked_up(node)
        yield from self._below(node)
        for value in self.behind(node):
            yield from self.classes(value)

    def _looked_up(self, call: Node) -> Iterator[ClassView]:
        """``getattr(module, name)``: the classes of that module that have the method."""
        owner = call.arg(0) if isinstance(call.op, ops.Call) and call.method == "getattr" else None
        if owner is None or call.receiver is not None:
            return
        modules = [split(name)[1] for name in self.project.types(owner) if name.startswith("module[")]
        modules += [call.code.file.module] if _is_own_module(owner) else []
        for cls in self.project.classes() if modules else ():
            if cls.file.module in modules and self.name in cls.methods:
                yield cls

    def _below(self, node: Node) -> Iterator[ClassView]:
        """An element of ``Base.__subclasses__()``."""
        op = node.op
        call = node.to(op.base).origin if isinstance(op, (ops.Element, ops.Item, ops.Part)) else None
        if call is None or call.method != "__subclasses__" or call.receiver is None:
            return
        for base in self.project.denoted_classes(call.receiver):
            yield from self.project.subclasses(base.name)


def _carried(project: Project, node: Node) -> Iterator[Node]:
    """What any body puts under the same name on what a request carries (``g.client = Client()``)."""
    op = node.op
    if not isinstance(op, ops.Attr) or not is_carried(project, node):
        return
    for code in dict.fromkeys(project.mentioning(op.name)):
        for store in code.nodes(ops.SetAttr) if code.file.role not in ("test", "example") else ():
            put = store.op
            if isinstance(put, ops.SetAttr) and put.name == op.name and _carries(project, store.to(put.base)):
                yield store.to(put.value)


def is_carried(project: Project, node: Node) -> bool:
    """Whether a value is read off what a request carries."""
    op = node.op
    return isinstance(op, ops.Attr) and _carries(project, node.to(op.base))


def _carries(project: Project, node: Node) -> bool:
    return not project.models.kinds["carriers"].isdisjoint(project.names(node))


def _is_own_module(node: Node) -> bool:
    """``sys.modules[__name__]``."""
    op = node.origin.op
    return isinstance(op, ops.Item) and node.origin.to(op.key).spelled == "__name__"


def family_methods(project: Project, owners: list[Code]) -> list[Code]:
    """All methods of one name in a project, where they are of one family: of classes below one that has it too."""
    if not 1 < len(owners) <= _FAMILY:
        return []
    lineages = [project.lineage(code.cls.name) if code.cls is not None else () for code in owners]
    shared = set(lineages[0]).intersection(*lineages[1:])
    heads = (project.class_named(base) for base in shared)
    name = owners[0].function.name
    return owners if any(head is not None and name in head.methods for head in heads) else []
