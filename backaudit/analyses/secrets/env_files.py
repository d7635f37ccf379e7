"""The `.env` files that a project reads its settings from, and which of them git would take in."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import msgspec

from backaudit.facts import ops
from backaudit.facts.files import FileFacts
from backaudit.facts.place import Place
from backaudit.ignores import Ignores
from backaudit.project import ClassView, Node, Project
from backaudit.project.locate import text_of
from backaudit.project.operands import made_of
from backaudit.source import lines


class EnvFileReading(msgspec.Struct, frozen=True):
    """``file``: the path from the root that is read, as far as can be told; ``place``: where the project says so.
    ``told``: whoever calls says in which folder.
    """

    file: str
    place: Place
    told: bool = False

    @property
    def name(self) -> str:
        """The file's own name, without folders."""
        return self.file.rpartition("/")[2]


def env_file_readings(project: Project) -> tuple[EnvFileReading, ...]:
    """Where production code reads an env file: python-dotenv, django-environ, pydantic's settings."""
    found = [*_calls(project), *_settings_classes(project)]
    return tuple(sorted(found, key=lambda reading: reading.place))


def _calls(project: Project) -> Iterator[EnvFileReading]:
    for call in project.calls(*sorted(project.models.kinds.get("env-file-readers", ()))):
        if call.code.file.role == "production":
            given = call.argument(("dotenv_path", 0, "env_file"))
            yield EnvFileReading(_path(project, given), call.place, given is not None and _is_told(given))


def _is_told(given: Node) -> bool:
    """Whether a path begins with what a function is given."""
    params = (part for part in made_of(given) if isinstance(part.op, ops.Param))
    return given.text is None and any(given.code.cls is None or not part.is_self for part in params)


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


# -- what git is told of them ------------------------------------------------------------------------------------------


def unignored_env_files(project: Project) -> Iterator[EnvFileReading]:
    """The first reading of each file that git neither holds nor is told to leave alone."""
    ignores = _ignores(project)
    seen: set[str] = set()
    if ignores is None:
        return
    for reading in env_file_readings(project):
        if reading.file not in seen and not any(
            _is_tracked(project, path) or _is_ignored(ignores, path) for path in _candidates(reading)
        ):
            seen.add(reading.file)
            yield reading


def has_ignore_file(project: Project) -> bool:
    """Whether there is any `.gitignore`."""
    return bool(_ignore_files(project))


def _ignore_files(project: Project) -> list[FileFacts]:
    return [file for path, file in project.facts.items() if path.rpartition("/")[2] == ".gitignore"]


def _ignores(project: Project) -> Ignores | None:
    """The patterns of the project's `.gitignore` files; None if there may be others in the folders above it."""
    found = _ignore_files(project)
    ignores = Ignores()
    for file in sorted(found, key=lambda file: file.path.count("/")):
        ignores = ignores.within(file.path.removesuffix(".gitignore"), lines(file.text))
    return ignores if found or project.is_whole else None


def _is_ignored(ignores: Ignores, path: str) -> bool:
    parts = path.split("/")
    return any(ignores.names("/".join(parts[:count]) + "/") for count in range(1, len(parts))) or ignores.names(path)


def _candidates(reading: EnvFileReading) -> Iterator[str]:
    """Where the file may be: readers look from the root, or from a folder above them."""
    folders = reading.place.path.split("/")[:-1]
    for count in range(len(folders) + 1):
        yield "/".join([*folders[:count], reading.file])


def _is_tracked(project: Project, path: str) -> bool:
    """Whether a file is in git: another rule's finding."""
    file = project.facts.get(path)
    return file is not None and file.tracked
