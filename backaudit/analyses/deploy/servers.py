"""Servers for development that what is deployed starts: by its command, or by a script that the command runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from backaudit.analyses.deploy.images import Command, commands
from backaudit.backend.deployment.settings import is_literally
from backaudit.backend.deployment.stages import stage_of
from backaudit.distinct import distinct
from backaudit.facts.place import Place, Span
from backaudit.project import Node, Project
from backaudit.source import lines

# More scripts of one name are those of several services, and which one is meant cannot be told.
_SCRIPTS = 3
_PYTHON = re.compile(r"\bpython3?(?:\s+-u)?\s+(?:\./)?(?P<file>[\w./-]+\.py)\b")


class Started(msgspec.Struct, frozen=True):
    """``server``: what is started at ``place``, by ``command`` or by a script that it runs."""

    place: Place
    server: str
    command: Command


def development_servers(project: Project) -> Iterator[Started]:
    """The development servers that are started in production, each place once."""
    started = (found for command in commands(project) for found in _started(project, command))
    in_production = (found for found in started if stage_of(project, found.place.path) == "production")
    return distinct(in_production, lambda found: found.place)


def _started(project: Project, command: Command) -> Iterator[Started]:
    """The development server that a command starts, itself or by a script of the project."""
    if stage_of(project, command.place.path) != "production":
        return
    server = _server(project, command.text)
    if server:
        yield Started(command.place, server, command)
    for path in _scripts(project, command.text):
        for number, line in enumerate(lines(project.facts[path].text), 1):
            # What is indented stands under a condition, which mostly asks for development.
            server = _server(project, line) if line[:1].isalpha() else ""
            if server:
                place = Place(path, Span(number, 0, number, len(line.rstrip())))
                yield Started(place, server, command)


def _scripts(project: Project, command: str) -> Iterator[str]:
    names = {posixpath.basename(word.strip("\"';&|")) for word in command.split()}
    found = [path for path, file in project.facts.items() if file.kind == "shell" and posixpath.basename(path) in names]
    yield from found if len(found) <= _SCRIPTS else ()


def _server(project: Project, command: str) -> str:
    for pattern, name in project.models.words["development-commands"].items():
        if re.search(pattern, command):
            return name
    script = _PYTHON.search(command)
    return _run_by(project, script["file"]) if script else ""


def _run_by(project: Project, script: str) -> str:
    """The development server that a script of the project starts: Flask's own, or one that reloads."""
    for kind, what in (
        ("development-servers", "Flask's development server"),
        ("servers", "the server with its reloader"),
    ):
        for call in project.calls(*sorted(project.models.kinds.get(kind, ()))):
            reload = call.arg(None, "reload")
            reloads = reload is not None and is_literally(project, reload, True)
            if (
                _same_end(call, script)
                and call.code.function.kind == "module"
                and (kind == "development-servers" or reloads)
            ):
                return what
    return ""


def _same_end(call: Node, script: str) -> bool:
    """Whether the paths agree in the name and, where both have one, in the folder: images move the rest."""
    given, own = script.strip("./").split("/"), call.code.path.split("/")
    return given[-2:] == own[-2:] if len(given) > 1 and len(own) > 1 else given[-1] == own[-1]
