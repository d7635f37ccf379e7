"""Which programs are made: rows that hold every sensible pair of pieces (pairwise), and a seeded sample of triples."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations

from tests.matrix.compose import Row
from tests.matrix.sense import FACTORS, Piece, reasons, values

SEED = 13
Pair = tuple[Piece, Piece]


@cache
def rows() -> tuple[Row, ...]:
    """Rows that hold every pair of pieces that goes together, in an order that does not change."""
    cover = _Cover()
    return tuple(cover.rows())


def triples(count: int, seed: int = SEED) -> list[Row]:
    """Sensible rows picked by chance, each with three pieces that no row before had together."""
    chance = random.Random(seed)
    cover = _Cover()
    seen = {three for row in rows() for three in combinations(_pieces(row), 3)}
    found: list[Row] = []
    for _ in range(count * 20):
        row = cover.completed((), chance)
        new = set(combinations(_pieces(row), 3)) - seen if row else set()
        if row and new:
            seen |= new
            found.append(row)
        if len(found) == count:
            break
    return found


def unreachable() -> list[Pair]:
    """Pairs that go together, and yet stand in no sensible program."""
    held = {pair for row in rows() for pair in combinations(_pieces(row), 2)}
    return sorted(set(_all_pairs()) - held)


def _pieces(row: Row) -> list[Piece]:
    return list(zip(FACTORS, row, strict=True))


def _all_pairs() -> Iterator[Pair]:
    senseless = reasons()
    for one, other in combinations(FACTORS, 2):
        for first in values(one):
            for second in values(other):
                pair = (one, first), (other, second)
                if pair not in senseless:
                    yield pair


class _Cover:
    """The pairs that are still to be held, and the rows that take them one after the other."""

    def __init__(self) -> None:
        self._senseless = set(reasons())
        self._left = set(_all_pairs())
        self._used: Counter[Piece] = Counter()

    def rows(self) -> Iterator[Row]:
        for pair in list(_all_pairs()):
            if pair not in self._left:
                continue
            row = self.completed(pair, None)
            self._left.discard(pair)
            if row is not None:
                self._take(row)
                yield row

    def completed(self, begun: Iterable[Piece], chance: random.Random | None) -> Row | None:
        """A row with these pieces, which holds as many new pairs as can be seen from here, or what chance says."""
        chosen = dict(begun)
        missing = [factor for factor in FACTORS if factor not in chosen]
        if not missing:
            return Row(**chosen)
        factor = missing[0]
        for value in self._candidates(factor, chosen, chance):
            row = self.completed([*chosen.items(), (factor, value)], chance)
            if row is not None:
                return row
        return None

    def _candidates(self, factor: str, chosen: dict[str, str], chance: random.Random | None) -> list[str]:
        fitting = [value for value in values(factor) if self._fits((factor, value), chosen)]
        if chance is not None:
            chance.shuffle(fitting)
            return fitting
        return sorted(
            fitting, key=lambda value: (-self._new((factor, value), chosen), self._used[factor, value], value)
        )

    def _fits(self, piece: Piece, chosen: dict[str, str]) -> bool:
        return all(_ordered(piece, other) not in self._senseless for other in chosen.items())

    def _new(self, piece: Piece, chosen: dict[str, str]) -> int:
        return sum(_ordered(piece, other) in self._left for other in chosen.items())

    def _take(self, row: Row) -> None:
        self._left.difference_update(combinations(_pieces(row), 2))
        self._used.update(_pieces(row))


def _ordered(one: Piece, other: Piece) -> Pair:
    return (one, other) if FACTORS.index(one[0]) < FACTORS.index(other[0]) else (other, one)
