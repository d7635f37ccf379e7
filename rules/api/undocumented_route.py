"""api/undocumented-route."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.api.contract import contradictions
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("api/undocumented-route", severity="low", shown="strict", tags=("api",))
def undocumented_route(project: Project) -> Iterator[Finding]:
    """The API's description and its code contradict each other.

    An OpenAPI document that is written by hand says what was true when it was written: clients are made from it, and
    reviewers read it first. Both ways are looked at: what is described and not there, what is there and not described.

    Mend: change what is wrong, or let the framework make the document from the code.

    Given:
        # file: app.py
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/tasks")
        def tasks(): ...

        @app.post("/tasks", status_code=201)
        def add(): ...

    Bad:
        # file: openapi.yaml
        openapi: 3.0.3
        paths:
          /tasks:
            get:
              responses: {"200": {description: all tasks}}

    Good:
        # file: openapi.yaml
        openapi: 3.0.3
        paths:
          /tasks:
            get:
              responses: {"200": {description: all tasks}}
            post:
              responses: {"201": {description: it was made}}

    Links:
        https://spec.openapis.org/oas/latest.html
    """
    for found in project.once(contradictions):
        yield Finding(place=found.place, message=found.message, remedy=found.remedy)
