"""The records of document stores: collections, the fields of their documents, and their indexes."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from backaudit.facts.place import Place
from backaudit.sql import Index


class DocumentField(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a collection's documents; a dotted ``name`` for one inside another.

    ``type`` as the code writes it, empty if it does not tell. ``required``: the model says that it must be there.
    ``references``: the class whose documents it leads to.
    """

    name: str
    type: str = ""
    required: bool = False
    references: str = ""


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection as far as code shows it. ``model``: the class behind it, empty if only a driver's calls tell of it;
    ``store``: the library.

    The index over ``_id``, which every collection has, is no part of ``indexes``; nor is ``_id`` of ``fields``.
    """

    name: str
    store: str
    model: str = ""
    fields: tuple[DocumentField, ...] = ()
    indexes: tuple[Index, ...] = ()
    place: Place | None = None


def joined(first: Collection, second: Collection) -> Collection:
    """What two sources say of one collection; the first is believed where both tell of a field."""
    indexes = {(index.keys, index.unique, index.method): index for index in (*second.indexes, *first.indexes)}
    return msgspec.structs.replace(
        first, fields=distinct((*first.fields, *second.fields)), indexes=tuple(indexes.values())
    )


def distinct(fields: Iterable[DocumentField]) -> tuple[DocumentField, ...]:
    """The fields by name, the first of each, with the first type that is known; without ``_id``."""
    found: dict[str, DocumentField] = {}
    for field in fields:
        known = found.get(field.name)
        if field.name and field.name != "_id" and not field.name.startswith("$"):
            if known is None:
                found[field.name] = field
            elif not known.type and field.type:
                found[field.name] = msgspec.structs.replace(known, type=field.type)
    return tuple(found.values())
