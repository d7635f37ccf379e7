"""portfolio/incomplete-env-example."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/incomplete-env-example", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def incomplete_env_example(project: Project) -> Iterator[Finding]:
    """Settings stand in the code, or no example lists those that are read.

    Whoever clones the project has to learn from the first exception which variables it wants, one after the other;
    and a secret that is no setting is one in the code.

    Mend: read settings from the environment, and keep a `.env.example` with every variable and no secret.

    Given:
        # file: app.py
        import os

        from fastapi import FastAPI

        app = FastAPI()
        KEY = os.environ["SECRET_KEY"]

    Bad:
        @app.get("/tasks")
        def tasks():
            return []

    Good:
        @app.get("/tasks")
        def tasks():
            return []

        # file: .env.example
        # python -c "import secrets; print(secrets.token_hex())"
        SECRET_KEY=
    """
    yield from lacking(project, "environment")
