"""portfolio/no-migrations."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/no-migrations", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def no_migrations(project: Project) -> Iterator[Finding]:
    """The schema is not changed by migrations.

    `create_all` makes tables that are missing and changes none that are there: the first new column ends in a
    database that is dropped, or altered by hand. A reviewer looks for the steps.

    Mend: bring the schema under Alembic (Flask-Migrate, Django's migrations, aerich), and commit every step.

    Given:
        # file: app.py
        from fastapi import FastAPI
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

        app = FastAPI()

        class Base(DeclarativeBase): ...

        class Task(Base):
            __tablename__ = "tasks"
            id: Mapped[int] = mapped_column(primary_key=True)

    Bad:
        @app.get("/tasks")
        def tasks():
            return []

    Good:
        @app.get("/tasks")
        def tasks():
            return []

        # file: migrations/versions/0001_initial.py
        import sqlalchemy as sa
        from alembic import op

        revision = "0001"

        def upgrade():
            op.create_table("tasks", sa.Column("id", sa.Integer, primary_key=True))
    """
    yield from lacking(project, "migrations")
