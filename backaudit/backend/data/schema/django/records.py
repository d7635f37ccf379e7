"""A Django model as a class or the migrations declare it."""

from __future__ import annotations

import msgspec

from backaudit.facts.place import Place
from backaudit.project import Node
from backaudit.sql import Column


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A concrete model. ``label``: its application's; ``cls``: its class's dotted name, empty if migrations declare it.

    ``fields``: the calls that declare them, by name; ``options``: the entries of ``Meta``; ``indexes`` and
    ``constraints``: those besides the options; ``renamed``: fields' former names; ``library`` and ``many``: columns and
    many-to-many fields (name, target, names that lead back) of a library's base; ``parents``: concrete models that it
    extends; ``generic``: relations to rows that may be of any model, by name.
    """

    label: str
    name: str
    cls: str = ""
    fields: dict[str, Node] = {}
    options: dict[str, Node] = {}
    indexes: tuple[Node, ...] = ()
    constraints: tuple[Node, ...] = ()
    renamed: dict[str, str] = {}
    library: tuple[Column, ...] = ()
    many: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    parents: tuple[str, ...] = ()
    generic: dict[str, Node] = {}
    table: str = ""
    place: Place | None = None
    seeded: bool = False

    @property
    def key(self) -> str:
        """``label.name`` in lower case: what the rest of the project calls it."""
        return f"{self.label}.{self.name}".lower()
