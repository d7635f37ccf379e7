"""deploy/docker-root."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from backaudit.analyses.deploy.images import bare, dockerfiles, services
from backaudit.analyses.deploy.mends import with_user
from backaudit.backend.deployment.stages import has_production_twin, stage_of
from backaudit.extract.docker import Dockerfile, Instruction
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import KNOWN, Assumed, Finding, assume, rule
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

_ELSEWHERE = assume("stage", "this image is deployed")
_NAMED_BY_THE_BUILD = assume("stage", "the image that the build names sets no user of its own")


@rule("deploy/docker-root", severity="medium", cwe=250, owasp=("A02:2025", "A05:2021", "API8:2023"), about_files=True)
def docker_root(project: Project) -> Iterator[Finding]:
    """The image runs as root.

    Without `USER` the process in the container is root. Whoever gets code to run in it can change the application,
    install tools, write to mounted volumes as the host's root, and has the best start for leaving the container.

    Mend: make a user and switch to it before the last `CMD`.

    Bad:
        # file: Dockerfile
        FROM python:3.12-slim
        COPY . /app
        CMD ["gunicorn", "app:app"]

    Good:
        # file: Dockerfile
        FROM python:3.12-slim
        COPY . /app
        RUN useradd --system app
        USER app
        CMD ["gunicorn", "app:app"]

    Links:
        https://docs.docker.com/build/building/best-practices/#user
    """
    for path, made in dockerfiles(project).items():
        stage = stage_of(project, path)
        skipped = stage == "example" or has_production_twin(project, path) or not made.stages
        if not skipped and _is_root(project, path, made):
            yield Finding(
                place=Place(path, _start(made).span),
                message=_message(made),
                remedy="Add `RUN useradd --system --create-home app` and `USER app` before it.",
                assumed=_assumed(made) if stage == "production" else _ELSEWHERE,
                fixes=tuple(with_user(path, made)),
            )


def _assumed(made: Dockerfile) -> Assumed:
    """An image whose name only the build knows may have a user of its own."""
    return _NAMED_BY_THE_BUILD if "$" in list(made.chain())[-1].image else KNOWN


def _start(made: Dockerfile) -> Instruction:
    """Where the container starts: the last CMD or ENTRYPOINT, else the first FROM."""
    found = [item for item in made.stages[-1].body if item.keyword in ("CMD", "ENTRYPOINT")]
    return found[-1] if found else made.stages[0].start


def _message(made: Dockerfile) -> str:
    user = made.user()
    if user:
        return f"The container runs as `{user}`: the last `USER` says so."
    return "No `USER` is set, so the container runs as root."


def _is_root(project: Project, path: str, made: Dockerfile) -> bool:
    user = made.user()
    stays = _names_root(user) if user else not _drops_by_itself(made)
    if not stays or any(_STEPS_DOWN.search(text) for text in _scripts(project, path, made)):
        return False
    running = [found.node.get("user") for found in services(project) if found.dockerfile == path]
    return not running or any(named is None or _names_root(named.text or "root") for named in running)


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
    copies = [item.words.split() for stage in made.chain() for item in stage.body if item.keyword in ("COPY", "ADD")]
    return {
        posixpath.basename(words[-2].strip("\"'[],"))
        for words in copies
        if len(words) > 1 and posixpath.basename(words[-1].strip("\"'[],")) in names
    }


def _texts(project: Project, folder: str, names: set[str]) -> Iterator[str]:
    for path, file in project.facts.items():
        if file.kind != "python" and posixpath.basename(path) in names and path.startswith(folder):
            yield file.text
