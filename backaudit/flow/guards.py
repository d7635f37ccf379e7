"""What must hold where an operation runs: the branches around it, and the early exits before it."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.facts.ops import Region, Value
from backaudit.project import Code, Node

Condition = tuple[Value, bool]


def conditions(code: Code, at: Value) -> Iterator[Condition]:
    """Atomic conditions (test, truth) that hold whenever operation ``at`` is reached, nearest first."""
    for region in reversed(code.body.regions):
        if region.first <= at < region.last:
            yield from _inside(code, region)
        elif region.last <= at and _is_left(code, region) and _dominates(code, region, at):
            yield from atoms(code, region.test, region.kind != "then")
    for value in code.before(at, ops.Assert):
        op = code.ops[value]
        if isinstance(op, ops.Assert) and same_path(code, value, at):
            yield from atoms(code, op.test, True)


def _inside(code: Code, region: Region) -> Iterator[Condition]:
    """What holds in a region itself."""
    if region.kind in ("then", "else"):
        yield from atoms(code, region.test, region.kind == "then")
    elif region.kind == "case" or (region.kind == "loop" and _is_condition(code, region.test)):
        yield from atoms(code, region.test, True)


def _is_condition(code: Code, test: Value) -> bool:
    """Of a ``for`` the test is the iterated value: no condition. Only comparisons and calls can be one."""
    return test >= 0 and isinstance(code.ops[test], (ops.Compare, ops.Logic, ops.Unary))


def _is_left(code: Code, region: Region) -> bool:
    """Whether a region is a branch that control leaves: who comes behind it has not taken it."""
    return region.kind in ("then", "else") and _leaves(code, region)


def _leaves(code: Code, region: Region) -> bool:
    """Whether control never falls off the end of a branch: it returns, raises, or calls what ends the request."""
    if region.exits:
        return True
    last = code.node(region.last - 1) if region.last > region.first else None
    if last is None or not isinstance(last.op, ops.Discard):
        return False
    call = last.to(last.op.value).awaited
    return _is_exit(call) or any(_always_raises(callee) for callee in code.project.callees(call))


def _is_exit(call: Node) -> bool:
    """Whether a call ends the process, or the request as a library does it."""
    names = call.code.project.names(call.func) if call.func is not None else ()
    responses = call.code.project.models.responses
    return any(name in _EXITS or (name in responses and responses[name].raises) for name in names)


_EXITS = frozenset({"sys.exit", "builtins.exit", "builtins.quit", "os._exit", "os.abort"})


def _always_raises(code: Code) -> bool:
    """Whether a function ends in a ``raise`` that nothing is around, and returns nowhere."""
    last = code.ops[-1] if code.ops else None
    outermost = not code.regions_of(len(code.ops) - 1)
    return isinstance(last, ops.Raise) and outermost and not any(isinstance(op, ops.Return) for op in code.ops)


def _dominates(code: Code, region: Region, at: Value) -> bool:
    """Whether the statement of an exited branch always runs before ``at``: its parent is around ``at`` too."""
    if region.parent < 0:
        return True
    parent = code.body.regions[region.parent]
    if parent.first <= at < parent.last:
        return True
    # An ``elif`` chain whose branches all leave nests each test in the ``else`` of the one before it; and what a try
    # block checked still holds behind it where its handlers leave.
    passed = parent.kind in ("try", "with") or _all_others_leave(code, parent)
    return passed and _dominates(code, parent, at)


def _all_others_leave(code: Code, branch: Region) -> bool:
    """Whether who comes behind a conditional statement came through ``branch``: the others leave."""
    if branch.kind not in ("then", "else"):
        return False
    siblings = [region for region in code.body.regions if region.group == branch.group and region is not branch]
    others = siblings if branch.kind == "else" else [region for region in siblings if region.kind == "else"]
    return bool(others) and all(_leaves(code, other) for other in others)


def same_path(code: Code, before: Value, at: Value, *, tried: bool = False) -> bool:
    """Whether what ran ``before`` has run whenever ``at`` does; ``tried``: also in a try whose handlers all leave."""
    return all(
        region.first <= at < region.last or (tried and region.kind in ("try", "with") and _handlers_leave(code, region))
        for region in code.regions_of(before)
    )


def _handlers_leave(code: Code, region: Region) -> bool:
    if region.kind == "with":
        return True
    handlers = [r for r in code.body.regions if r.kind == "except" and r.group == region.group]
    return all(_leaves(code, handler) for handler in handlers)


def atoms(code: Code, test: Value, truth: bool) -> Iterator[Condition]:
    if test < 0:
        return
    test = code.origin(test)
    op = code.ops[test]
    if isinstance(op, ops.Unary) and op.operator == "not":
        yield from atoms(code, op.value, not truth)
    elif isinstance(op, ops.Logic) and (op.operator == "and") == truth:
        for value in op.values:
            yield from atoms(code, value, truth)
    else:
        yield test, truth


def arriving(code: Code, value: Value, use: Value) -> Iterator[Condition]:
    """Conditions under which ``value`` is what the operation ``use`` takes: a branch of a choice, join or filter."""
    op = code.ops[use]
    if isinstance(op, ops.Choice):
        if op.then != op.other and value in (op.then, op.other):
            yield from atoms(code, op.test, value == op.then)
    elif isinstance(op, ops.Comp):
        for test in _filters(code, use):
            yield from atoms(code, test, True)
    elif isinstance(op, ops.Phi):
        yield from _joined(code, op, value, use)
        if isinstance(code.ops[value], ops.Bind):
            yield from conditions(code, value)  # what held when the name got the value


def _filters(code: Code, comp: Value) -> Iterator[Value]:
    """The conditions behind the ``if`` of a comprehension."""
    regions = code.body.regions
    for region in regions:
        if region.kind == "then" and region.last == comp and regions[region.parent].kind in ("comp", "then"):
            yield region.test


def _joined(code: Code, op: ops.Phi, value: Value, use: Value) -> Iterator[Condition]:
    """Of ``if not good(x): x = default``: what ``x`` keeps its value under."""
    others = [other for other in op.values if other != value]
    branches = [r for r in code.body.regions if r.kind in ("then", "else") and r.last <= use]
    for region in reversed(branches):
        inside = [other for other in others if region.first <= other < region.last]
        if inside and not region.first <= value < region.last:
            yield from atoms(code, region.test, region.kind == "else")
            return


def same(code: Code, left: Value, right: Value, depth: int = 0) -> bool:
    """Whether two values are read from the same place: equal, or the same attribute or key of the same value."""
    left, right = code.origin(left), code.origin(right)
    if left == right:
        return True
    one, two = code.ops[left], code.ops[right]
    if type(one) is not type(two) or depth > 6:
        return False
    if isinstance(one, ops.Attr) and isinstance(two, ops.Attr):
        return one.name == two.name and same(code, one.base, two.base, depth + 1)
    if isinstance(one, ops.Item) and isinstance(two, ops.Item):
        return same(code, one.base, two.base, depth + 1) and same(code, one.key, two.key, depth + 1)
    if isinstance(one, ops.Call) and isinstance(two, ops.Call):
        return _same_call(code, one, two, depth)
    if isinstance(one, ops.Const) and isinstance(two, ops.Const):
        return one.value == two.value and type(one.value) is type(two.value)
    return isinstance(one, ops.Name) and isinstance(two, ops.Name) and one.name == two.name


def _same_call(code: Code, one: ops.Call, two: ops.Call, depth: int) -> bool:
    """Whether two calls without keywords call the same thing with the same arguments."""
    if one.keywords or two.keywords or len(one.args) != len(two.args):
        return False
    pairs = zip((one.func, *one.args), (two.func, *two.args), strict=True)
    return all(same(code, left, right, depth + 1) for left, right in pairs)


def of_elements(code: Code, at: Value) -> Iterator[Condition]:
    """Conditions that held for each element of a loop that has ended: the branches in it that leave the function."""
    for region in code.body.regions:
        if region.kind not in ("then", "else") or region.last > at or region.exits not in ("return", "raise"):
            continue
        around = code.body.regions[region.parent] if region.parent >= 0 else None
        if around is not None and around.kind == "loop" and around.last <= at and _dominates(code, around, at):
            yield from atoms(code, region.test, region.kind != "then")
