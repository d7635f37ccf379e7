"""portfolio/few-tests."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/few-tests", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def few_tests(project: Project) -> Iterator[Finding]:
    """There is no test, or most routes are called by none.

    Tests tell a reviewer that the author knows what the code should do, refusals included. Which routes they call
    is read from the paths and names that a test client is given.

    Mend: call each route through the framework's test client: the good case, and each refusal.

    Given:
        # file: app.py
        from fastapi import FastAPI

        app = FastAPI()

    Bad:
        @app.get("/tasks")
        def tasks():
            return []

    Good:
        @app.get("/tasks")
        def tasks():
            return []

        # file: tests/test_tasks.py
        from fastapi.testclient import TestClient

        from app import app

        client = TestClient(app)

        def test_tasks_are_listed():
            assert client.get("/tasks").json() == []
    """
    yield from lacking(project, "tests")
