"""Containers as the project describes them: images from Dockerfiles, services from compose files, start commands."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from backaudit.backend.deployment.stages import is_named_production, stage_of
from backaudit.backend.yaml_files import yaml_documents
from backaudit.extract.docker import Dockerfile, parse
from backaudit.extract.procfile import parse_procfile
from backaudit.extract.yaml import YamlNode
from backaudit.facts.place import Place, Span
from backaudit.project import Project
from backaudit.source import lines
from backaudit.vocabulary.meaning import meaning

_START_COMMAND = re.compile(
    r"^[ \t-]*(?:startCommand|start_command|entrypoint|run)[\"']?[ \t]*[:=][ \t]*[\"']?(?P<command>[^\"'\r\n]+)"
)
_STARTING = meaning("files", "start-file")
# Images of data stores, by the last part of their name.
_STORES = meaning("images", "store")

# Consoles of stores and of mail, which stand beside them on a developer's machine: no application.
_CONSOLES = meaning("images", "console")


class Service(msgspec.Struct, frozen=True):
    """A service of a compose file. ``image``: what it runs, the base of its Dockerfile if it is built; may be empty.

    ``dockerfile``: the path of what it is built from, empty if it is not built.
    """

    path: str
    name: str
    node: YamlNode
    image: str
    dockerfile: str = ""

    @property
    def built(self) -> bool:
        return bool(self.dockerfile)

    @property
    def is_store(self) -> bool:
        """Whether it is a database, a cache or a queue."""
        return bool(_STORES.holds(bare(self.image)))

    @property
    def is_console(self) -> bool:
        """Whether it only shows what a store holds."""
        return bool(_CONSOLES.holds(bare(self.image)))


class Command(msgspec.Struct, frozen=True):
    """What a platform starts, as one line of shell."""

    text: str
    place: Place


def bare(image: str) -> str:
    """The name of an image without registry port, tag and digest."""
    name = image.partition("@")[0]
    head, _, last = name.rpartition("/")
    last = last.partition(":")[0]
    return f"{head}/{last}" if head else last


def dockerfiles(project: Project) -> dict[str, Dockerfile]:
    """All Dockerfiles of the project, by path."""
    return project.once(_dockerfiles)


def _dockerfiles(project: Project) -> dict[str, Dockerfile]:
    return {file.path: parse(file.text) for file in project.artefacts("dockerfile")}


def services(project: Project) -> tuple[Service, ...]:
    """The services of all compose files, in order."""
    return project.once(_services)


def _services(project: Project) -> tuple[Service, ...]:
    found: list[Service] = []
    for file in project.artefacts("compose"):
        for document in yaml_documents(project, file)[:1]:
            listed = document.get("services")
            for name, node in listed.entries if listed is not None else ():
                found.append(_service(project, file.path, name, node))
    return tuple(found)


def _service(project: Project, path: str, name: str, node: YamlNode) -> Service:
    image = node.get("image")
    build = node.get("build")
    named = _text(image, "")
    if build is None:
        return Service(path, name, node, named)
    context = build.text if build.text is not None else _text(build.get("context"), ".")
    place = posixpath.join(posixpath.dirname(path), context, _text(build.get("dockerfile"), "Dockerfile"))
    made = dockerfiles(project).get(posixpath.normpath(place))
    stages = list(made.chain()) if made is not None else []
    return Service(path, name, node, stages[-1].image if stages else named, posixpath.normpath(place))


def is_restated(project: Project, service: Service) -> bool:
    """Whether a compose file for production beside this one describes the same service whole: this is not it."""
    if is_named_production(service.path):
        return False
    twins = [other for other in services(project) if other.name == service.name and _is_beside(other, service)]
    return any((other.built or other.image) and is_named_production(other.path) for other in twins)


def _is_beside(other: Service, service: Service) -> bool:
    """Whether a service stands in another file of the same folder."""
    return other.path != service.path and posixpath.dirname(other.path) == posixpath.dirname(service.path)


def _text(node: YamlNode | None, default: str) -> str:
    return node.text if node is not None and node.text is not None else default


def commands(project: Project) -> tuple[Command, ...]:
    """What images, services and platforms start: CMD and ENTRYPOINT, ``command:``, Procfiles and their kin."""
    return project.once(_commands)


def _commands(project: Project) -> tuple[Command, ...]:
    return (*_of_images(project), *_of_services(project), *_of_platforms(project))


def _of_images(project: Project) -> Iterator[Command]:
    for path, made in dockerfiles(project).items():
        started = [found for stage in list(made.chain())[:1] for found in [stage.last("ENTRYPOINT"), stage.last("CMD")]]
        given = [found for found in started if found is not None]
        if given:
            yield Command(" ".join(found.words for found in given), Place(path, given[-1].span))


def _of_services(project: Project) -> Iterator[Command]:
    for service in services(project):
        node = service.node.get("command")
        if node is not None:
            text = " ".join(item.text or "" for item in node.texts())
            yield Command(text, Place(service.path, _first_line(node.span)))


def _first_line(span: Span) -> Span:
    return span if span.line == span.end_line else Span(span.line, span.column, span.line, span.column)


def _of_platforms(project: Project) -> Iterator[Command]:
    for path, file in project.facts.items():
        if posixpath.basename(path).lower() == "procfile":
            for process in parse_procfile(file.text):
                yield Command(process.command, Place(path, process.span))
        elif _STARTING.holds(path):
            for number, line in enumerate(lines(file.text), 1):
                found = _START_COMMAND.match(line)
                if found:
                    span = Span(number, found.start("command"), number, len(line.rstrip()))
                    yield Command(found["command"], Place(path, span))


def asked_to_debug(project: Project, command: str) -> str:
    """The program that a command starts with its debugger on; empty if none is."""
    words = [word.strip("\"'[],") for word in command.split()]
    for flag in sorted(project.models.kinds.get("debug-flags", ())):
        program, option = str(flag).split(" ")
        named = next((at for at, word in enumerate(words) if posixpath.basename(word) == program), None)
        if named is not None and option in words[named:]:
            return program
    assigned = {word.lower() for word in words}
    asked = (told.split(" ") for told in sorted(project.models.kinds["debug-assignments"]))
    return next((program for program, setting in asked if setting in assigned and program in words), "")


def unpinned(project: Project) -> Iterator[tuple[Place, str]]:
    """(where, the image) of images that are named without a version, as far as they are not built here."""
    for path, made in dockerfiles(project).items():
        names = {stage.name.lower() for stage in made.stages if stage.name}
        for stage in made.stages if stage_of(project, path) != "example" else ():
            if stage.image.lower() not in names and _is_unpinned(stage.image):
                yield Place(path, stage.start.span), stage.image
    own = {bare(service.image) for service in services(project) if service.built}
    for service in services(project):
        node = service.node.get("image")
        if node is None or service.built or stage_of(project, service.path) == "example":
            continue
        if bare(service.image) not in own and _is_unpinned(service.image):
            yield Place(service.path, node.span), service.image


def _is_unpinned(image: str) -> bool:
    if image in ("", "scratch") or not {"$", "@"}.isdisjoint(image):
        return False
    tag = image.rpartition("/")[2].partition(":")[2]
    return tag in ("", "latest")
