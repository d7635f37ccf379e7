"""portfolio/no-deployment."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/no-deployment", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def no_deployment(project: Project) -> Iterator[Finding]:
    """Nothing says where the application is deployed, or what is said does not fit it.

    A project that runs somewhere is looked at; one that has to be installed first often is not. The platform's file
    shows that it can be deployed again, on the port that it is given, with its migrations.

    Mend: commit `railway.json`, `render.yaml`, `fly.toml` or a Procfile, start on `$PORT`, and run migrations at
    each release.

    Given:
        # file: app.py
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/tasks")
        def tasks():
            return []

    Bad:
        # file: Procfile
        web: uvicorn app:app --port 8000

    Good:
        # file: Procfile
        web: uvicorn app:app --host 0.0.0.0 --port $PORT
    """
    yield from lacking(project, "deployment")
