"""Missing indexes as findings: what the rules on filters, joins and sorts say alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from backaudit.analyses.indexes.advice import document_remedy, named, others_asked, others_served, remedy, siblings, why
from backaudit.analyses.indexes.claims import claim_of
from backaudit.analyses.indexes.mends import declared
from backaudit.analyses.indexes.missing import MissingIndex, missing_indexes, rank
from backaudit.analyses.indexes.reports import Kind
from backaudit.analyses.indexes.unindexed_documents import unindexed_orders
from backaudit.backend.data.schema import schema
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import Finding, Step, assume, everywhere


def findings(project: Project, kind: Kind, serves: str, does: str) -> Iterator[Finding]:
    """A finding per index that would serve queries of a kind, and one for each of the other queries.

    ``serves``: what no index does for the columns; ``does``: what the database does in its stead.
    """
    for index, *besides in _by_place(missing_indexes(project, kind)):
        missing = index.first
        found = Finding(
            place=missing.place,
            message=f"No index {serves} {named(missing)}: {why(missing)}, so {does}."
            f"{others_asked(besides)}{others_served(index)}",
            remedy=remedy(project, index, besides),
            assumed=missing.assumed,
            severity=missing.weight,
            shown=None if missing.core else "strict",
            claim=claim_of(schema(project), index),
            fixes=tuple(declared(project, index)),
        )
        after = {one.place: one.site.after for one in (missing, *index.others)}
        for each in everywhere(found, siblings(index)):
            further = (place for place in after.get(each.place, ()) if place > each.place)
            steps = (Step(place, "the query goes on here") for place in further)
            yield msgspec.structs.replace(each, related=tuple(steps))


def _by_place(missing: Iterable[MissingIndex]) -> Iterator[list[MissingIndex]]:
    """The indexes that are missing, those together that one query asks for in different cases, the worst first."""
    groups: dict[Place, list[MissingIndex]] = {}
    for index in missing:
        groups.setdefault(index.first.place, []).append(index)
    for group in groups.values():
        first, *besides = sorted(group, key=lambda index: (rank(index.first), -len(index.others)))
        told = {first.first.place, *(other.place for other in first.others)}
        yield [first, *besides]
        yield from ([elsewhere] for index in besides if (elsewhere := _elsewhere(index, told)) is not None)


def _elsewhere(index: MissingIndex, told: Collection[Place]) -> MissingIndex | None:
    """An index as what other places want than those that are told of already."""
    others = sorted((other for other in index.others if other.place not in told), key=rank)
    return msgspec.structs.replace(index, first=others[0], others=tuple(others[1:])) if others else None


def document_orders(project: Project) -> Iterator[Finding]:
    """A finding per field by which whole collections are sorted though no index begins with it."""
    for missing in unindexed_orders(project):
        name = f"{missing.collection.name}.{missing.field}"
        found = Finding(
            place=missing.places[0],
            message=f"No index gives the order by `{name}`, so every document is read and sorted in memory.",
            remedy=document_remedy(project, missing),
            assumed=assume("effect", "the collection grows"),
            severity="low",
            shown="strict",
        )
        yield from everywhere(found, (Step(place, "the same index gives this order") for place in missing.places[1:]))
