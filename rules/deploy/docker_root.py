"""deploy/docker-root."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from backaudit.backend.images import bare, dockerfiles
from backaudit.backend.stages import stage_of
from backaudit.extract.docker import Dockerfile, Instruction
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import Finding, rule

# Images that set a user of their own, and those whose entry point gives root away before it starts the service.
_UNPRIVILEGED = re.compile(
    r"nonroot|unprivileged|rootless|(^|/)(bitnami|chainguard)/|^cgr\.dev/|aws-lambda|lambda/|(^|/)(jenkins|grafana|keycloak|"
    r"sonarqube|elasticsearch|opensearch|kibana|airflow|superset|prometheus|solr)(/|$)|ubi\d*/python|sclorg/|s2i"
)
_DROPPING = re.compile(
    r"(^|/)(postgres|postgis|timescaledb|pgvector|mysql|mariadb|percona|mongo|redis|valkey|rabbitmq|memcached|cassandra|clickhouse"
    r"(-server)?|influxdb|neo4j|couchdb|nginx|httpd|haproxy|traefik|caddy)(-alpine)?$"
)
_STEPS_DOWN = re.compile(r"\b(gosu|su-exec|setpriv|runuser|chpst|s6-setuidgid)\b|\bsu\s+-|--uid[= ]|--user[= ]")


@rule("deploy/docker-root", severity="medium", cwe=250, owasp=("A02:2025", "A05:2021", "API8:2023"))
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
        if stage != "example" and made.stages and _is_root(project, path, made):
            at = _start(made)
            yield Finding(
                place=Place(path, at.span),
                message=_message(made),
                remedy="Add `RUN useradd --system --create-home app` and `USER app` before it.",
                confidence="high" if stage == "production" else "low",
            )


def _start(made: Dockerfile) -> Instruction:
    """Where the container starts: the last CMD or ENTRYPOINT, else the first FROM."""
    found = [item for item in made.stages[-1].body if item.keyword in ("CMD", "ENTRYPOINT")]
    return found[-1] if found else made.stages[0].start


def _message(made: Dockerfile) -> str:
    user = next((stage.last("USER") for stage in made.chain() if stage.last("USER")), None)
    if user is not None:
        return f"The container runs as `{user.text}`: the last `USER` says so."
    return "No `USER` is set, so the container runs as root."


def _is_root(project: Project, path: str, made: Dockerfile) -> bool:
    chain = list(made.chain())
    for stage in chain:
        user = stage.last("USER")
        if user is not None:
            return user.text.partition(":")[0].strip("\"'") in ("root", "0")
    image = bare(chain[-1].image).lower()
    if _UNPRIVILEGED.search(chain[-1].image.lower()) or (image == "scratch" and not _starts(made)):
        return False
    if _DROPPING.search(image) and not (chain[0].last("CMD") or chain[0].last("ENTRYPOINT")):
        return False
    return not any(_STEPS_DOWN.search(text) for text in _scripts(project, path, made))


def _starts(made: Dockerfile) -> bool:
    return any(stage.last("CMD", "ENTRYPOINT") for stage in made.chain())


def _scripts(project: Project, path: str, made: Dockerfile) -> Iterator[str]:
    """What the container starts, and the text of the project's scripts among it."""
    for stage in made.chain():
        for found in (stage.last("CMD"), stage.last("ENTRYPOINT")):
            if found is not None:
                yield found.words
                for word in found.words.split():
                    yield from _script(project, posixpath.dirname(path), posixpath.basename(word))


def _script(project: Project, folder: str, name: str) -> Iterator[str]:
    for other, file in project.facts.items():
        if name.endswith(".sh") and posixpath.basename(other) == name and other.startswith(folder.partition("/")[0]):
            yield file.text
