"""portfolio/no-ci."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/no-ci", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def no_ci(project: Project) -> Iterator[Finding]:
    """No pipeline runs the tests.

    Tests that somebody has to remember to run are not run. A green pipeline on the first page tells a reviewer more
    than any sentence.

    Mend: a workflow that installs the project and runs its tests on each push.

    Bad:
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/tasks")
        def tasks():
            return []

    Good:
        # file: app.py
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/tasks")
        def tasks():
            return []

        # file: .github/workflows/tests.yml
        on: push
        jobs:
          tests:
            runs-on: ubuntu-latest
            steps:
              - run: pip install -r requirements.txt
              - run: pytest
    """
    yield from lacking(project, "pipeline")
