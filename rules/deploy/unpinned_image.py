"""deploy/unpinned-image."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.images import Service, bare, dockerfiles, services
from backaudit.backend.deployment.stages import stage_of
from backaudit.facts.place import Place
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
    for path, made in dockerfiles(project).items():
        names = {stage.name.lower() for stage in made.stages if stage.name}
        for stage in made.stages:
            if stage.image.lower() not in names and _is_unpinned(stage.image) and stage_of(project, path) != "example":
                yield _finding(Place(path, stage.start.span), stage.image)
    made_here = {bare(text) for service in services(project) if service.built for text in _tags(service)}
    for service in services(project):
        node = service.node.get("image")
        shown = stage_of(project, service.path) != "example"
        own = service.built or bare(service.image) in made_here
        if node is not None and shown and not own and _is_unpinned(service.image):
            yield _finding(Place(service.path, node.span), service.image)


def _tags(service: Service) -> Iterator[str]:
    """The names that a service's built image is given."""
    named = service.node.get("image")
    if named is not None and named.text:
        yield named.text


def _is_unpinned(image: str) -> bool:
    if not image or "$" in image or "@" in image or image == "scratch":
        return False
    tag = image.rpartition("/")[2].partition(":")[2]
    return tag in ("", "latest")


def _finding(place: Place, image: str) -> Finding:
    why = "has the tag `latest`" if image.endswith(":latest") else "has no tag"
    return Finding(place=place, message=f"The image `{image}` {why}: what it is changes without notice.")
