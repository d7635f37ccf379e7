"""Look-ups of documents by fields that no index of their collection begins with."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.indexes.reach import reached, serves_requests
from backaudit.backend.data.documents.records import Collection
from backaudit.backend.data.documents.searches import Order, Search, orders, searches
from backaudit.backend.data.queries import call_place
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.vocabulary.meaning import meaning

_FEW = meaning("columns", "few-valued")
_SELECTIVE = meaning("columns", "selective")
_SMALL = meaning("columns", "small-table")
_KEYS = meaning("columns", "document-key")


class UnindexedField(msgspec.Struct, frozen=True, kw_only=True):
    """One index that a collection lacks. ``places``: the look-ups that it would serve, the one that says it first."""

    collection: Collection
    field: str
    places: tuple[Place, ...]
    core: bool


def unindexed_fields(project: Project) -> tuple[UnindexedField, ...]:
    """The missing indexes of all collections, one by one."""
    found: dict[tuple[str, str], list[Search]] = {}
    for search in searches(project):
        if project.role(search.call.code.path) in ("production", "script"):
            for field in _open(search):
                found.setdefault((search.collection.name, field), []).append(search)
    return tuple(_one(project, field, group) for (_, field), group in sorted(found.items()))


def unindexed_orders(project: Project) -> tuple[UnindexedField, ...]:
    """The orders of whole collections that no index gives, one for each field."""
    found: dict[tuple[str, str], list[Order]] = {}
    for order in orders(project):
        if project.role(order.call.code.path) == "production" and _is_whole(order):
            found.setdefault((order.collection.name, order.field), []).append(order)
    return tuple(
        UnindexedField(
            collection=group[0].collection,
            field=field,
            places=tuple(dict.fromkeys(call_place(order.call) for order in group)),
            core=False,
        )
        for (_, field), group in sorted(found.items())
    )


def _is_whole(order: Order) -> bool:
    """Whether nothing leaves few of the documents that are sorted, and no index has them in order."""
    led = _led(order.collection)
    small = _SMALL.holds(order.collection.name) or _FEW.holds(order.field) or _KEYS.holds(order.field)
    narrowed = any(field in led or _KEYS.holds(field) or _SELECTIVE.holds(field) for field in order.fields)
    return not (small or narrowed or order.field in led)


def _led(collection: Collection) -> set[str]:
    """The fields that an index begins with."""
    return {index.keys[0].text for index in collection.indexes if index.method == "btree"}


def _open(search: Search) -> Iterator[str]:
    """The field that an index is wanted for; none if one of the fields has its index already."""
    if _led(search.collection) & set(search.fields) or _by_key(search) or _SMALL.holds(search.collection.name):
        return
    wanted = [field for field in search.fields if not _FEW.holds(field)]
    best = [field for field in wanted if _SELECTIVE.holds(field)] or wanted
    yield from best[:1]


def _by_key(search: Search) -> bool:
    """Whether documents are looked up by their own key: to a driver a field called ``id`` is one like any other."""
    return any(map(_KEYS.holds, search.fields)) if search.mapped else "_id" in search.fields


def _one(project: Project, field: str, group: list[Search]) -> UnindexedField:
    served = [s for s in group if serves_requests(project, s.call.code) and reached(project, s.call.code)]
    ordered = [*served, *(search for search in group if search not in served)]
    return UnindexedField(
        collection=group[0].collection,
        field=field,
        places=tuple(dict.fromkeys(call_place(search.call) for search in ordered)),
        core=bool(served) and _SELECTIVE.holds(field),
    )
