"""deploy/unpinned-image."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.images import unpinned
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("deploy/unpinned-image", severity="low", cwe=1104, owasp=("A03:2025", "A06:2021"), shown="strict")
def unpinned_image(project: Project) -> Iterator[Finding]:
    """An image is used without a version.

    `latest`, which is also what no tag means, is whatever was pushed last: two builds of the same commit differ, a new
    major version arrives unasked, and nobody can say later what ran.

    Mend: name a version, best with its digest.

    Bad:
        # file: Dockerfile
        FROM python:latest
        USER 1000
        CMD ["gunicorn", "app:app"]

    Bad:
        # file: docker-compose.yml
        services:
          db:
            image: postgres

    Good:
        # file: Dockerfile
        FROM python:3.12-slim
        USER 1000
        CMD ["gunicorn", "app:app"]

    Links:
        https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
    """
    for place, image in unpinned(project):
        why = "has the tag `latest`" if image.endswith(":latest") else "has no tag"
        yield Finding(place=place, message=f"The image `{image}` {why}: what it is changes without notice.")
