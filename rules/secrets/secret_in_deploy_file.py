"""secrets/secret-in-deploy-file."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.secrets.credentials import findings
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule(
    "secrets/secret-in-deploy-file",
    severity="high",
    cwe=798,
    owasp=("A02:2025", "A05:2021", "API8:2023"),
    local=True,
    needs=(),
)
def secret_in_deploy_file(project: Project) -> Iterator[Finding]:
    """A file that runs the project holds a credential.

    A Dockerfile, a compose file, a manifest or a workflow is read by more people and machines than the code, and what
    ``ENV`` and ``ARG`` set stays in every layer of the image.

    Mend: refer to the value (`${POSTGRES_PASSWORD}` with an untracked `.env`, `secrets:` of compose, the platform's
    secret store, `${{ secrets.NAME }}` in a workflow), and change it, since it is known.

    Bad:
        # file: docker-compose.yml
        services:
          db:
            image: postgres:16
            environment:
              POSTGRES_PASSWORD: kX9vTq2LmWzR7

    Bad: an image that carries its key
        # file: Dockerfile
        FROM python:3.12-slim
        ENV SECRET_KEY=vN3kX9vTq2LmWzR7pYc4
        USER 1000
        CMD ["gunicorn", "app:app"]

    Good:
        # file: docker-compose.yml
        services:
          db:
            image: postgres:16
            environment:
              POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}

    Links:
        https://docs.docker.com/compose/how-tos/use-secrets/
        https://docs.docker.com/build/building/secrets/
    """
    yield from findings(project, "secret-in-deploy-file")
