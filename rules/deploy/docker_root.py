"""deploy/docker-root."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.images import dockerfiles
from backaudit.analyses.deploy.mends import with_user
from backaudit.analyses.deploy.users import is_started, runs_as_root
from backaudit.backend.deployment.stages import has_production_twin, stage_of
from backaudit.extract.docker import Dockerfile, Instruction
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import KNOWN, Assumed, Finding, assume, rule

_ELSEWHERE = assume("stage", "this image is deployed")
_BASE = assume("stage", "the image is run as it is, and no other is made of it")
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
        if not skipped and runs_as_root(project, path, made):
            yield Finding(
                place=Place(path, _start(made).span),
                message=_message(made),
                remedy="Add `RUN useradd --system --create-home app` and `USER app` before it.",
                assumed=_assumed(project, path, made) if stage == "production" else _ELSEWHERE,
                fixes=tuple(with_user(path, made)),
            )


def _assumed(project: Project, path: str, made: Dockerfile) -> Assumed:
    """An image whose name only the build knows may have a user of its own; one that starts nothing is others' base."""
    if not is_started(project, path, made):
        return _BASE
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
