"""api/undocumented-route."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.api.contract import contradictions
from backaudit.analyses.api.generated import gaps
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("api/undocumented-route", severity="low", shown="strict", tags=("api",))
def undocumented_route(project: Project) -> Iterator[Finding]:
    """The API's description contradicts its code, or leaves open what it should say.

    An OpenAPI document that is written by hand says what was true when it was written: clients are made from it, and
    reviewers read it first. Both ways are looked at: what is described and not there, what is there and not described.
    One that the framework makes of the code says what the code declares: not what a route answers that has no model,
    and not how it refuses.

    Mend: change what is wrong, or let the framework make the document from the code, and declare models and statuses.

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
    for gap in gaps(project):
        yield Finding(place=gap.place, message=gap.message, remedy=gap.remedy, related=gap.others)
