"""What a run is asked, and what goes along with it from stage to stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

import msgspec

from backaudit.cache import Cache
from backaudit.config import Config, by_id, check_names
from backaudit.config.folders import Folders
from backaudit.plugins import Loaded
from backaudit.rulenames import RuleNames
from backaudit.times import Times

Progress = Callable[[int, int], None]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to analyse, and how. ``root`` is absolute; ``named`` and ``reported`` are relative to it, POSIX.

    ``named``: what the user asked for by name, nothing for the whole project; ``reported``: the only paths (files and
    folders) whose findings count, None for all. ``renamed``: path to the path by which its findings are known.
    ``history``: earlier commits too. ``folders``: what their configurations say, where that is known already.
    ``reraise`` is for tests: a crash of a rule ends the run.
    """

    root: Path
    config: Config
    loaded: Loaded
    named: tuple[str, ...] = ()
    reported: tuple[str, ...] | None = None
    root_name: str = ""
    git_prefix: str | None = None
    renamed: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    use_git: bool = True
    whole: bool = True
    history: bool = False
    jobs: int = 0
    reraise: bool = False
    folders: Folders | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose configuration names rules by their ids, with the cache, the progress and the clock of its run."""

    request: Request
    names: RuleNames
    times: Times
    cache: Cache | None
    progress: Progress | None

    @property
    def config(self) -> Config:
        """The configuration of the project's root."""
        return self.request.config

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.request.root

    @property
    def root_name(self) -> str:
        """What reports call the project."""
        return self.request.root_name or self.root.name

    @property
    def version(self) -> str:
        """The installed version of the tool."""
        return metadata.version("backaudit")

    @property
    def open_cache(self) -> Cache | None:
        """The cache, if there is one and it works."""
        return self.cache if self.cache is not None and self.cache.usable else None


def begun(request: Request, cache: Cache | None, progress: Progress | None) -> Run:
    """The run that a request asks for. UsageError if its configuration names rules that there are not."""
    names = RuleNames(request.loaded.rules)
    check_names(request.config, names)
    request = msgspec.structs.replace(request, config=by_id(request.config, names))
    return Run(request=request, names=names, times=Times(), cache=cache, progress=progress)
