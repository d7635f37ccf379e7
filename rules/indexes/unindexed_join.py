"""indexes/unindexed-join."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.findings import findings
from backaudit.project import Project
from backaudit.rule import Finding, rule


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
    yield from findings(project, "join", "serves the join on", "the whole table is read")
