"""What a project keeps on its application, or on what a request carries: put there by one function, read by others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from backaudit.facts import ops
from backaudit.project.code import Code
from backaudit.project.nodes import Node
from backaudit.project.types import split

if TYPE_CHECKING:
    from backaudit.project import Project

_LEFT_OUT = ("test", "example")


def shared_values(project: Project, node: Node) -> Iterator[Node]:
    """All that is put where ``app.state.client``, ``current_app.extensions["mailer"]`` or ``app["pool"]`` is read."""
    op = node.op
    if isinstance(op, ops.Attr):
        base, name = node.to(op.base), op.name
    elif isinstance(op, ops.Item):
        base, name = node.to(op.base), node.to(op.key).text or ""
    else:
        return
    if name and _is_shared(project, base):
        for code in _speaking(project, op, name, base):
            yield from (value for over, value in _stores(code, op, name) if _is_shared(project, over, open_=True))


def _is_shared(project: Project, node: Node, open_: bool = False) -> bool:
    """Whether a value is such a place. ``open_``: where nothing is known of it, its last name is enough to fill it."""
    known = project.models.kinds["shared-state"]
    if any((over if head == "ext" else head) in known for head, over in map(split, project.types(node))):
        return True
    op = node.origin.op
    if not isinstance(op, ops.Attr) or op.name not in project.once(_last_names):
        return False
    names = project.names(node.origin)
    return not known.isdisjoint(names) or (open_ and all(name.startswith("*.") for name in names))


def _last_names(project: Project) -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name in project.models.kinds["shared-state"])


def _speaking(project: Project, op: ops.AnyOp, name: str, base: Node) -> list[Code]:
    """The bodies in which something may be put there."""
    of = base.origin.op
    said = name if isinstance(op, ops.Attr) else of.name if isinstance(of, ops.Attr) else ""
    codes = project.mentioning(said) if said else [file.top for file in project.files.values()]
    return [code for code in dict.fromkeys(codes) if code.file.role not in _LEFT_OUT]


def _stores(code: Code, read: ops.AnyOp, name: str) -> Iterator[tuple[Node, Node]]:
    """(where to, what) of the stores of that name in one body."""
    if isinstance(read, ops.Attr):
        for store in code.nodes(ops.SetAttr):
            if isinstance(store.op, ops.SetAttr) and store.op.name == name:
                yield store.to(store.op.base), store.to(store.op.value)
        return
    for store in code.nodes(ops.SetItem):
        if isinstance(store.op, ops.SetItem) and store.to(store.op.key).text == name:
            yield store.to(store.op.base), store.to(store.op.value)
