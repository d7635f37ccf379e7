"""Missing indexes as findings: what the rules on filters, joins and sorts say alike."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.advice import named, others_served, remedy, siblings, why
from backaudit.analyses.indexes.claims import claim_of
from backaudit.analyses.indexes.mends import declared
from backaudit.analyses.indexes.missing import missing_indexes
from backaudit.analyses.indexes.reports import Kind
from backaudit.backend.data.schema import schema
from backaudit.project import Project
from backaudit.rule import Finding, everywhere


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
        yield from everywhere(found, siblings(index))
