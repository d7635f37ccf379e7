"""Compose files that run a project where it is written: its sources, or a developer's settings, are mounted into it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from backaudit.backend.deployment.stages import is_named_for_developing
from backaudit.backend.yaml_files import yaml_documents
from backaudit.extract.yaml import YamlNode
from backaudit.project import Project


def is_for_developers(project: Project, path: str) -> bool:
    """Whether a compose file can only serve beside the sources: what is deployed carries them in its image."""
    return takes_developers_files(project, path) or _asks(project, path, _mounts_sources)


def takes_developers_files(project: Project, path: str) -> bool:
    """Whether a compose file reloads changed sources, or takes what is named for developing: ``./dev/settings.py``,
    the stage of an image that is built for it.
    """
    return any(_asks(project, path, question) for question in (_is_watched, _mounts_developers, _builds_for_developers))


_Question = Callable[[Project, str, YamlNode], bool]


def _asks(project: Project, path: str, question: _Question) -> bool:
    """Whether the answer is yes for some service."""
    if project.facts[path].kind != "compose":
        return False
    return any(question(project, path, service) for service in _services(project, path))


def _services(project: Project, path: str) -> Iterator[YamlNode]:
    for document in yaml_documents(project, project.facts[path])[:1]:
        listed = document.get("services")
        yield from (node for _, node in listed.entries) if listed is not None else ()


def _is_watched(_project: Project, _path: str, service: YamlNode) -> bool:
    """``develop: watch:``: compose copies each change of the sources into the container."""
    return service.get("develop") is not None


def _builds_for_developers(_project: Project, _path: str, service: YamlNode) -> bool:
    """``build: {target: development}``, ``build: {dockerfile: Dockerfile.dev}``."""
    built = service.get("build")
    if built is None or built.text is not None:
        return False
    named = [found for key in ("target", "dockerfile") if (found := built.get(key)) is not None]
    return any(is_named_for_developing((node.text or "").rpartition("/")[2]) for node in named)


def _mounts_developers(_project: Project, path: str, service: YamlNode) -> bool:
    return any(any(map(is_named_for_developing, host.split("/"))) for host in _hosts(service, path))


def _mounts_sources(project: Project, path: str, service: YamlNode) -> bool:
    sources = project.once(_source_folders)
    return any(host in sources for host in _hosts(service, path))


def _hosts(service: YamlNode, path: str) -> Iterator[str]:
    """The paths of the project that are mounted into a service."""
    for host in (*_short(service), *_long(service)):
        if host.startswith("."):
            yield posixpath.normpath(posixpath.join(posixpath.dirname(path), host))


def _short(service: YamlNode) -> Iterator[str]:
    """``./src:/srv/src`` of its volumes."""
    volumes = service.get("volumes")
    for item in volumes.texts() if volumes is not None else ():
        yield (item.text or "").partition(":")[0]


def _long(service: YamlNode) -> Iterator[str]:
    """``source: ./src`` of its volumes."""
    volumes = service.get("volumes")
    for item in volumes.items if volumes is not None else ():
        source = item.get("source") if item.text is None else None
        if source is not None:
            yield source.text or ""


def _source_folders(project: Project) -> frozenset[str]:
    """The folders that hold code which serves, at any depth; ``.`` is the project itself."""
    found = {"."}
    for file in project.artefacts("python"):
        folder = posixpath.dirname(file.path) if project.role(file.path) == "production" else ""
        while folder and folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(found)
