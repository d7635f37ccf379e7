"""Which values arrive where, and under which conditions."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.facts.ops import Region, Value
from backaudit.project import Code
from backaudit.project.holding import Condition, atoms, conditions, dominates
from backaudit.project.operands import same


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


def of_elements(code: Code, at: Value) -> Iterator[Condition]:
    """Conditions that held for each element of a loop that has ended: the branches in it that leave the function."""
    for region in code.body.regions:
        if region.kind not in ("then", "else") or region.last > at or region.exits not in ("return", "raise"):
            continue
        around = code.body.regions[region.parent] if region.parent >= 0 else None
        if around is not None and around.kind == "loop" and around.last <= at and dominates(code, around, at):
            yield from atoms(code, region.test, region.kind != "then")


def of_presence(code: Code, at: Value, value: Value) -> Iterator[Condition]:
    """Conditions that held wherever a value is there at all: ``if x is not None: if bad(x): return``."""
    for region in code.body.regions:
        if region.kind not in ("then", "else") or region.last > at or region.exits not in ("return", "raise"):
            continue
        around = code.body.regions[region.parent] if region.parent >= 0 else None
        if around is not None and _was_passed(code, around, at) and _is_where_present(code, around, value):
            yield from atoms(code, region.test, region.kind != "then")


def _was_passed(code: Code, region: Region, at: Value) -> bool:
    return region.last <= at and dominates(code, region, at)


def _is_where_present(code: Code, region: Region, value: Value) -> bool:
    if region.kind != "then":
        return False
    op = code.ops[region.test]
    absent = isinstance(op, ops.Compare) and op.operator == "is not" and code.node(op.right).is_none
    return same(code, op.left if absent and isinstance(op, ops.Compare) else region.test, value)
