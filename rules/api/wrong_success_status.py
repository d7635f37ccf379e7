"""api/wrong-success-status."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.api.statuses import wrong_successes
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("api/wrong-success-status", severity="low", cwe=393, shown="strict", tags=("api",))
def wrong_success_status(project: Project) -> Iterator[Finding]:
    """A success is told by the wrong status.

    Clients and caches act on the status: 201 says that something was made, 202 that it was only queued, 204 that
    nothing follows, 404 that the address leads nowhere. A body behind a 204 is thrown away, a list that happens to be
    empty is no wrong address, and a client that gets 200 with null reads a field of nothing.

    Mend: 201 for what was made, 202 for what a worker will do, 204 without a body, 404 for one thing that is not there,
    200 with `[]` for an empty list.

    Given:
        from fastapi import FastAPI
        from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

        app = FastAPI()

        class Base(DeclarativeBase): ...

        class Task(Base):
            __tablename__ = "tasks"
            id: Mapped[int] = mapped_column(primary_key=True)
            title: Mapped[str]

    Bad:
        @app.post("/tasks")
        def add(title: str, db: Session):
            db.add(Task(title=title))
            db.commit()
            return {"title": title}

    Good:
        @app.post("/tasks", status_code=201)
        def add(title: str, db: Session):
            db.add(Task(title=title))
            db.commit()
            return {"title": title}

    Links:
        https://www.rfc-editor.org/rfc/rfc9110#name-successful-2xx
    """
    for wrong in wrong_successes(project):
        yield Finding(place=wrong.place, message=wrong.message, scope=wrong.route.handler.function.qualname)
