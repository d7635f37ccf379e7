"""validation/unbounded-pagination."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.lists import endless_queries, endless_views
from backaudit.analyses.validation.page_sizes import client_limits
from backaudit.backend.data.queries import call_place
from backaudit.facts import ops
from backaudit.project import Project
from backaudit.rule import Finding, Step, assume, rule

_GROWS = assume("effect", "there will be more of them than one answer should hold")


@rule("validation/unbounded-pagination", severity="low", cwe=770, owasp=("A06:2025", "API4:2023"), shown="strict")
def unbounded_pagination(project: Project) -> Iterator[Finding]:
    """A list has no end, or the end that a client asks for.

    What answers in a moment with ten rows takes the server's memory with a million. A client that may ask for a page of
    any size needs only one request.

    Mend: give every list a page size and a maximum: `limit: int = Query(50, le=100)` and `.limit(limit)`, `paginate`
    with `max_per_page`, `paginate_by`, a `pagination_class`.

    Given:
        from fastapi import FastAPI, Query
        from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

        app = FastAPI()

        class Base(DeclarativeBase):
            pass

        class Book(Base):
            __tablename__ = "books"
            id: Mapped[int] = mapped_column(primary_key=True)

    Bad:
        @app.get("/books")
        def books(session: Session):
            return session.query(Book).all()

    Good:
        @app.get("/books")
        def books(session: Session, limit: int = Query(50, le=100)):
            return session.query(Book).limit(limit).all()

    Links:
        https://owasp.org/API-Security/editions/2023/en/0xa4-unrestricted-resource-consumption/
        https://cwe.mitre.org/data/definitions/770.html
    """
    for endless in endless_queries(project):
        yield Finding(
            place=call_place(endless.node),
            message=f"`{endless.node.code.function.name}()` gives every row of `{endless.what}`: nothing limits it.",
            assumed=_GROWS,
        )
    for view in endless_views(project):
        yield Finding(place=view.place, message=f"`{view.cls.name}` lists every row: it has no page size.")
    for call, origin in client_limits(project):
        yield Finding(
            place=(origin.node.place if isinstance(origin.node.op, ops.Param) else call_place(call)).first_line(),
            message=f"The client chooses the length of the list, and nothing limits it: {origin.what}.",
            assumed=_GROWS,
            trace=(*origin.steps, Step(call_place(call), "is the limit of the query")),
        )
