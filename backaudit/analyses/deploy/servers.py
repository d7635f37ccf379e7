"""Servers for development that what is deployed starts: by its command, or by a script that the command runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from backaudit.analyses.deploy.images import Command, commands
from backaudit.backend.deployment.settings import is_literally
from backaudit.backend.deployment.stages import stage_of
from backaudit.facts.place import Place, Span
from backaudit.project import Node, Project
from backaudit.source import lines

_SERVERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(uvicorn|hypercorn|gunicorn)\b.*\s--reload\b"), "the server with its reloader"),
    (re.compile(r"\bmanage\.py[\"', ]+runserver"), "Django's development server"),
    (re.compile(r"\bflask\b(?:\s+-\S+(?:\s+[\w.:]+)?)*\s+run\b"), "Flask's development server"),
    (re.compile(r"\bfastapi\s+dev\b"), "FastAPI's development mode"),
    (re.compile(r"\badev\s+runserver\b"), "aiohttp's development server"),
)
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
    seen: set[Place] = set()
    for command in commands(project):
        for place, server in _started(project, command):
            if place not in seen and stage_of(project, place.path) == "production":
                seen.add(place)
                yield Started(place, server, command)


def _started(project: Project, command: Command) -> Iterator[tuple[Place, str]]:
    """The development server that a command starts, itself or by a script of the project."""
    if stage_of(project, command.place.path) != "production":
        return
    server = _server(project, command.text)
    if server:
        yield command.place, server
    for path in _scripts(project, command.text):
        for number, line in enumerate(lines(project.facts[path].text), 1):
            # What is indented stands under a condition, which mostly asks for development.
            server = _server(project, line) if line[:1].isalpha() else ""
            if server:
                yield Place(path, Span(number, 0, number, len(line.rstrip()))), server


def _scripts(project: Project, command: str) -> Iterator[str]:
    names = {posixpath.basename(word.strip("\"';&|")) for word in command.split()}
    found = [path for path, file in project.facts.items() if file.kind == "shell" and posixpath.basename(path) in names]
    yield from found if len(found) <= _SCRIPTS else ()


def _server(project: Project, command: str) -> str:
    for pattern, name in _SERVERS:
        if pattern.search(command):
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
