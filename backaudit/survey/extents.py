"""How much of a back end there is, as plain data: what is counted once though several back ends share it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from backaudit.issue import BackEnd


class Extent(msgspec.Struct, frozen=True):
    """What routes, tables and collections the survey would show, by what tells one from another (as plain bytes)."""

    routes: frozenset[bytes] = frozenset()
    tables: frozenset[bytes] = frozenset()
    collections: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, several: Iterable[Extent]) -> Extent:
        """All of them, what they share once."""
        parts = [(one.routes, one.tables, one.collections) for one in several]
        return cls(*(frozenset().union(*each) for each in zip(*parts, strict=True)))

    @property
    def counted(self) -> BackEnd:
        return BackEnd(len(self.routes), len(self.tables), len(self.collections))
