"""Which values arrive where, under which conditions, and whether two are the same."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.project import Code
from backaudit.project.holding import Condition, atoms, conditions, dominates


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
        if around is not None and around.kind == "loop" and around.last <= at and dominates(code, around, at):
            yield from atoms(code, region.test, region.kind != "then")
