"""What describes an API: frameworks that do it by themselves, libraries, documents that lie in the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.deployment.django_settings import django_setting
from backaudit.backend.web.descriptions import describing, is_switched_off
from backaudit.facts.files import FileFacts
from backaudit.facts.place import Place
from backaudit.project import Node, Project
from backaudit.project.locate import strings

_DOCUMENT = re.compile(r"""^\s*["']?(?:openapi|swagger)["']?\s*:\s*["']?[23]\.""", re.MULTILINE)
_COLLECTION = re.compile(r'"(?:_postman_id|schema)"\s*:\s*"(?:https://schema\.getpostman\.com|[0-9a-f-]{36})')


def describers(project: Project) -> tuple[tuple[str, Place], ...]:
    """(what describes, where it is set up): applications that describe themselves, libraries that do it for them."""
    return project.once(_describers)


def _describers(project: Project) -> tuple[tuple[str, Place], ...]:
    found = [*_applications(project), *_imported(project), *_installed(project)]
    return tuple(dict.fromkeys(found))


def switched_off(project: Project) -> Place | None:
    """Where an application is told to describe itself to nobody."""
    return next((call.place for call in _describing(project) if is_switched_off(project, call)), None)


def documents(project: Project) -> tuple[str, ...]:
    """The OpenAPI documents in the repository."""
    return tuple(file.path for file in _texts(project) if _DOCUMENT.search(file.text[:2_000]))


def collections_of_requests(project: Project) -> tuple[str, ...]:
    """The collections of requests that somebody tries the API with."""
    return tuple(file.path for file in _texts(project) if _COLLECTION.search(file.text[:2_000]))


def _texts(project: Project) -> Iterator[FileFacts]:
    return (file for file in project.artefacts("yaml", "json") if project.role(file.path) != "test")


def _describing(project: Project) -> list[Node]:
    return [call for call in describing(project) if project.role(call.code.path) == "production"]


def _applications(project: Project) -> Iterator[tuple[str, Place]]:
    for call in _describing(project):
        if not is_switched_off(project, call):
            yield call.method, call.place


def _imported(project: Project) -> Iterator[tuple[str, Place]]:
    known = project.models.kinds["describing-packages"]
    for path, file in project.files.items():
        for item in file.facts.imports if file.role == "production" else ():
            package = item.module.partition(".")[0]
            if not item.level and package in known:
                yield package, Place(path, item.at)


def _installed(project: Project) -> Iterator[tuple[str, Place]]:
    known = project.models.kinds["describing-packages"]
    apps = django_setting(project, "INSTALLED_APPS")
    for name in strings(project, apps.value) if apps is not None else ():
        if apps is not None and name in known:
            yield name, apps.place
