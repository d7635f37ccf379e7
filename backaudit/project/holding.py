"""What must hold where an operation runs: the branches around it, and the early exits before it."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.facts.ops import Region, Value
from backaudit.project import Code, Node, Project

Condition = tuple[Value, bool]


def conditions(code: Code, at: Value) -> Iterator[Condition]:
    """Atomic conditions (test, truth) that hold whenever operation ``at`` is reached, nearest first."""
    # Between two places where a branch begins or ends the same holds.
    return iter(code.project.all_of(_conditions, code, code.stretch(at)))


def _conditions(project: Project, code: Code, at: Value) -> Iterator[Condition]:
    for region in reversed(code.body.regions):
        if region.first <= at < region.last:
            yield from _inside(code, region)
        elif region.last <= at and _is_left(code, region) and dominates(code, region, at):
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
    return _is_exit(call) or any(always_raises(callee) for callee in code.project.callees(call))


def _is_exit(call: Node) -> bool:
    """Whether a call ends the process, or the request as a library does it."""
    names = call.code.project.names(call.func) if call.func is not None else ()
    responses = call.code.project.models.responses
    return any(name in _EXITS or (name in responses and responses[name].raises) for name in names)


_EXITS = frozenset({"sys.exit", "builtins.exit", "builtins.quit", "os._exit", "os.abort"})


def always_raises(code: Code) -> bool:
    """Whether a function ends in a ``raise`` that nothing is around, and returns nowhere."""
    last = code.ops[-1] if code.ops else None
    outermost = not code.regions_of(len(code.ops) - 1)
    return isinstance(last, ops.Raise) and outermost and not any(isinstance(op, ops.Return) for op in code.ops)


def dominates(code: Code, region: Region, at: Value) -> bool:
    """Whether the statement of an exited branch always runs before ``at``: its parent is around ``at`` too."""
    if region.parent < 0:
        return True
    parent = code.body.regions[region.parent]
    if parent.first <= at < parent.last:
        return True
    # An ``elif`` chain whose branches all leave nests each test in the ``else`` of the one before it; and what a try
    # block checked still holds behind it where its handlers leave.
    passed = parent.kind in ("try", "with") or _all_others_leave(code, parent)
    return passed and dominates(code, parent, at)


def _all_others_leave(code: Code, branch: Region) -> bool:
    """Whether who comes behind a conditional statement came through ``branch``: the others leave."""
    if branch.kind not in ("then", "else"):
        return False
    siblings = [region for region in code.beside(branch) if region is not branch]
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
    handlers = [beside for beside in code.beside(region) if beside.kind == "except"]
    return all(_leaves(code, handler) for handler in handlers)


def atoms(code: Code, test: Value, truth: bool) -> Iterator[Condition]:
    """The single conditions that hold where a test has come out so."""
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
