"""The user that a container runs as: its Dockerfile's, its base image's, or the one that its start steps down to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from backaudit.analyses.deploy.images import bare, services
from backaudit.extract.docker import Dockerfile
from backaudit.project import Project
from backaudit.vocabulary.meaning import meaning

# Images that set a user of their own, and those whose entry point gives root away before it starts the service.
_UNPRIVILEGED = meaning("images", "unprivileged")
_UNPRIVILEGED_TAG = meaning("images", "unprivileged-tag")
_DROPPING = meaning("images", "steps-down")
_STEPS_DOWN = re.compile(
    r"\b(gosu|su-exec|setpriv|runuser|chpst|s6-setuidgid)\b|\bsu\s+-|--uid[= ]|--user[= ]"
    r"|^[ \t]*(user|uid)[ \t]*=[ \t]*[\"']?(?!root\b|0\b)[\w$]",
    re.MULTILINE,
)


def runs_as_root(project: Project, path: str, made: Dockerfile) -> bool:
    """Whether what a Dockerfile makes starts as root and stays so, in every service that is made of it."""
    user = made.user()
    stays = _names_root(user) if user else not _drops_by_itself(made)
    if not stays or any(_STEPS_DOWN.search(text) for text in _scripts(project, path, made)):
        return False
    running = [found.node.get("user") for found in services(project) if found.dockerfile == path]
    return not running or any(named is None or _names_root(named.text or "root") for named in running)


def is_started(project: Project, path: str, made: Dockerfile) -> bool:
    """Whether a Dockerfile says what its image starts, or a service is made of it that may."""
    return _starts(made) or any(found.dockerfile == path for found in services(project))


def _names_root(user: str) -> bool:
    return user.partition(":")[0].strip("\"'") in ("root", "0")


def _drops_by_itself(made: Dockerfile) -> bool:
    """Whether the base image has a user, or an entry point that gives root away and is still in its place."""
    chain = list(made.chain())
    image = bare(chain[-1].image).lower()
    if (
        _UNPRIVILEGED.holds(image)
        or _UNPRIVILEGED_TAG.holds(chain[-1].image.lower())
        or (image == "scratch" and not _starts(made))
    ):
        return True
    return bool(_DROPPING.holds(image)) and not any(stage.last("ENTRYPOINT") for stage in chain)


def _starts(made: Dockerfile) -> bool:
    return any(stage.last("CMD", "ENTRYPOINT") for stage in made.chain())


def _scripts(project: Project, path: str, made: Dockerfile) -> Iterator[str]:
    """What the container starts, and the texts of the project's scripts and configuration files among it."""
    for stage in made.chain():
        for found in (stage.last("CMD"), stage.last("ENTRYPOINT")):
            if found is not None:
                yield found.words
                names = {posixpath.basename(word.strip("\"';&|[],")) for word in found.words.split()}
                yield from _texts(project, posixpath.dirname(path).partition("/")[0], names | _renamed(made, names))


def _renamed(made: Dockerfile, names: set[str]) -> set[str]:
    """What files that are copied into the image under one of these names are called in the project."""
    instructions = (item for stage in made.chain() for item in stage.body)
    copies = [item.words.split() for item in instructions if item.keyword in ("COPY", "ADD")]
    return {
        posixpath.basename(words[-2].strip("\"'[],"))
        for words in copies
        if len(words) > 1 and posixpath.basename(words[-1].strip("\"'[],")) in names
    }


def _texts(project: Project, folder: str, names: set[str]) -> Iterator[str]:
    for path, file in project.facts.items():
        if file.kind != "python" and posixpath.basename(path) in names and path.startswith(folder):
            yield file.text
