"""How a regular expression backtracks: whether a text may have exponentially many ways through it, or many in a power.

A pattern becomes its position automaton: a position for each sign that it reads, and from each the positions that may
come next, with the number of ways there. Two ways round one loop over the same text make it exponential (each round
doubles what has to be tried before it is known that nothing matches); loops behind one another that read the same sign
make it a power. What has no such automaton (references to groups, assertions that look around, groups that give nothing
back) is left alone. The standard library's own parser reads the pattern: its records are alike in all its versions.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

import msgspec

try:
    _parser: Any = import_module("re._parser")
except ModuleNotFoundError:  # before 3.11
    _parser = import_module("sre_parse")

_SAMPLES = "".join(map(chr, range(128))) + "\u00e9\u0416\u4e2d\u2028"
_ALL = frozenset(_SAMPLES)
_MANY = 20  # a repetition up to so many is one without an end
_COPIES = 3
_POSITIONS = 90
_SLOW = 3  # the power of the length from which on a few thousand signs take seconds
_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d", "CATEGORY_NOT_DIGIT": r"\D", "CATEGORY_SPACE": r"\s", "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w", "CATEGORY_NOT_WORD": r"\W",
}  # fmt: skip


class Backtracking(msgspec.Struct, frozen=True):
    """``exponential``, or a ``power`` of the text's length (1: none worth a word)."""

    exponential: bool = False
    power: int = 1

    @property
    def is_slow(self) -> bool:
        """Whether a text that a client may send takes longer than a request should."""
        return self.exponential or self.power >= _SLOW

    @property
    def cost(self) -> str:
        """How the time grows, in words."""
        if self.exponential:
            return "each further sign doubles the time that a text without a match takes"
        return f"the time that a text without a match takes grows with the power of {self.power} of its length"


class _Unreadable(Exception):
    """The pattern has no automaton, or one that is too large."""


class _Part(msgspec.Struct):
    """A part of a pattern: the positions it may begin and end with, and whether it may read nothing."""

    first: list[int]
    last: list[int]
    empty: bool


class _Automaton:
    """The positions of a pattern: the signs that each reads, and the number of ways from one to the next."""

    def __init__(self) -> None:
        self.reads: list[frozenset[str]] = []
        self.follows: dict[int, dict[int, int]] = {}

    def position(self, signs: frozenset[str]) -> _Part:
        """A part that reads one sign."""
        if len(self.reads) >= _POSITIONS:
            raise _Unreadable
        self.reads.append(signs)
        at = len(self.reads) - 1
        self.follows[at] = {}
        return _Part([at], [at], False)

    def join(self, left: _Part, right: _Part) -> _Part:
        """One part behind another."""
        self.link(left.last, right.first)
        first = left.first + right.first if left.empty else left.first
        last = left.last + right.last if right.empty else right.last
        return _Part(first, last, left.empty and right.empty)

    def link(self, before: Iterable[int], after: Iterable[int]) -> None:
        """A further way from each position to each other."""
        for one in before:
            for other in after:
                self.follows[one][other] = self.follows[one].get(other, 0) + 1


