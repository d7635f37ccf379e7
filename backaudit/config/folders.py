"""Configuration per folder: of what several files set, the one nearest to a path holds for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import msgspec

from backaudit.config import COMMAND_LINE, FILE_NAME, Config, nested, own_settings
from backaudit.ignores import Ignores
from backaudit.rulenames import RuleNames

# What a nearer file says in place of a farther one.
_NEAREST = ("select", "ignore", "strict", "fail_on")
# Globs, each relative to the file that has it: those of all files above a path hold.
_GLOBS = ("exclude", "per_path_ignores")
# What is known of the project's own functions: all of it holds for the whole project, wherever it is said.
NAMES = ("sources", "sinks", "sanitizers", "hashers", "validators", "guards", "propagators", "auth_guards")


class Folder(msgspec.Struct, frozen=True):
    """The configuration of what stands in a folder (relative to the root, ending in a slash; empty for the root).

    ``own``: what the folder's file says itself; ``config``: laid over what holds above it.
    """

    path: str
    own: Config
    config: Config


class Folders:
    """The configurations of a project: its root's, and those of the folders that have their own."""

    def __init__(self, root: Config, several: Iterable[Folder] = (), notes: Iterable[str] = ()) -> None:
        self.root = root
        self.notes = tuple(notes)
        self._several = (Folder("", root, root), *several)

    def of(self, path: str) -> Config:
        """The configuration that holds for a file."""
        return next(folder.config for folder in reversed(self._several) if path.startswith(folder.path))

    def all(self) -> Iterator[Config]:
        """The root's and every folder's."""
        return (folder.config for folder in self._several)

    def said(self) -> Iterator[Config]:
        """What each file says by itself, the root's first."""
        return (folder.own for folder in self._several)

    @cached_property
    def whole(self) -> Config:
        """The root's, with what all folders say of the project's functions."""
        said = {name: _together([getattr(folder.own, name) for folder in self._several]) for name in NAMES}
        return msgspec.structs.replace(self.root, **said)

    def excludes(self, path: str) -> bool:
        """Whether a folder's own file leaves a path out; the root's has been asked already."""
        return any(named_within(folder.path, folder.own.exclude, path) for folder in self._several[1:])

    def ignores(self) -> Iterator[tuple[str, str, Sequence[str]]]:
        """Folder, glob, and the rules that do not count in what it names there."""
        for folder in self._several:
            yield from ((folder.path, pattern, called) for pattern, called in folder.own.per_path_ignores.items())

    def changed(self, own: Callable[[Config], Config], whole: Callable[[Config], Config]) -> Folders:
        """The same with what each file says itself, and what holds because of all of them, changed."""
        several = [Folder(one.path, own(one.own), whole(one.config)) for one in self._several[1:]]
        return Folders(whole(self.root), several, self.notes)

    def by_place(self) -> Folders:
        """The same, with each place told as a finding."""
        return Folders(msgspec.structs.replace(self.root, per_place=True), self._several[1:], self.notes)


def named_within(folder: str, patterns: tuple[str, ...], path: str) -> bool:
    """Whether patterns of a folder's file name a path in it, or a folder above that."""
    return bool(patterns) and path.startswith(folder) and _ignores(folder, patterns).names(path)


@lru_cache(maxsize=1024)
def _ignores(folder: str, patterns: tuple[str, ...]) -> Ignores:
    return Ignores().within(folder, patterns)


def folders(root: Path, config: Config, paths: Sequence[str], names: RuleNames | None) -> Folders:
    """The configurations of the project at ``root``, of whose files ``paths`` are.

    ``names``: the rules that may be named, None where not all of them are loaded.
    """
    found: list[Folder] = []
    notes: list[str] = []
    for file in _files(root, paths):
        folder = file.rpartition("/")[0] + "/"
        own = own_settings(root / file, root)
        above = next((one.config for one in reversed(found) if folder.startswith(one.path)), config)
        found.append(Folder(folder, own, _laid_over(above, own)))
        notes += _unheard(file, own)
        notes += _unknown(file, own, names) if names is not None else ()
    return Folders(config, found, notes)


def _files(root: Path, paths: Sequence[str]) -> list[str]:
    """The nested configurations, outer before inner; of two in one folder the one that is ours alone."""
    by_folder: dict[str, str] = {}
    for path in nested(root, paths):
        folder, _, name = path.rpartition("/")
        if folder not in by_folder or name == FILE_NAME:
            by_folder[folder] = path
    return [by_folder[folder] for folder in sorted(by_folder, key=lambda folder: folder.split("/"))]


def _laid_over(above: Config, own: Config) -> Config:
    """What holds in a folder; what the command line says holds everywhere."""
    settings: dict[str, Any] = {
        name: getattr(own, name) for name in _NEAREST if name in own.origins and above.origins.get(name) != COMMAND_LINE
    }
    severities = {**above.severities, **own.severities}
    origins = {**above.origins, **{name: own.origins[name] for name in settings}}
    return msgspec.structs.replace(above, **settings, severities=severities, origins=origins)


def _unheard(file: str, own: Config) -> Iterator[str]:
    heard = (*_NEAREST, *_GLOBS, *NAMES, "severities")
    unheard = [name.replace("_", "-") for name in own.origins if name not in heard]
    if unheard:
        yield f"{file}: {', '.join(unheard)} has no effect here: it holds for the whole project, in its root's file."


def _unknown(file: str, own: Config, names: RuleNames) -> Iterator[str]:
    called = [
        *own.select,
        *own.ignore,
        *own.severities,
        *(name for one in own.per_path_ignores.values() for name in one),
    ]
    for name in dict.fromkeys(called):
        if not names.find(name):
            yield f'{file}: there is no rule "{name}".{names.suggestion(name)}'


def _together(values: Sequence[Any]) -> Any:
    """Several lists, or tables of lists, as one."""
    if not isinstance(values[0], Mapping):
        return tuple(dict.fromkeys(item for value in values for item in value))
    keys = dict.fromkeys(key for value in values for key in value)
    return {key: _together([value.get(key, ()) for value in values]) for key in keys}
