"""The platforms that a repository is prepared for: what they start, the port, what runs at a release."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backaudit.analyses.deploy.images import Command, commands, dockerfiles
from backaudit.backend.deployment.settings import env_lookups
from backaudit.project import Project
from backaudit.project.knowledge import PlatformModel
from backaudit.vocabulary.meaning import meaning

_MIGRATES = meaning("migrations", "command")
_FIXED_PORT = re.compile(r"(?:--port[= ]|:|-p |--bind[= ]\S*:)(?P<port>\d{2,5})\b")
_PROGRAM = re.compile(r"[\w./-]+\.(?:sh|py)\b")


class Deployment(msgspec.Struct, frozen=True):
    """A platform's file. ``listens``: what is started takes the port that the platform gives; ``migrates``: a release,
    or the start, brings the schema up to date."""

    title: str
    path: str
    port: str
    listens: bool
    migrates: bool


def deployments(project: Project) -> tuple[Deployment, ...]:
    """All of them, by platform and path. Ask with ``project.once``."""
    found: list[Deployment] = []
    for _, platform in sorted(project.models.platforms.items()):
        for path in sorted(project.facts):
            if any(re.search(pattern, path) for pattern in platform.files):
                found.append(_deployment(project, platform, path))
    return tuple(found)


def _deployment(project: Project, platform: PlatformModel, path: str) -> Deployment:
    text = project.facts[path].text
    own = [command for command in commands(project) if command.place.path == path]
    images = [command for command in commands(project) if command.place.path in dockerfiles(project)]
    started = own or images
    scripts = [project.facts[name].text for name in _scripts(project, started)]
    return Deployment(
        title=platform.title,
        path=path,
        port=platform.port,
        listens=_listens(project, platform, text, started, scripts),
        migrates=any(map(_MIGRATES.holds, (text, *(command.text for command in started), *scripts))),
    )


def _scripts(project: Project, started: list[Command]) -> Iterator[str]:
    """The project's own scripts that a command runs."""
    for command in started:
        for name in _PROGRAM.findall(command.text):
            last = name.rpartition("/")[2]
            yield from (path for path in project.facts if path.rpartition("/")[2] == last)


def _listens(project: Project, platform: PlatformModel, text: str, started: list[Command], scripts: list[str]) -> bool:
    """The port is the platform's variable, is told to the platform, or nothing says another."""
    told = [*(command.text for command in started), *scripts]
    if not platform.port or platform.port in " ".join((text, *told)):
        return True
    fixed = [found["port"] for one in told for found in _FIXED_PORT.finditer(one)]
    beside = text if not any(one in text for one in told) else ""
    return not fixed or any(re.search(rf"\b{port}\b", beside) for port in fixed) or _reads(project, platform.port)


def _reads(project: Project, variable: str) -> bool:
    return any(lookup.name == variable for lookup in project.once(env_lookups))
