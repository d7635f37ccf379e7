"""deploy/dev-server."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.images import commands
from backaudit.backend.stages import stage_of
from backaudit.project import Project
from backaudit.rule import Finding, rule

_SERVERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(uvicorn|hypercorn|gunicorn)\b.*\s--reload\b"), "the server with its reloader"),
    (re.compile(r"\bmanage\.py[\"', ]+runserver"), "Django's development server"),
    (re.compile(r"\bflask\b(?:\s+-\S+(?:\s+[\w.:]+)?)*\s+run\b"), "Flask's development server"),
    (re.compile(r"\bfastapi\s+dev\b"), "FastAPI's development mode"),
    (re.compile(r"\badev\s+runserver\b"), "aiohttp's development server"),
)
_PYTHON = re.compile(r"\bpython3?(?:\s+-u)?\s+(?:\./)?(?P<file>[\w./-]+\.py)\b")


@rule("deploy/dev-server", severity="medium", cwe=489, owasp=("A02:2025", "A05:2021"), shown="strict")
def dev_server(project: Project) -> Iterator[Finding]:
    """What is deployed starts a development server.

    Development servers serve one request at a time or watch files and restart; they are made neither for load nor for
    strangers, and their authors say so.

    Mend: start a production server: `gunicorn app:app`, `uvicorn app.main:app --workers 2` without `--reload`.

    Bad:
        # file: Dockerfile
        FROM python:3.12-slim
        USER 1000
        CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--reload"]

    Bad:
        # file: Procfile
        web: python manage.py runserver 0.0.0.0:$PORT

    Good:
        # file: Procfile
        web: gunicorn config.wsgi

    Links:
        https://flask.palletsprojects.com/en/stable/deploying/
        https://docs.djangoproject.com/en/stable/ref/django-admin/#runserver
    """
    for command in commands(project):
        server = _server(project, command.text)
        if server and stage_of(project, command.place.path) == "production":
            yield Finding(
                place=command.place,
                message=f"This starts {server} in what is deployed.",
                confidence="medium" if command.place.path.endswith((".yml", ".yaml")) else "high",
            )


def _server(project: Project, command: str) -> str:
    for pattern, name in _SERVERS:
        if pattern.search(command):
            return name
    script = _PYTHON.search(command)
    return "Flask's development server" if script and _runs_flask(project, script["file"]) else ""


def _runs_flask(project: Project, script: str) -> bool:
    """Whether a script of the project calls the application's own ``run``."""
    name = script.rpartition("/")[2]
    return any(
        call.code.path.rpartition("/")[2] == name and call.code.function.kind == "module"
        for call in project.calls(*sorted(project.models.kinds.get("development-servers", ())))
    )
