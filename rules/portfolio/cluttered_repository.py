"""portfolio/cluttered-repository."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/cluttered-repository", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def cluttered_repository(project: Project) -> Iterator[Finding]:
    """The repository holds what tools made, or leaves nothing out.

    Caches, virtual environments, databases and large binaries hide the project, make every clone slow, and often
    hold what nobody meant to publish.

    Mend: take them out with `git rm --cached`, and list them in `.gitignore`.

    Given:
        # file: app.py
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/tasks")
        def tasks():
            return []

    Bad:
        # file: db.sqlite3
        SQLite format 3

    Good:
        # file: .gitignore
        __pycache__/
        .env
        .venv/
    """
    yield from lacking(project, "repository")
