"""Answers that are kept: what is asked once for each key, or by a function that remembers what it gave."""

from __future__ import annotations

from backaudit.facts import ops
from backaudit.project import Code, Node, Project

_LOOKS = frozenset({"get", "__contains__"})


def is_kept(project: Project, code: Code) -> bool:
    """Whether a function remembers what it gave: its decorator is a cache."""
    caches = project.models.kinds["remembering-decorators"]
    return any(
        not caches.isdisjoint(project.names(decorator.func if decorator.func is not None else decorator))
        for decorator in code.decorators
    )


def is_asked_once(node: Node) -> bool:
    """Whether a call stands where its container has no such key yet, and what it gives is put there."""
    code = node.code
    for region in code.regions_of(node.value):
        if region.kind not in ("then", "else") or region.test == ops.NONE:
            continue
        held = _container(code.node(region.test))
        if held is not None and any(_puts(code, value, held) for value in range(region.first, region.last)):
            return True
    return False


def _container(test: Node) -> str | None:
    """What a test looks into: ``key not in known``, ``known.get(key) is None``, or a name bound to that before."""
    test = test.origin
    if isinstance(test.op, ops.Unary):
        return _container(test.to(test.op.value))
    if isinstance(test.op, ops.Compare):
        inside = "in" in test.op.operator.split()
        looked = test.to(test.op.right if inside else test.op.left)
        return _name(looked) if inside else _container(looked)
    if test.call is not None and test.method in _LOOKS and test.receiver is not None:
        return _name(test.receiver)
    return None


def _name(node: Node) -> str:
    """How the code calls a container."""
    return node.spelled or node.origin.spelled


def _puts(code: Code, value: int, held: str) -> bool:
    op = code.ops[value]
    return isinstance(op, ops.SetItem) and bool(held) and _name(code.node(op.base)) == held
