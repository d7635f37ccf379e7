"""indexes/non-sargable."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.advice import named
from backaudit.analyses.indexes.missing import Missing, unusable_forms
from backaudit.project import Project
from backaudit.rule import Finding, rule
from backaudit.sql.records import Form

_FORMS: dict[Form, tuple[str, str]] = {
    "like": (
        "is searched by a pattern that may begin with a wildcard or ignores case: no ordinary index can serve it",
        "For PostgreSQL a trigram index serves it: `CREATE INDEX ... USING gin ({column} gin_trgm_ops)` with pg_trgm; "
        "else a full-text search, or an equality on a normalised column.",
    ),
    "prefix": (
        "is searched by a fixed beginning: an ordinary index serves that only in a database with the C collation",
        "For PostgreSQL declare the index with the operator class `text_pattern_ops`.",
    ),
    "function": (
        "is compared through `{expression}`: an index on the column itself cannot serve it",
        "Index the expression (`CREATE INDEX ... ON {table} ({expression})`), or store the value in the compared form.",
    ),
}


@rule("indexes/non-sargable", severity="low", cwe=1067, owasp=("API4:2023",), tags=("performance",), shown="strict")
def non_sargable(project: Project) -> Iterator[Finding]:
    """The form of a predicate keeps an index on its column from serving.

    An index holds the column's values in order. A pattern that begins with a wildcard, a comparison that ignores case
    and a function around the column ask for something else, so the database evaluates them for every row of the table.

    Mend: compare the bare column, index the expression that is compared, or search by a trigram or full-text index.

    Given:
        from sqlalchemy import Column, Index, Integer, String, func
        from sqlalchemy.orm import declarative_base

        Base = declarative_base()

        class Customer(Base):
            __tablename__ = "customers"
            id = Column(Integer, primary_key=True)
            email = Column(String(200), unique=True)

    Bad:
        def by_email(session, email: str):
            return session.query(Customer).filter(func.lower(Customer.email) == email.lower()).first()

    Good:
        Index("ix_customers_lower_email", func.lower(Customer.email))

        def by_email(session, email: str):
            return session.query(Customer).filter(func.lower(Customer.email) == email.lower()).first()

    Links:
        https://cwe.mitre.org/data/definitions/1067.html
        https://use-the-index-luke.com/sql/where-clause/obfuscation
    """
    for missing in unusable_forms(project):
        problem, mend = _FORMS[missing.uses[0].form]
        yield Finding(
            place=missing.place,
            message=f"{named(missing)} {_filled(problem, missing)}, so the whole table is read.",
            remedy=_filled(mend, missing),
            assumed=missing.assumed,
        )


def _filled(text: str, missing: Missing) -> str:
    use = missing.uses[0]
    return text.format(column=use.column, table=missing.table.name, expression=use.expression)
