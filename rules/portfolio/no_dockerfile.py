"""portfolio/no-dockerfile."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/no-dockerfile", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def no_dockerfile(project: Project) -> Iterator[Finding]:
    """There is no Dockerfile, or its image is large, root's, unpinned or unwatched.

    An image that anybody can build is the shortest proof that a project runs. One that is started by root, from
    whatever `latest` is today, shows that it was copied.

    Mend: a slim, pinned base, requirements first, a user of its own, a HEALTHCHECK.

    Given:
        # file: app.py
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/tasks")
        def tasks():
            return []

    Bad:
        # file: Dockerfile
        FROM python:latest
        COPY . .
        CMD ["uvicorn", "app:app"]

    Good:
        # file: Dockerfile
        FROM python:3.12-slim
        COPY . .
        RUN useradd --system app
        USER app
        HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8000/tasks')"]
        CMD ["uvicorn", "app:app"]
    """
    yield from lacking(project, "image")
