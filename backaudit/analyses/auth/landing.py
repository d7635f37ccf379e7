"""Where a value goes, forwards: what it becomes part of, and whether it is kept, compared or handed out in the end."""

from __future__ import annotations

import re
import sys

from backaudit.backend.access.tables import touched_table
from backaudit.evidence import doubt
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.project import Code, Node, Project
from backaudit.rule import KNOWN, Assumed, assume
from backaudit.vocabulary.meaning import meaning

_SECRET = meaning("tokens", "secret-value")
_INNOCENT = meaning("tokens", "no-secret")
_DEPTH = 3
_NOWHERE = assume("purpose", "it lets somebody in, though here it is neither kept, compared nor handed out")
_KEPT = assume("word", "what it is made by says that it lets somebody in")


def use_of(project: Project, code: Code, seen: set[Value], depth: int = 0) -> Assumed:
    """What is supposed where a value is taken for one that lets somebody in; nothing, where its use shows as much."""
    if code.function.kind != "function" or _is_compared(code, seen) or _is_used_within(code, seen):
        return KNOWN
    found = [_kept(project, code.node(value)) for value in sorted(seen)]
    found += [_taken(project, call, seen, depth) for call in code.nodes(ops.Call)]
    if any(isinstance(code.ops[value], ops.Return) for value in seen):
        found.append(_given_back(project, code, depth))
    return min(found, key=doubt, default=_NOWHERE)


def is_secret_name(name: str) -> bool:
    """Whether a name says that nobody may guess what it is given to."""
    lowered = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return _SECRET.holds(lowered) and not _INNOCENT.holds(lowered)


def _is_compared(code: Code, seen: set[Value]) -> bool:
    compared = (node.op for node in code.nodes(ops.Compare))
    return any(isinstance(op, ops.Compare) and not seen.isdisjoint((op.left, op.right)) for op in compared)


def _kept(project: Project, node: Node) -> Assumed:
    """What keeping a value says of it: in a row, or by a name that says so, it lets in; in an object it need not."""
    op = node.op
    if isinstance(op, ops.Yield):
        return KNOWN
    if not isinstance(op, (ops.SetAttr, ops.SetItem)):
        return _NOWHERE
    name = op.name if isinstance(op, ops.SetAttr) else node.to(op.key).text or ""
    base = node.to(op.base)
    if is_secret_name(name) or touched_table(project, base) is not None:
        return KNOWN
    return _NOWHERE if any(True for _ in project.instances(base)) else _KEPT


def _is_used_within(code: Code, seen: set[Value]) -> bool:
    named = {op.name for op in (code.ops[value] for value in seen) if isinstance(op, ops.Bind)}
    inner = (part for part in code.nested if part is not code)
    return any(isinstance(op, ops.Name) and op.name in named for part in inner for op in part.ops)


def _taken(project: Project, call: Node, seen: set[Value], depth: int) -> Assumed:
    """What a call does with the value, if it is given it."""
    op = call.op
    assert isinstance(op, ops.Call)
    if call.value in seen or seen.isdisjoint((*op.args, *(value for _, value in op.keywords), *op.star)):
        return _NOWHERE
    callees = project.callees(call)
    if callees and not project.gives_up(depth, _DEPTH, call.place):
        return min((_in_callee(project, call, callee, seen, depth) for callee in callees), key=doubt)
    names = project.names(call.func) if call.func is not None else ()
    if callees or any(_is_of_library(name) for name in names):
        return KNOWN
    harmless = project.models.kinds["logs"] | project.models.sinks["path"].keys()
    if call.is_call_of("resolves-paths") or not harmless.isdisjoint(names):
        return _NOWHERE
    return assume("callee", f"`{call.spelled}` takes it for what lets somebody in")


def _is_of_library(name: str) -> bool:
    """Whether a function is of a library, and neither the language's own nor of something unknown."""
    package = name.partition(".")[0]
    return package not in sys.stdlib_module_names and package not in ("*", "builtins")


def _in_callee(project: Project, call: Node, callee: Code, seen: set[Value], depth: int) -> Assumed:
    given = frozenset(
        value
        for value, op in enumerate(callee.ops)
        if isinstance(op, ops.Param) and _is_given(project.argument(call, callee, op.index), seen)
    )
    return use_of(project, callee, uses(callee, given, min(given)), depth + 1) if given else KNOWN


def _is_given(argument: Node | None, seen: set[Value]) -> bool:
    return argument is not None and (argument.value in seen or argument.origin.value in seen)


def _given_back(project: Project, code: Code, depth: int) -> Assumed:
    """What the callers do with what a function gives; what nobody here calls may be meant for anything."""
    calls = [call for call in project.callers(code) if project.role(call.code.path) == "production"]
    if not calls or project.gives_up(depth, _DEPTH, code.place):
        return KNOWN
    return min(
        (use_of(project, c.code, uses(c.code, frozenset((c.value,)), c.value), depth + 1) for c in calls), key=doubt
    )


def uses(code: Code, start: frozenset[Value], after: Value) -> set[Value]:
    """The operations that a value goes into, forwards through expressions, names and comprehensions."""
    seen = {*start, after}
    for value in range(after + 1, len(code.ops)):
        op = code.ops[value]
        foreign = isinstance(op, ops.Call) and op.func not in seen and not code.node(value).is_call_of("spells")
        if not foreign and not _is_prose(code, op) and any(item in seen for item in inputs(op)):
            seen.add(value)
    return seen


def _is_prose(code: Code, op: ops.AnyOp) -> bool:
    """``"a note about " + number``: a sentence with a value in it."""
    parts: tuple[Value, ...] = ()
    if isinstance(op, ops.Bin) and op.operator in ("+", "%"):
        parts = (op.left, op.right)
    elif isinstance(op, ops.Build) and op.kind == "fstring":
        parts = op.items
    texts = (code.ops[part] for part in parts if part != NONE)
    return any(isinstance(text, ops.Const) and isinstance(text.value, str) and " " in text.value for text in texts)


def inputs(op: ops.AnyOp) -> list[Value]:
    """The values that an operation is made of, as far as they are part of what it gives."""
    if isinstance(op, ops.Call):
        return [v for v in (op.func, *op.args, *(value for _, value in op.keywords), *op.star) if v != NONE]
    if isinstance(op, (ops.Bind, ops.Return, ops.Await, ops.Format, ops.Comp, ops.SetAttr, ops.SetItem)):
        return [op.value]
    if isinstance(op, ops.Bin):
        return [op.left, op.right]
    if isinstance(op, ops.Build):
        return [item for item in op.items if item != NONE]
    if isinstance(op, (ops.Phi, ops.Logic)):
        return list(op.values)
    if isinstance(op, (ops.Attr, ops.Item, ops.Element)):
        return [op.base]
    return []
