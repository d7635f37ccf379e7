"""indexes/n-plus-one."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.repeated import Repeated, leads_to_many, repeated_queries
from backaudit.backend.data.orms import traits
from backaudit.backend.data.schema import schema
from backaudit.project import Project
from backaudit.rule import KNOWN, Finding, Step, assume, rule


@rule("indexes/n-plus-one", severity="medium", cwe=1073, owasp=("API4:2023",), tags=("performance",))
def n_plus_one(project: Project) -> Iterator[Finding]:
    """A query runs for every row of another query's result.

    A list of a hundred rows costs a hundred and one round trips to the database instead of one or two. The inner query
    is rarely in sight: a lazy relation that a serializer, a response model or a template reads, a property, a helper
    that looks a parent up by its id.

    Mend: load the relation together with the rows (`selectinload`, `joinedload`; `select_related`,
    `prefetch_related`), or fetch all parents by one query before the loop.

    Given:
        from flask import jsonify
        from flask_sqlalchemy import SQLAlchemy
        from sqlalchemy.orm import joinedload

        db = SQLAlchemy()

        class Author(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            name = db.Column(db.String(80))

        class Book(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            title = db.Column(db.String(80))
            author_id = db.Column(db.Integer, db.ForeignKey("author.id"), index=True)
            author = db.relationship("Author")

    Bad:
        def index():
            return jsonify([{"title": book.title, "by": book.author.name} for book in Book.query.all()])

    Good:
        def index():
            books = Book.query.options(joinedload(Book.author)).all()
            return jsonify([{"title": book.title, "by": book.author.name} for book in books])

    Links:
        https://cwe.mitre.org/data/definitions/1073.html
        https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html
        https://docs.djangoproject.com/en/stable/topics/db/optimization/
    """
    for found in repeated_queries(project):
        yield Finding(
            place=found.place,
            message=f"For every {found.what} there is a query more: {found.text}.",
            remedy=_remedy(project, found),
            assumed=KNOWN if found.sure else assume("reach", "somebody waits for it"),
            trace=_trace(found),
            cause=found.cause,
            beside=f"for the same row again: {found.text}",
        )


def _trace(found: Repeated) -> tuple[Step, ...]:
    steps = [Step(found.rows, "the rows are fetched here")]
    steps += [Step(place, "each row goes through here") for place in found.path]
    last = Step(found.place, found.text)
    return (*[step for step in steps if step.place != found.place], last)


def _remedy(project: Project, found: Repeated) -> str:
    named = ",".join((found.relation, *found.others))
    relations = [name.strip() for name in named.replace("`", "").split(",") if name.strip()]
    if not relations or relations[0] == "a query":
        return "Fetch what the loop needs by one query before it (`IN (...)`, or a join), and look it up in a dict."
    return " ".join(dict.fromkeys(_loaded(project, found, relation) for relation in relations))


def _loaded(project: Project, found: Repeated, relation: str) -> str:
    orm = traits(project, found.orm)
    path = relation.replace(".", "__" if orm.queries == "keywords" else ").selectinload(...")
    advice = orm.loaded_many if leads_to_many(project, found.table, relation) else orm.loaded
    table = schema(project).table(found.table)
    model = table.model.rpartition(".")[2] if table is not None else ""
    return (advice or orm.loaded).format(model=model or found.table, relation=path)
