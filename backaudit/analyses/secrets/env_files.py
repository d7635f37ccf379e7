"""The `.env` files that a project reads its settings from."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import msgspec

from backaudit.facts.place import Place
from backaudit.project import ClassView, Node, Project
from backaudit.project.locate import text_of


class EnvFileReading(msgspec.Struct, frozen=True):
    """``file``: the path from the root that is read, as far as can be told; ``place``: where the project says so."""

    file: str
    place: Place


def env_file_readings(project: Project) -> tuple[EnvFileReading, ...]:
    """Where production code reads an env file: python-dotenv, django-environ, pydantic's settings."""
    found = [*_calls(project), *_settings_classes(project)]
    return tuple(sorted(found, key=lambda reading: reading.place))


def _calls(project: Project) -> Iterator[EnvFileReading]:
    for call in project.calls(*sorted(project.models.kinds.get("env-file-readers", ()))):
        if call.code.file.role == "production":
            given = call.arg(0, "dotenv_path") or call.arg(None, "env_file")
            yield EnvFileReading(_path(project, given), call.place)


def _path(project: Project, given: Node | None) -> str:
    """A relative literal as it stands, the reader's usual file at the root for all that is computed."""
    text = text_of(project, given) if given is not None else None
    path = posixpath.normpath(text) if text else ""
    while path.startswith("../"):
        path = path[3:]
    return path if posixpath.basename(path).startswith(".env") and "*" not in path and path[0] != "/" else ".env"


def _settings_classes(project: Project) -> Iterator[EnvFileReading]:
    for cls in project.subclasses(*sorted(project.models.kinds.get("settings-classes", ()))):
        node = _env_file(cls) if cls.file.role == "production" else None
        if node is not None:
            yield EnvFileReading(_path(project, node), node.place)


def _env_file(cls: ClassView) -> Node | None:
    """``model_config = SettingsConfigDict(env_file=...)`` and ``class Config: env_file = ...``."""
    config = cls.fields.get("model_config")
    if config is not None:
        return config.origin.keywords().get("env_file")
    inner = cls.inner.get("Config")
    return inner.fields.get("env_file") if inner is not None else None
