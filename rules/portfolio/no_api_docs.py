"""portfolio/no-api-docs."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/no-api-docs", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def no_api_docs(project: Project) -> Iterator[Finding]:
    """Nothing describes the API to its users.

    Whoever wants to try the API has to read its code. OpenAPI made from the code is always up to date, and costs a
    few lines.

    Mend: FastAPI describes itself; flask-smorest, flasgger, drf-spectacular do it for Flask and Django.

    Bad:
        from flask import Flask

        app = Flask(__name__)

        @app.get("/tasks")
        def tasks():
            return []

    Good:
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/tasks")
        def tasks():
            return []
    """
    yield from lacking(project, "documentation")
