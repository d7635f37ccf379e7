"""indexes/redundant-index."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.redundant import redundant_indexes
from backaudit.project import Project
from backaudit.rule import Finding, Step, rule


@rule("indexes/redundant-index", severity="low", cwe=1067, tags=("performance",), shown="strict")
def redundant_index(project: Project) -> Iterator[Finding]:
    """An index repeats the beginning of another one.

    An index on (a, b) finds rows by `a` as well as one on (a) does. The shorter one is never needed for reading, and
    every insert and update has to maintain it. A primary key and a unique constraint are indexes too.

    Mend: drop the shorter index.

    Given:
        from sqlalchemy import Column, Integer, String
        from sqlalchemy.orm import declarative_base

        Base = declarative_base()

    Bad:
        class User(Base):
            __tablename__ = "users"
            id = Column(Integer, primary_key=True, index=True)
            email = Column(String(200), unique=True)

    Good:
        class User(Base):
            __tablename__ = "users"
            id = Column(Integer, primary_key=True)
            email = Column(String(200), unique=True)

    Links:
        https://wiki.postgresql.org/wiki/Index_Maintenance
    """
    for found in redundant_indexes(project):
        shorter, longer = ", ".join(found.index.columns), ", ".join(found.other.columns)
        kind = "primary key" if found.other.primary else "unique key" if found.other.unique else "index"
        yield Finding(
            place=found.place,
            message=f"The index on `{found.table}` ({shorter}) repeats the {kind} ({longer}), which serves as well.",
            remedy="Drop the shorter index, and the switch that makes it, by a migration.",
            related=(Step(found.other.place, "the index that serves both"),) if found.other.place is not None else (),
        )