@cache
def backtracking(pattern: str, *, whole: bool) -> Backtracking:
    """How a pattern backtracks on texts that it does not match; ``whole``: it has to match all of a text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = _parser.parse(pattern)
        automaton = _Automaton()
        made = _sequence(automaton, list(parsed), parsed.state.flags)
    except (_Unreadable, re.error, RecursionError, OverflowError, ValueError):
        return Backtracking()
    ends = whole or _is_anchored(list(parsed))
    return Backtracking(_is_exponential(automaton, made, ends=ends), _power(automaton, made, ends=ends))


def _is_anchored(items: list[Any]) -> bool:
    """Whether a pattern ends where the text does."""
    last = items[-1] if items else None
    return last is not None and str(last[0]) == "AT" and "END" in str(last[1])


# -- building ---------------------------------------------------------------------------------------------------------


def _sequence(automaton: _Automaton, items: list[Any], flags: int) -> _Part:
    made = _Part([], [], True)
    for operator, argument in items:
        made = automaton.join(made, _part(automaton, str(operator), argument, flags))
    return made


def _part(automaton: _Automaton, operator: str, argument: Any, flags: int) -> _Part:
    if operator in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
        return automaton.position(_signs(operator, argument, flags))
    if operator == "AT":
        return _Part([], [], True)
    if operator == "SUBPATTERN":
        _, added, removed, items = argument
        return _sequence(automaton, list(items), (flags | added) & ~removed)
    if operator == "BRANCH":
        parts = [_sequence(automaton, list(items), flags) for items in argument[1]]
        firsts, lasts = [p for part in parts for p in part.first], [p for part in parts for p in part.last]
        return _Part(firsts, lasts, any(part.empty for part in parts))
    if operator in ("MAX_REPEAT", "MIN_REPEAT"):
        return _repeated(automaton, argument, flags)
    raise _Unreadable


def _repeated(automaton: _Automaton, argument: Any, flags: int) -> _Part:
    least, most, items = int(argument[0]), int(argument[1]), list(argument[2])
    endless = most > _MANY
    made = _Part([], [], True)
    for _ in range(min(least, _COPIES) if least else 0):
        made = automaton.join(made, _sequence(automaton, items, flags))
    if endless:
        loop = _sequence(automaton, items, flags)
        automaton.link(loop.last, loop.first)
        return automaton.join(made, _Part(loop.first, loop.last, True))
    for _ in range(min(most - least, _COPIES)):
        again = _sequence(automaton, items, flags)
        made = automaton.join(made, _Part(again.first, again.last, True))
    return made


def _signs(operator: str, argument: Any, flags: int) -> frozenset[str]:
    if operator == "ANY":
        return _ALL if flags & re.DOTALL else _ALL - {"\n"}
    if operator == "LITERAL":
        return _cases(chr(argument), flags)
    if operator == "NOT_LITERAL":
        return _ALL - _cases(chr(argument), flags)
    found: frozenset[str] = frozenset().union(*(_member(str(kind), value, flags) for kind, value in argument))
    return _ALL - found if argument and str(argument[0][0]) == "NEGATE" else found


def _member(kind: str, value: Any, flags: int) -> frozenset[str]:
    if kind == "LITERAL":
        return _cases(chr(value), flags)
    if kind == "RANGE":
        signs = (sign for sign in _SAMPLES if value[0] <= ord(sign) <= value[1])
        return frozenset().union(*(_cases(sign, flags) for sign in signs))
    if kind == "CATEGORY":
        asked = re.compile(_CATEGORIES[str(value).replace("UNI_", "").replace("LOC_", "")])
        return frozenset(sign for sign in _SAMPLES if asked.match(sign))
    return frozenset()


def _cases(sign: str, flags: int) -> frozenset[str]:
    return frozenset({sign.lower(), sign.upper()}) if flags & re.IGNORECASE else frozenset({sign})


# -- judging ----------------------------------------------------------------------------------------------------------


def _is_exponential(automaton: _Automaton, made: _Part, *, ends: bool) -> bool:
    for loop in _loops(range(len(automaton.reads)), lambda at: automaton.follows[at]):
        may_stop = not ends and not loop.isdisjoint(made.last)
        if not may_stop and _has_two_ways_round(automaton, loop):
            return True
    return False


def _has_two_ways_round(automaton: _Automaton, loop: set[int]) -> bool:
    if any(ways > 1 for one in loop for other, ways in automaton.follows[one].items() if other in loop):
        return True

    def pairs(pair: tuple[int, int]) -> Iterator[tuple[int, int]]:
        for one in automaton.follows[pair[0]].keys() & loop:
            for other in automaton.follows[pair[1]].keys() & loop:
                if not automaton.reads[one].isdisjoint(automaton.reads[other]):
                    yield one, other

    found = _loops(((at, at) for at in sorted(loop)), pairs)
    return any(any(a == b for a, b in each) and any(a != b for a, b in each) for each in found)


def _power(automaton: _Automaton, made: _Part, *, ends: bool) -> int:
    """The most loops behind one another that all read one sign, and so share a run of it among them in every way."""
    most = 1
    for sign in sorted({sign for signs in automaton.reads for sign in signs}):
        reading = {at for at, signs in enumerate(automaton.reads) if sign in signs}
        loops = _loops(sorted(reading), lambda at, reading=reading: automaton.follows[at].keys() & reading)
        if not ends:
            loops = [loop for loop in loops if loop.isdisjoint(made.last)]
        most = max(most, _chain(automaton, loops, reading))
    return most


def _chain(automaton: _Automaton, loops: list[set[int]], reading: set[int]) -> int:
    reach = [_reached(automaton, loop, reading) for loop in loops]
    depth: dict[int, int] = {}
    for at in sorted(range(len(loops)), key=lambda at: len(reach[at])):
        later = [depth[other] for other in depth if loops[other] & reach[at] and not loops[at] & reach[other]]
        depth[at] = 1 + max(later, default=0)
    return max(depth.values(), default=1)


def _reached(automaton: _Automaton, start: set[int], reading: set[int]) -> set[int]:
    found, left = set(start), list(start)
    while left:
        for other in automaton.follows[left.pop()].keys() & reading:
            if other not in found:
                found.add(other)
                left.append(other)
    return found


def _loops(nodes: Iterable[Any], after: Any) -> list[set[Any]]:
    """The strongly connected parts of a graph that are loops (Tarjan's, without recursion)."""
    index: dict[Any, int] = {}
    low: dict[Any, int] = {}
    stack: list[Any] = []
    waiting: set[Any] = set()
    found: list[set[Any]] = []
    for root in nodes:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        waiting.add(root)
        work = [(root, iter(sorted(after(root))))]
        while work:
            node, rest = work[-1]
            step = next(rest, None)
            if step is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    found += _popped(node, stack, waiting, after)
            elif step not in index:
                index[step] = low[step] = len(index)
                stack.append(step)
                waiting.add(step)
                work.append((step, iter(sorted(after(step)))))
            elif step in waiting:
                low[node] = min(low[node], index[step])
    return found


def _popped(node: Any, stack: list[Any], waiting: set[Any], after: Any) -> list[set[Any]]:
    part: set[Any] = set()
    while True:
        last = stack.pop()
        waiting.discard(last)
        part.add(last)
        if last == node:
            break
    return [part] if len(part) > 1 or node in set(after(node)) else []
