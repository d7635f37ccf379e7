"""Arguments that must not be None: what a call runs reads an attribute of them, or hands them on, in every run."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.access.missing import asked
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.project import Code, Node, Project


class Need(msgspec.Struct, frozen=True):
    """A value that a call is given and that must not be None, and the operation that fails if it is."""

    given: Node
    use: Node


def needs(project: Project, call: Node) -> Iterator[Need]:
    """What a call is given that a library refuses if it is None, or without which all that it may run fails."""
    yield from _by_library(project, call)
    called = project.callees(call)
    for given in (*call.args(), *call.keywords().values()) if called else ():
        uses = [project.solved(_use, code, _index(project, call, code, given)) for code in called]
        if all(uses):
            yield Need(given, uses[0][0])


def _by_library(project: Project, call: Node) -> Iterator[Need]:
    """The first, or the second, that a library's function is given and refuses if it is None."""
    names = project.names(call.func) if call.func is not None else ()
    kinds = project.models.kinds
    given = (
        (call.arg(0), kinds["needs-row"] | kinds["refuses-none"]),
        (call.arg(1, "password"), kinds["refuses-none-second"]),
        (call.arg(1, "string"), kinds["refuses-no-text"]),
    )
    yield from (Need(value, call) for value, known in given if value is not None and not known.isdisjoint(names))


def _index(project: Project, call: Node, code: Code, given: Node) -> int:
    """Which parameter of a function a call hands a value to; -1 if none."""
    for index, param in enumerate(code.function.params):
        if param.kind in ("normal", "keyword") and project.argument(call, code, index) == given:
            return index
    return -1


def _use(project: Project, code: Code, index: int) -> Iterator[Node]:
    """What fails in every run of a function if this parameter is None, at most one operation."""
    for value, op in enumerate(code.ops):
        for need in _needs_of(project, code.node(value), op):
            own = need.given.origin.op
            mine = isinstance(own, ops.Param) and own.index == index
            if mine and _is_always_run(code, value) and not asked(code, need.given.origin.value, value):
                yield need.use
                return


def _needs_of(project: Project, node: Node, op: ops.Op) -> Iterator[Need]:
    if isinstance(op, (ops.Attr, ops.Item, ops.SetAttr)):
        yield Need(node.to(op.base), node)
    elif isinstance(op, ops.Call):
        yield from needs(project, node)


def _is_always_run(code: Code, value: Value) -> bool:
    return all(region.kind == "with" for region in code.regions_of(value))
