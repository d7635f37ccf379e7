"""indexes/unindexed-filter."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.advice import document_remedy
from backaudit.analyses.indexes.findings import findings
from backaudit.analyses.indexes.unindexed_documents import UnindexedField, unindexed_fields
from backaudit.project import Project
from backaudit.rule import KNOWN, Finding, Step, assume, everywhere, rule


@rule("indexes/unindexed-filter", severity="medium", cwe=1067, owasp=("API4:2023",), tags=("performance",))
def unindexed_filter(project: Project) -> Iterator[Finding]:
    """A column is filtered on and no index can serve the look-up.

    Without an index that begins with the column, the database reads the whole table for every such query: a
    millisecond with a thousand rows, a second with a million, on each request. Foreign keys are the usual victims:
    Django indexes them by itself, SQLAlchemy, SQLModel, Tortoise and plain SQL do not. The second column of a composite
    key or index does not serve alone.

    Mend: declare an index on the column, or on the columns that are filtered on together, and create it by a migration.

    Given:
        from flask_sqlalchemy import SQLAlchemy

        db = SQLAlchemy()

    Bad:
        class Order(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            customer_id = db.Column(db.Integer, db.ForeignKey("customer.id"), nullable=False)

        def orders_of(customer_id):
            return Order.query.filter_by(customer_id=customer_id).all()

        def report(customer_id):
            return len(orders_of(customer_id))

    Good:
        class Order(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            customer_id = db.Column(db.Integer, db.ForeignKey("customer.id"), nullable=False, index=True)

        def orders_of(customer_id):
            return Order.query.filter_by(customer_id=customer_id).all()

        def report(customer_id):
            return len(orders_of(customer_id))

    Links:
        https://cwe.mitre.org/data/definitions/1067.html
        https://use-the-index-luke.com/sql/where-clause
    """
    yield from findings(project, "filter", "serves the look-up by", "the whole table is read")
    for unindexed in unindexed_fields(project):
        others = (Step(place, "the same index serves this look-up") for place in unindexed.places[1:])
        yield from everywhere(_of_collection(project, unindexed), others)


def _of_collection(project: Project, missing: UnindexedField) -> Finding:
    name, field = missing.collection.name, missing.field
    known = ", ".join(f"({', '.join(index.columns)})" for index in missing.collection.indexes)
    why = f"the collection's indexes are _id and {known}" if known else "the collection has only the index on _id"
    return Finding(
        place=missing.places[0],
        message=f"No index serves the look-up by `{name}.{field}`: {why}, so every document is read.",
        remedy=document_remedy(project, missing),
        assumed=KNOWN if missing.core else assume("effect", "the collection grows"),
        severity="high" if missing.core else "low",
        shown=None if missing.core else "strict",
    )
