"""What code looks documents up by: the fields of a driver's filter, a document class's conditions or keywords."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from backaudit.backend.data.documents import collections
from backaudit.backend.data.documents.calls import filled, searched
from backaudit.backend.data.documents.naming import collection_name
from backaudit.backend.data.documents.records import Collection
from backaudit.backend.data.queries.chains import upstream
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import entries, items, text
from backaudit.project.types import split

_DRIVER = (
    "collection-filters", "collection-updates", "collection-replacements", "collection-searches",
    "collection-aggregations",
)  # fmt: skip


class Search(msgspec.Struct, frozen=True):
    """A call that looks documents of a collection up by the values of fields.

    ``mapped``: the call asks a document class, which may call ``_id`` otherwise; a driver's call names what is stored.
    """

    collection: Collection
    fields: tuple[str, ...]
    call: Node
    mapped: bool = False


class Order(msgspec.Struct, frozen=True):
    """A call that sorts the documents of a collection. ``fields``: what they were looked up by before."""

    collection: Collection
    field: str
    call: Node
    fields: tuple[str, ...] = ()


def searches(project: Project) -> tuple[Search, ...]:
    """All look-ups by fields, by place."""
    return project.once(_searches)


def _searches(project: Project) -> tuple[Search, ...]:
    known = collections(project)
    by_name = {one.name: one for one in known}
    by_model = {one.model: one for one in known if one.model}
    found = [*_by_driver(project, by_name), *_by_model(project, by_model)] if known else []
    return tuple(sorted(found, key=lambda search: search.call.place))


def _by_driver(project: Project, known: dict[str, Collection]) -> Iterator[Search]:
    for kind in _DRIVER:
        for name, call, fields in searched(project, kind):
            if name in known and fields:
                yield Search(known[name], fields, call)


def _by_model(project: Project, known: dict[str, Collection]) -> Iterator[Search]:
    for last in sorted(project.models.kinds["document-searches"]) if known else ():
        for call in project.calls_of(last):
            asked = _asked_of(project, call, known)
            own = {field.name for field in asked.fields} if asked is not None else set()
            fields = tuple(name for name in _compared(call) if name in own)
            if asked is not None and fields:
                yield Search(asked, fields, call, mapped=True)


def _asked_of(project: Project, call: Node, known: dict[str, Collection]) -> Collection | None:
    """The collection whose class a call is made on, or that an engine is given first."""
    first = call.arg(0)
    classes = [*project.denoted_classes(call.receiver), *project.instances(call.receiver)] if call.receiver else []
    classes += project.denoted_classes(first) if first is not None else ()
    named = [cls.name for cls in classes]
    named += [split(type_)[1] for type_ in project.types(call.receiver)] if call.receiver else []
    return next((known[name] for name in named if name in known), None)


def _compared(call: Node) -> Iterator[str]:
    """``User.email == email``, ``{"email": email}`` and ``email=email``."""
    for argument in call.args():
        yield from (key for key in entries(argument) if not key.startswith("$"))
        field = _compared_field(argument.origin)
        if field:
            yield field
    given = {**call.keywords(), **_unpacked(call)}
    yield from (name for name in given if "__" not in name)


def compared_values(project: Project, search: Search) -> Iterator[Node]:
    """What a look-up compares fields with that hand any value on to the store, an operator of a query included."""
    wanted = _open_fields(project, search.collection)
    yield from (value for name, value in search.call.keywords().items() if name in wanted)
    for argument in search.call.args():
        made = argument.origin
        field = _compared_field(made)
        if isinstance(made.op, ops.Compare) and field in wanted:
            yield made.to(made.op.right)


def _open_fields(project: Project, collection: Collection) -> frozenset[str]:
    """The fields that convert nothing: all of a class that only says of what types they are."""
    known = project.models.stores.get(collection.store)
    if known is None or known.fields != "calls":
        return frozenset(field.name for field in collection.fields)
    return frozenset(f.name for f in collection.fields if f.type in project.models.kinds["open-fields"])


def _compared_field(node: Node) -> str:
    """The field of ``User.email == email``; empty of anything else."""
    op = node.op
    left = node.to(op.left).origin.op if isinstance(op, ops.Compare) and op.operator == "==" else None
    return left.name if isinstance(left, ops.Attr) else ""


def _unpacked(call: Node) -> Mapping[str, Node]:
    """The entries of a mapping that is handed over as keywords, those that are set later included."""
    found: dict[str, Node] = {}
    for value in call.call.dstar if call.call is not None else ():
        found |= filled(call.origin.to(value).origin)
    return found


# -- orders ------------------------------------------------------------------------------------------------------------


def orders(project: Project) -> tuple[Order, ...]:
    """The orders in which documents are asked for, by place."""
    by_name = {one.name: one for one in collections(project)}
    by_model = {one.model: one for one in by_name.values() if one.model}
    asked = {search.call: search.fields for search in searches(project)} if by_name else {}
    found: list[Order] = []
    for last in sorted(project.models.kinds["document-sorts"]) if by_name else ():
        for call in project.calls_of(last):
            first, field = _first_call(call), _sorted_by(project, call)
            name = collection_name(project, first.receiver) if first.receiver is not None else ""
            asked_of = by_name.get(name) or _asked_of(project, first, by_model)
            if asked_of is not None and field:
                found.append(Order(asked_of, field, call, asked.get(first, ())))
    return tuple(sorted(found, key=lambda order: order.call.place))


def _first_call(call: Node) -> Node:
    """The call that a chain begins with, which asks the collection or the document class."""
    return [link for link in (call, *upstream(call)) if link.call is not None][-1]


def _sorted_by(project: Project, call: Node) -> str:
    """The first field of an order: ``"-born"``, ``[("born", -1)]``, ``{"born": 1}``, ``-Boat.born``."""
    first = call.arg(0)
    if first is None:
        return ""
    here = project.resolved(first)
    keys = list(entries(here))
    inner = next(iter(items(here)), None)
    if keys or inner is not None:
        return keys[0] if keys else _field_of(project, next(iter(items(inner)), inner)) if inner is not None else ""
    return _field_of(project, first)


def _field_of(project: Project, node: Node) -> str:
    node = node.origin
    if isinstance(node.op, ops.Unary):
        node = node.to(node.op.value).origin
    if isinstance(node.op, ops.Attr):
        return node.op.name
    return text(project, node).lstrip("+-")
