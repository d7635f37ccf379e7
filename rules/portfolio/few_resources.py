"""portfolio/few-resources."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/few-resources", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def few_resources(project: Project) -> Iterator[Finding]:
    """Fewer than three resources can be created, read, changed and deleted.

    Full CRUD on three resources is what is asked of a first back end: it shows methods, statuses and ownership in
    all their forms. A resource that can be added and never changed is half of one.

    Mend: give each resource its routes: list, create, show, change, delete.

    Given:
        from fastapi import FastAPI

        app = FastAPI()

    Bad:
        @app.get("/tasks")
        def tasks():
            return []

        @app.post("/tasks", status_code=201)
        def add(title: str):
            return {"title": title}

    Good:
        @app.get("/tasks")
        @app.get("/notes")
        @app.get("/lists")
        def every(): ...

        @app.post("/tasks", status_code=201)
        @app.post("/notes", status_code=201)
        @app.post("/lists", status_code=201)
        def add(title: str): ...

        @app.patch("/tasks/{id}")
        @app.patch("/notes/{id}")
        @app.patch("/lists/{id}")
        def change(id: int, title: str): ...

        @app.delete("/tasks/{id}", status_code=204)
        @app.delete("/notes/{id}", status_code=204)
        @app.delete("/lists/{id}", status_code=204)
        def drop(id: int): ...
    """
    yield from lacking(project, "resources")
