"""deploy/dev-server."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.servers import development_servers
from backaudit.project import Project
from backaudit.rule import KNOWN, Finding, assume, rule

_FILE = assume("settings", "this file is the one that is deployed")


@rule("deploy/dev-server", severity="medium", cwe=489, owasp=("A02:2025", "A05:2021"), shown="strict", about_files=True)
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
    for started in development_servers(project):
        by_file = started.command.place.path.endswith((".yml", ".yaml"))
        yield Finding(
            place=started.place,
            message=f"This starts {started.server} in what is deployed.",
            assumed=_FILE if by_file else KNOWN,
        )
