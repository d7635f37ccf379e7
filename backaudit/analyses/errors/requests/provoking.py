"""What a client does so that an ``except`` gets something to catch."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.requests.wishes import Wish, input_behind, looked_up
from backaudit.backend.access.missing import raising
from backaudit.backend.web.catching import Handler, ancestry, catches
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.code import last_name
from backaudit.project.holding import conditions

_ITEM = ("builtins.KeyError",)


def provoking(project: Project, handler: Handler) -> tuple[Wish, ...]:
    """The first mistake of a client's by which the ``try`` block raises what the handler catches."""
    return next(filter(None, _mistakes(project, handler, handler.tried(), set())), ())


def _mistakes(
    project: Project, handler: Handler, nodes: Iterator[Node], entered: set[Code]
) -> Iterator[tuple[Wish, ...]]:
    """What a client may do wrong, in the order of the run; a function that is called again raises the same."""
    for node in nodes:
        raised, wishes = _raised(project, node)
        if raised and _is_caught(project, handler, node, raised):
            yield tuple(wishes)
        elif isinstance(node.op, ops.Call):
            for code in project.callees(node):
                if code not in entered:
                    entered.add(code)
                    inside = (code.node(value) for value in range(len(code.ops)))
                    yield from _mistakes(project, handler, inside, entered)


def _is_caught(project: Project, handler: Handler, node: Node, raised: tuple[str, ...]) -> bool:
    inner = catches(project, node, raised)
    if inner is not None and inner != handler:
        return False
    caught = {last_name(name) for name in handler.caught}
    return any(not caught.isdisjoint(ancestry(project, name)) for name in raised)


def _raised(project: Project, node: Node) -> tuple[tuple[str, ...], Iterator[Wish]]:
    """What an operation raises on a client's mistake, and the mistake."""
    if isinstance(node.op, ops.Item):
        return _ITEM, _missing(project, node, node.op)
    if not isinstance(node.op, ops.Call) or node.func is None:
        return (), iter(())
    lookups = project.once(_raising)
    if node in lookups:
        return lookups[node], looked_up(project, node, node)
    raises = project.models.raises
    known = next((raises[name] for name in project.names(node.func) if name in raises), ())
    return known[:1], _malformed(project, node)


def _raising(project: Project) -> dict[Node, tuple[str, ...]]:
    return dict(raising(project))


def _missing(project: Project, node: Node, op: ops.Item) -> Iterator[Wish]:
    key = node.to(op.key).text
    place = input_behind(project, node.to(op.base), (key,)) if key is not None else None
    if place is not None and not _is_judged_before(project, node, node.to(op.base)):
        yield Wish("absent", place[0], place[1])


def _is_judged_before(project: Project, node: Node, whole: Node) -> bool:
    """Whether what a function of the project says of the whole has let the request come so far."""
    for test, _ in conditions(node.code, node.value):
        said = node.code.node(test).awaited
        op = said.op
        made = said.to(op.base).awaited if isinstance(op, (ops.Item, ops.Part)) else said
        judged = made.args() if made.call is not None and project.callees(made) else []
        if any(argument.awaited == whole.awaited for argument in judged):
            return True
    return False


def _malformed(project: Project, call: Node) -> Iterator[Wish]:
    argument = call.arg(0)
    place = input_behind(project, argument, untyped=True) if argument is not None else None
    if place is not None:
        yield Wish("malformed", place[0], place[1])
