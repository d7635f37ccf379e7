"""portfolio/thin-error-handling."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/thin-error-handling", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def thin_error_handling(project: Project) -> Iterator[Finding]:
    """Clients' mistakes have no status of their own, or nothing is logged.

    A client can only react to what it is told: 404 for a row that is not there, 409 for one that is there already.
    And an error that no log holds cannot be mended.

    Mend: answer each mistake with its own 4xx, have one handler for what nobody expected, and let it log.

    Bad:
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/tasks/{id}")
        def show(id: int):
            return tasks.get(id)

    Good:
        import logging

        from fastapi import FastAPI, HTTPException

        app = FastAPI()
        logger = logging.getLogger(__name__)

        @app.get("/tasks/{id}")
        def show(id: int):
            task = tasks.get(id)
            if task is None:
                logger.info("no task %s", id)
                raise HTTPException(status_code=404, detail="no such task")
            return task
    """
    yield from lacking(project, "failures")
