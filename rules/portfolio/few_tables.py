"""portfolio/few-tables."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/few-tables", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def few_tables(project: Project) -> Iterator[Finding]:
    """The schema has fewer than three related tables.

    A relational schema shows how its author thinks: what is a thing of its own, which row belongs to which, what
    may not be empty or twice. One table, or a list kept in one text, shows none of it.

    Mend: give each thing of the domain its table, and tie them by foreign keys.

    Given:
        from fastapi import FastAPI
        from sqlalchemy import ForeignKey
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

        app = FastAPI()

        class Base(DeclarativeBase): ...

    Bad:
        class Task(Base):
            __tablename__ = "tasks"
            id: Mapped[int] = mapped_column(primary_key=True)

        @app.get("/tasks")
        def tasks():
            return []

    Good:
        class Task(Base):
            __tablename__ = "tasks"
            id: Mapped[int] = mapped_column(primary_key=True)
            owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)

        class User(Base):
            __tablename__ = "users"
            id: Mapped[int] = mapped_column(primary_key=True)

        class Comment(Base):
            __tablename__ = "comments"
            id: Mapped[int] = mapped_column(primary_key=True)
            task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"), index=True)

        @app.get("/tasks")
        def tasks():
            return []
    """
    yield from lacking(project, "relations")
