"""portfolio/thin-readme."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/thin-readme", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def thin_readme(project: Project) -> Iterator[Finding]:
    """The README does not say what a reader needs first.

    It is the page that is read before any code: what the API does, how to run it, a request that one can try, which
    variables to set, and where it runs. It is judged by its prose, code blocks and links, not by its length.

    Mend: write each of these, in a sentence or a block of code.

    Given:
        # file: app.py
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/tasks")
        def tasks():
            return []

    Bad:
        # file: README.md
        # tasks

        TODO

    Good:
        # file: README.md
        # Tasks

        An API that keeps the tasks of a team, with due dates and comments.

        Live at https://tasks.onrender.com

            pip install -r requirements.txt
            uvicorn app:app

        Set `DATABASE_URL` in the `.env` file.

            curl https://tasks.onrender.com/tasks
    """
    yield from lacking(project, "readme")
