"""portfolio/compose-without-database."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/compose-without-database", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def compose_without_database(project: Project) -> Iterator[Finding]:
    """No compose file starts the application with a database that is waited for.

    One command should start all that a newcomer needs: the database with its volume, and the application when that
    is ready. Without the condition the first start fails every second time.

    Mend: a `db` service with a volume and a healthcheck, and `depends_on` with `condition: service_healthy`.

    Given:
        # file: app.py
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/tasks")
        def tasks():
            return []

    Bad:
        # file: compose.yaml
        services:
          api:
            build: .

    Good:
        # file: compose.yaml
        services:
          api:
            build: .
            depends_on:
              db:
                condition: service_healthy
          db:
            image: postgres:16.4
            healthcheck:
              test: ["CMD", "pg_isready"]
            volumes:
              - data:/var/lib/postgresql/data
        volumes:
          data:
    """
    yield from lacking(project, "compose")
