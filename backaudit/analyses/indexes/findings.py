"""Missing indexes as findings: what the rules on filters, joins and sorts say alike."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.indexes.advice import document_remedy, named, others_served, remedy, siblings, why
from backaudit.analyses.indexes.claims import claim_of
from backaudit.analyses.indexes.mends import declared
from backaudit.analyses.indexes.missing import missing_indexes
from backaudit.analyses.indexes.reports import Kind
from backaudit.analyses.indexes.unindexed_documents import unindexed_orders
from backaudit.backend.data.schema import schema
from backaudit.project import Project
from backaudit.rule import Finding, Step, assume, everywhere


def findings(project: Project, kind: Kind, serves: str, does: str) -> Iterator[Finding]:
    """A finding per index that would serve queries of a kind, and one for each of the other queries.

    ``serves``: what no index does for the columns; ``does``: what the database does in its stead.
    """
    for index in missing_indexes(project, kind):
        missing = index.first
        found = Finding(
            place=missing.place,
            message=f"No index {serves} {named(missing)}: {why(missing)}, so {does}.{others_served(index)}",
            remedy=remedy(project, index),
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
