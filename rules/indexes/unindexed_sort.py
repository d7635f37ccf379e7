"""indexes/unindexed-sort."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.findings import document_orders, findings
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("indexes/unindexed-sort", severity="medium", cwe=1067, owasp=("API4:2023",), tags=("performance",))
def unindexed_sort(project: Project) -> Iterator[Finding]:
    """A growing table is sorted by a column that no index keeps in order.

    A page of the newest twenty rows needs twenty rows, if an index has them in order. Without one the database reads
    and sorts the whole table for every page.

    Mend: declare an index on the sort columns, in their order and directions.

    Given:
        from datetime import datetime
        from sqlalchemy import DateTime, select
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

        class Base(DeclarativeBase):
            pass

    Bad:
        class Event(Base):
            __tablename__ = "events"
            id: Mapped[int] = mapped_column(primary_key=True)
            created_at: Mapped[datetime] = mapped_column(DateTime)

        def newest(session):
            return session.scalars(select(Event).order_by(Event.created_at.desc()).limit(20)).all()

        def feed(session):
            return newest(session)

    Good:
        class Event(Base):
            __tablename__ = "events"
            id: Mapped[int] = mapped_column(primary_key=True)
            created_at: Mapped[datetime] = mapped_column(DateTime, index=True)

        def newest(session):
            return session.scalars(select(Event).order_by(Event.created_at.desc()).limit(20)).all()

        def feed(session):
            return newest(session)

    Links:
        https://cwe.mitre.org/data/definitions/1067.html
        https://use-the-index-luke.com/sql/sorting-grouping/indexed-order-by
    """
    yield from findings(project, "sort", "gives the order by", "the whole table is sorted")
    yield from document_orders(project)
