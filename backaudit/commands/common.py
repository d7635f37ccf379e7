"""What the commands that analyse a project have in common."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backaudit.commands import CRASH, OK
from backaudit.console import progress_shown, say, use_color, width, write
from backaudit.isolation import isolate, run_before

if TYPE_CHECKING:
    from backaudit.audit import Audit
    from backaudit.cache import Cache
    from backaudit.config import Config, Root
    from backaudit.facts.problem import Problem
    from backaudit.output import Target
    from backaudit.plugins import Loaded
    from backaudit.rule import Rule
    from backaudit.rulenames import RuleNames

_WIDTH_OF_FILES = 100


class Command:
    """What the commands that analyse a project have in common: where it is, its configuration, the cache."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.given: tuple[Path, ...] = options["paths"] or (Path(),)
        self.quiet: bool = options["quiet"]

    def _located(self) -> Root:
        # Nearly all that a run makes lives to its end: looking for garbage every 700 objects costs a tenth of it.
        gc.set_threshold(200_000, 20, 20)
        # Code is nested as its author nests it: chains, branches, displays.
        sys.setrecursionlimit(5_000)
        root = self._root()
        isolate(root.folder)
        for file in run_before(root.folder):
            say(f"warning: PYTHONPATH had Python run {file} before backaudit began; `python -I -m backaudit` does not.")
        return root

    def _root(self) -> Root:
        from backaudit.config import find_root
        from backaudit.usage import UsageError

        for path in self.given:
            if not path.exists():
                raise UsageError(f"{path} does not exist.")
        try:  # once and for all: the folder may go away in the middle of the run
            self.given = tuple(Path(os.path.abspath(path)) for path in self.given)
        except OSError as error:
            raise UsageError("The current folder does not exist any more: change to one that does.") from error
        return find_root(self.given)

    def _config(self, root: Root) -> Config:
        from backaudit.config import load

        asked = {name: flat(self.options[name]) for name in ("select", "ignore") if self.options.get(name)}
        asked |= {
            name: self.options[name]
            for name in ("strict", "per_place", "fail_on", "fail_on_problem", "fail_on_stale", "fail_on_nothing")
            if self.options.get(name) is not None
        }
        given: Path | None = self.options["config"]
        config = load(given or root.file, asked, root=root.folder, within=None if given else root.folder)
        if self.options["exclude"]:
            # Excludes add up: nobody who leaves out one more folder means to scan the others.
            from msgspec.structs import replace

            origin = ", ".join(filter(None, (config.origins.get("exclude"), "command line")))
            config = replace(
                config,
                exclude=(*config.exclude, *self.options["exclude"]),
                origins={**config.origins, "exclude": origin},
            )
        return config

    def _narrowed(self, request: Any) -> Any:
        """The request with the paths that the user gave, unless they are the whole project."""
        from msgspec.structs import replace

        relative = [_relative(path, request.root) for path in self.given]
        if not self.options["paths"] and "." not in relative:
            relative = ["."]  # nothing was asked for, so all of the project is meant
        named = tuple(sorted({path for path in relative if path != "."}))
        return replace(request, named=named, reported=None if "." in relative else named)

    def _cache(self) -> Cache:
        from backaudit.cache import Cache, default_folder

        return Cache(None if self.options["no_cache"] else default_folder(os.environ))


class ShowingCommand(Command):
    """A command that shows one thing of a project, in each of the formats asked for."""

    def __init__(self, options: dict[str, Any], suffixes: Mapping[str, str]) -> None:
        from backaudit.output import targets

        super().__init__(options)
        self.targets = targets(options["formats"], options["outputs"], suffixes)

    @contextmanager
    def _audited(self, *, narrowed: bool = False) -> Iterator[Audit]:
        """The project's audit, with progress and cache; ``narrowed``: what is reported is of the paths given alone."""
        from backaudit.audit import Audit, Request

        root = self._located()
        loaded, _ = load_rules()
        with ExitStack() as stack:
            request = Request(root=root.folder, config=self._config(root), loaded=loaded, jobs=self.options["jobs"])
            progress = progress_shown(enabled=not self.quiet)
            stack.callback(progress.clear)
            request = self._narrowed(request) if narrowed else request
            yield Audit(request, cache=stack.enter_context(self._cache()), progress=progress)

    def _deliver(self, found: Any, renderer: Callable[[str], Callable[..., str]], summary: str = "") -> None:
        """Write what was found to all targets; say where it is, if none of them is the terminal."""
        from backaudit.output import write_file

        for target in self.targets:
            text = renderer(target.format)(found, **self._appearance(target))
            if target.path is None:
                write(text)
            else:
                write_file(target.path, text)
        if not self.quiet and all(target.path is not None for target in self.targets):
            files = ", ".join(str(target.path) for target in self.targets)
            say(f"{summary}: {files}" if summary else files)

    def _appearance(self, target: Target) -> dict[str, Any]:
        if target.format != "text":
            return {}
        to_terminal = target.path is None
        return {
            "color": to_terminal and use_color(sys.stdout),
            "width": width() if to_terminal else _WIDTH_OF_FILES,
            "quiet": self.quiet,
        }


def exit_code(problems: Iterable[Problem]) -> int:
    """What a command that only shows ends with: a crash alone is one of its own."""
    return CRASH if any(problem.kind == "crash" for problem in problems) else OK


def load_rules(cache: Cache | None = None) -> tuple[Loaded, RuleNames]:
    """All installed rules, and their names; the questions of those that a cache knows are loaded when asked."""
    from backaudit import plugins
    from backaudit.rulenames import RuleNames, is_built_in
    from backaudit.usage import UsageError

    isolate()
    loaded = plugins.load(cache=cache)
    if not any(is_built_in(rule) and rule.family != "directives" for rule in loaded.rules):
        raise UsageError(
            "the built-in rules are not installed: install backaudit (pip install .), do not only copy it."
        )
    return loaded, RuleNames(loaded.rules)


def find(names: RuleNames, name: str) -> tuple[Rule, ...]:
    """The rules of a name."""
    from backaudit.usage import UsageError

    found = names.find(name)
    if not found:
        raise UsageError(f'there is no rule "{name}".{names.suggestion(name)}')
    return found


def loaded_code(loaded: Loaded) -> int:
    """Say what kept rules from being loaded."""
    for problem in loaded.problems:
        say(f"error: {problem.message}")
    return CRASH if loaded.problems else OK


def flat(groups: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The names of all groups."""
    return tuple(name for group in groups for name in group)


def private_folder(stack: ExitStack) -> Path:
    """An empty folder that nobody else may read, gone when the run is over."""
    from backaudit.temporary import temporary_folder

    return Path(stack.enter_context(temporary_folder())).resolve()


def now() -> datetime:
    """The time, or what a build that is to be reproducible takes for it."""
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(told), timezone.utc) if told.isdecimal() else datetime.now(timezone.utc)


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
