"""The record of a query site."""

from __future__ import annotations

from itertools import chain

import msgspec

from backaudit.facts.place import Place
from backaudit.project import Code, Node
from backaudit.sql import Use


class Part(msgspec.Struct, frozen=True):
    """What one link of a query's chain asks, and where it stands."""

    place: Place
    uses: tuple[Use, ...]


class QuerySite(msgspec.Struct, frozen=True, kw_only=True):
    """One call that filters, joins or sorts: a link of a query's chain, or the execution of SQL text.

    ``uses``: what it asks, with real tables and columns. ``companions``: what other links of the same chain ask
    whenever this one runs, and what the chain begins with. ``parts``: the links that run whenever this one does, itself
    among them, as they are written. ``limited``: the query stops after some rows. ``single``: it stops at the first.
    ``places``: where a use stands if not at ``place``, by its position in ``uses``. ``verb``: select, update, delete.
    ``after``: the places, in other statements, of links that the chain goes on with. ``unread``: the chain has a
    condition or join that could not be read. ``implied``: nobody writes the query; the ORM asks it of itself where it
    stands.
    """

    place: Place
    code: Code
    node: Node
    uses: tuple[Use, ...]
    companions: tuple[Use, ...] = ()
    parts: tuple[Part, ...] = ()
    limited: bool = False
    single: bool = False
    raw: bool = False
    verb: str = "select"
    tables: tuple[str, ...] = ()
    after: tuple[Place, ...] = ()
    unread: bool = False
    implied: bool = False
    places: dict[int, Place] = {}

    @property
    def written(self) -> tuple[Use, ...]:
        """What the links ask that run whenever this one does, in their order."""
        return tuple(dict.fromkeys(chain.from_iterable(part.uses for part in self.parts))) or self.uses

    @property
    def asked(self) -> tuple[Use, ...]:
        """All that the query asks whenever this link runs, also by what it begins with."""
        return tuple(dict.fromkeys((*self.written, *self.companions)))

    def place_of(self, use: Use) -> Place:
        """Where a use stands."""
        if use in self.uses:
            return self.places.get(self.uses.index(use), self.place)
        return next((part.place for part in self.parts if use in part.uses), self.place)
