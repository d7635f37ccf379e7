"""Where the text of an exception goes: into answers and what they are made of."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.catching import chooses, chosen
from backaudit.backend.web.responses import error_handlers
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.project import Code, Node, Project
from backaudit.project.made import held_part, part_of
from backaudit.project.nodes import operands
from backaudit.project.operands import walk
from backaudit.vocabulary.meaning import meaning

_TEXT_ATTRIBUTES = meaning("failures", "exception-text")


_TRACES = frozenset(("traceback.format_exc", "traceback.format_exception", "traceback.format_tb", "sys.exc_info"))


def exception_text(project: Project, node: Node) -> Node | None:
    """The caught exception (or the call that formats the current one) whose text is in a value, None if there is none.

    A parameter of a function that answers exceptions nobody else caught counts as caught.
    """
    return _text(project, node, set())


def _text(project: Project, node: Node, seen: set[Node]) -> Node | None:
    node = node.origin
    if node in seen:
        return None
    seen.add(node)
    op = node.op
    if isinstance(op, ops.Caught):
        return node
    if isinstance(op, ops.Call):
        return _text_of_call(project, node, seen)
    held = held_part(project, node)
    parts = [held] if held is not None else map(node.to, (*_text_parts(node), *_put_in(node)))
    for part in parts:
        found = _text(project, part, seen)
        if found is not None:
            return found
    return node if isinstance(op, ops.Param) and _is_unhandled_exception(project, node, op) else None


def _text_parts(node: Node) -> tuple[Value, ...]:
    op = node.op
    if isinstance(op, ops.Attr):
        return (op.base,) if op.name == "__dict__" or _TEXT_ATTRIBUTES.holds(op.name) else ()
    if isinstance(op, ops.Item):
        return (op.base,)
    if isinstance(op, ops.Choice):
        return () if chooses(node.to(op.test)) else (op.then, op.other)
    if isinstance(op, ops.Phi):
        return tuple(value for value in op.values if not chosen(node.to(value)))
    if isinstance(op, (ops.Format, ops.Build, ops.Bin, ops.Logic, ops.Await, ops.Comp, ops.Element, ops.Part)):
        return tuple(value for value in operands(op) if value != NONE)
    return ()


def _put_in(node: Node) -> Iterator[Value]:
    """What is put into a display after it was made, where no one chooses."""
    for effect in node.code.effects.get(node.value, ()) if isinstance(node.op, ops.Build) else ():
        op = node.code.ops[effect]
        if isinstance(op, ops.SetItem) and not chosen(node.code.node(effect)):
            yield op.value
        elif isinstance(op, ops.Call) and node.code.node(effect).method in ("append", "update", "setdefault"):
            yield from (*op.args, *(value for _, value in op.keywords))


def _text_of_call(project: Project, call: Node, seen: set[Node]) -> Node | None:
    func = call.func
    assert func is not None
    if not _TRACES.isdisjoint(project.names(func)):
        return call
    parts = (_text(project, part, seen) for part in _parts_of_call(project, call, func))
    return next((found for found in parts if found is not None), None)


def _parts_of_call(project: Project, call: Node, func: Node) -> list[Node]:
    """What of its receiver and arguments the text of a call is made of."""
    if call.is_call_of("tells-an-error") or any(True for _ in project.denoted_classes(func)):
        return [*call.args(), *([call.receiver] if call.receiver is not None else [])]
    if _is_response(project, func):
        return call.args()
    return [argument for code in project.callees(call)[:2] for argument in _arguments_in_result(project, call, code)]


def _is_response(project: Project, func: Node) -> bool:
    return any(name in project.models.responses for name in project.names(func))


def _arguments_in_result(project: Project, call: Node, code: Code) -> Iterator[Node]:
    """The arguments of a call whose text is in what the function returns, and what its object was made with."""
    for result in code.returned():
        for part in _parts_in(project, result):
            if isinstance(part.op, ops.Param):
                yield from _given(project, call, code, part.op.index)
            elif isinstance(part.op, ops.Attr):
                read = part.to(part.op.base).origin.op
                made = _given(project, call, code, read.index) if isinstance(read, ops.Param) else ()
                kept = (part_of(project, record.awaited, part.op.name) for record in made)
                yield from (value for value in kept if value is not None)


def _given(project: Project, call: Node, code: Code, index: int) -> Iterator[Node]:
    """What a call gives a function's parameter, its object for the first."""
    given = project.argument(call, code, index)
    given = call.receiver if given is None and index == 0 and code.cls is not None else given
    if given is not None:
        yield given


def _parts_in(project: Project, node: Node) -> Iterator[Node]:
    def parts(here: Node) -> tuple[Value, ...]:
        if not isinstance(here.op, ops.Call):
            return _text_parts(here)
        tells = here.is_call_of("tells-an-error") or (here.func is not None and _is_response(project, here.func))
        return tuple(part.value for part in (*here.args(), here.receiver) if part is not None) if tells else ()

    return walk(node, parts)


def _is_unhandled_exception(project: Project, node: Node, op: ops.Param) -> bool:
    for code, caught in project.once(error_handlers):
        if code is node.code and not any(name.isdigit() for name in caught):
            # Called with the exception alone or with the request before it: it is the last one.
            positional = [p for p in code.function.params if p.kind not in ("star", "dstar", "keyword")]
            return bool(positional) and positional[-1].name == op.name
    return False
