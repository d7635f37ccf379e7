"""Whether a Dockerfile makes an image that is small, pinned, not root's, and says when it is well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.analyses.deploy.images import bare, dockerfiles, services
from backaudit.backend.deployment.stages import has_production_twin, stage_of
from backaudit.extract.docker import Dockerfile
from backaudit.facts.place import Place
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import lack
from backaudit.project import Project
from backaudit.vocabulary.meaning import meaning

_SMALL = meaning("images", "small")
_UNPRIVILEGED = (meaning("images", "unprivileged"), meaning("images", "unprivileged-tag"))
_STORE = meaning("images", "store")
_VERSION = re.compile(r":[\w.-]*\d|@sha256:|\$")


def row(project: Project) -> Row:
    """The image of the application."""
    found = image_file(project)
    return Row(
        key="image",
        title="Dockerfile",
        facts=tuple(_facts(*found)) if found is not None else (),
        lacks=tuple(_lacks(project, *found)) if found is not None else (_none(project),),
        basis=found is not None,
    )


def image_file(project: Project) -> tuple[str, Dockerfile] | None:
    """The Dockerfile that makes the application: of production where there are several, nearest to the root."""
    made = {path: one for path, one in dockerfiles(project).items() if one.stages and not _is_store(one)}
    deployed = [path for path in made if stage_of(project, path) == "production"]
    best = [path for path in deployed if not has_production_twin(project, path)] or deployed or list(made)
    path = min(best, key=lambda one: (one.count("/"), len(one), one), default="")
    return (path, made[path]) if path else None


def _is_store(made: Dockerfile) -> bool:
    return _STORE.holds(bare(list(made.chain())[-1].image))


def _base(made: Dockerfile) -> str:
    return list(made.chain())[-1].image


def _facts(path: str, made: Dockerfile) -> Iterator[Fact]:
    start = made.stages[-1].start
    yield Fact(f"{path} starts from {_base(made)}", Place(path, start.span))
    if made.user():
        yield Fact(f"it runs as {made.user()}")


def _none(project: Project) -> Lack:
    return lack(project, "image/none", "there is no Dockerfile")


def _lacks(project: Project, path: str, made: Dockerfile) -> Iterator[Lack]:
    base, place = _base(made), Place(path, made.stages[-1].start.span)
    if _is_root(made, base):
        yield lack(project, "image/root", "the container runs as root", place)
    if not _VERSION.search(base):
        yield lack(project, "image/unpinned", f"{base} names no version", place)
    if not _SMALL.holds(base):
        yield lack(project, "image/large", f"{base} is a large image", place)
    if not _is_watched(project, path, made):
        yield lack(project, "image/health", "nothing asks the container whether it is well", place)


def _is_root(made: Dockerfile, base: str) -> bool:
    user = made.user().partition(":")[0]
    return user in ("root", "0") or (not user and not any(book.holds(base) for book in _UNPRIVILEGED))


def _is_watched(project: Project, path: str, made: Dockerfile) -> bool:
    """By the image, or by the service that is built from it."""
    if any(stage.last("HEALTHCHECK") for stage in made.chain()):
        return True
    return any(service.node.get("healthcheck") for service in services(project) if service.dockerfile == path)
