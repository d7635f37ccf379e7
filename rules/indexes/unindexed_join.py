"""indexes/unindexed-join."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.advice import named, others_served, remedy, siblings, why
from backaudit.analyses.indexes.claims import claim_of
from backaudit.analyses.indexes.mends import declared
from backaudit.analyses.indexes.missing import missing_indexes
from backaudit.backend.data.schema import schema
from backaudit.project import Project
from backaudit.rule import Finding, everywhere, rule


@rule("indexes/unindexed-join", severity="medium", cwe=1067, owasp=("API4:2023",), tags=("performance",))
def unindexed_join(project: Project) -> Iterator[Finding]:
    """Rows are joined by a column that no index can search.

    When a query starts from one or a few rows and joins their children, the database looks the children up by the
    join column. Without an index that begins with it, each such query reads the whole child table. The second column
    of a link table's primary key is the usual case: (user_id, post_id) finds the posts of a user, not the users of a
    post.

    Mend: declare an index on the join column of the table with the many rows.

    Given:
        from sqlalchemy import Column, ForeignKey, Integer, func
        from sqlalchemy.orm import declarative_base

        Base = declarative_base()

        class Post(Base):
            __tablename__ = "posts"
            id = Column(Integer, primary_key=True)

    Bad:
        class Vote(Base):
            __tablename__ = "votes"
            user_id = Column(Integer, ForeignKey("users.id"), primary_key=True)
            post_id = Column(Integer, ForeignKey("posts.id"), primary_key=True)

        def post_with_votes(db, post_id: int):
            query = db.query(Post, func.count(Vote.user_id)).join(Vote, Vote.post_id == Post.id)
            return query.filter(Post.id == post_id).group_by(Post.id).first()

        def show(db, post_id: int):
            return post_with_votes(db, post_id)

    Good:
        class Vote(Base):
            __tablename__ = "votes"
            user_id = Column(Integer, ForeignKey("users.id"), primary_key=True)
            post_id = Column(Integer, ForeignKey("posts.id"), primary_key=True, index=True)

        def post_with_votes(db, post_id: int):
            query = db.query(Post, func.count(Vote.user_id)).join(Vote, Vote.post_id == Post.id)
            return query.filter(Post.id == post_id).group_by(Post.id).first()

        def show(db, post_id: int):
            return post_with_votes(db, post_id)

    Links:
        https://cwe.mitre.org/data/definitions/1067.html
        https://use-the-index-luke.com/sql/join
    """
    for index in missing_indexes(project, "join"):
        missing = index.first
        told = f"No index serves the join on {named(missing)}: {why(missing)}, so the whole table is read."
        found = Finding(
            place=missing.place,
            message=told + others_served(index),
            remedy=remedy(project, index),
            assumed=missing.assumed,
            severity=missing.weight,
            shown=None if missing.core else "strict",
            claim=claim_of(schema(project), index),
            fixes=tuple(declared(project, index)),
        )
        yield from everywhere(found, siblings(index))
