"""Collections of the server's own in which a value was found before it is used: it is one of what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.project import Code, Node
from backaudit.project.holding import Condition, atoms, same_path
from backaudit.project.operands import same, walk


def found_in(code: Code, held: Iterable[Condition], at: Value, node: Node) -> Iterator[Node]:
    """What ``node`` has been found in whenever ``at`` is reached: by a condition, or because it would have raised."""
    for test, truth in held:
        yield from _asked(code, test, truth, node)
    for value in code.before(at, ops.Item):
        item = code.node(value)
        if _is_key(item, node) and same_path(code, value, at, tried=True):
            yield from _own(item.to(item.op.base))  # type: ignore[union-attr]


def keyed_by_calls(code: Code, at: Value, node: Node) -> Iterator[Node]:
    """Calls that have come back and were given the value, by which the project's function looks something up."""
    for value in code.before(at, ops.Call):
        call = code.node(value)
        given = [argument for argument in call.args() if same(code, argument.value, node.value)]
        if given and same_path(code, value, at, tried=True) and _looks_up(call, given):
            yield call


def _asked(code: Code, test: Value, truth: bool, node: Node) -> Iterator[Node]:
    """The collections in which a condition says that the value is; of ``a or b`` that holds, in either."""
    op = code.ops[code.origin(test)]
    if isinstance(op, ops.Logic):
        for value in op.values:
            for atom, holds in atoms(code, value, truth):
                yield from _asked(code, atom, holds, node)
    elif isinstance(op, ops.Compare):
        yield from _compared(code, op, truth, node)
    elif truth:
        yield from _got(code.node(test).origin, node)


def _compared(code: Code, op: ops.Compare, truth: bool, node: Node) -> Iterator[Node]:
    if op.operator in ("in", "not in"):
        if (op.operator == "in") == truth and same(code, op.left, node.value):
            yield from _own(code.node(op.right))
    elif op.operator in ("is", "is not") and code.node(op.right).is_none and (op.operator == "is not") == truth:
        yield from _got(code.node(op.left).origin, node)


def _got(found: Node, node: Node) -> Iterator[Node]:
    """``TABLE.get(value)`` that gave something."""
    key = found.arg(0) if found.method == "get" else None
    if key is not None and found.receiver is not None and same(found.code, key.value, node.value):
        yield from _own(found.receiver)


def _is_key(item: Node, node: Node) -> bool:
    op = item.op
    return isinstance(op, ops.Item) and same(item.code, op.key, node.value)


def _looks_up(call: Node, given: list[Node]) -> bool:
    project = call.code.project
    for callee in project.callees(call):
        for param in callee.nodes(ops.Param):
            if isinstance(param.op, ops.Param) and project.argument(call, callee, param.op.index) in given:
                items = (item for item in callee.nodes(ops.Item) if _is_key(item, param))
                if any(True for item in items for _ in _own(item.to(item.op.base))):  # type: ignore[union-attr]
                    return True
    return False


def _own(collection: Node) -> Iterator[Node]:
    """The collection, where nothing says that a client sent it."""
    parts = list(walk(collection, _part_of))
    if isinstance(parts[-1].op, (ops.Name, ops.Import, ops.Param)) and not any(map(_is_sent, parts)):
        yield collection


def _is_sent(node: Node) -> bool:
    project = node.code.project
    if isinstance(node.op, ops.Param):
        return client_input(project, node.code, node.op.index) is not None
    return any(name in project.models.sources for name in request_names(project, node))


def _part_of(node: Node) -> tuple[Value, ...]:
    """What a collection is a part of: of ``store.data["rooms"].keys()`` it is ``store`` in the end."""
    op = node.op
    if isinstance(op, (ops.Attr, ops.Item)):
        return (op.base,)
    return (node.receiver.value,) if isinstance(op, ops.Call) and node.receiver is not None else ()
