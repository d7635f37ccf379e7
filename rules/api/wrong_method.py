"""api/wrong-method."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.api.methods import Posted, posted
from backaudit.project import Project
from backaudit.rule import Finding, Step, rule

_SHOWN = 3


@rule("api/wrong-method", severity="low", shown="strict", tags=("api",))
def wrong_method(project: Project) -> Iterator[Finding]:
    """An API is posted to where another method says what is done.

    POST is the one method that nobody may send twice or keep an answer of. A read by POST is cached nowhere and has no
    link; a change by POST, where the API has PUT for others, makes clients look up each address in the documentation.

    Mend: GET for what only reads, PUT or PATCH for the change of one thing whose address is known.

    Given:
        from fastapi import Depends, FastAPI
        from sqlalchemy import select
        from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

        app = FastAPI()

        class Base(DeclarativeBase): ...

        class Task(Base):
            __tablename__ = "tasks"
            id: Mapped[int] = mapped_column(primary_key=True)
            title: Mapped[str]

        def get_db() -> Session: ...

    Bad:
        @app.post("/tasks/all")
        def tasks(db: Session = Depends(get_db)):
            return db.scalars(select(Task)).all()

    Good:
        @app.get("/tasks")
        def tasks(db: Session = Depends(get_db)):
            return db.scalars(select(Task)).all()

    Links:
        https://www.rfc-editor.org/rfc/rfc9110#name-method-definitions
    """
    found = posted(project)
    if found:
        first, *others = found
        yield Finding(
            place=first.route.place.first_line(),
            message=_message(found),
            related=tuple(Step(one.route.place.first_line(), _said(one)) for one in others),
        )


def _message(found: tuple[Posted, ...]) -> str:
    named = "; ".join(map(_said, found[:_SHOWN])) + (" …" if len(found) > _SHOWN else "")
    counted = f"{len(found)} routes are posted to where another method fits: " if len(found) > 1 else ""
    return f"{counted}{named}."


def _said(one: Posted) -> str:
    return f"{one.route.label} {one.does}, which {one.better} says"
