"""A whole run: discover, read and extract, link, check, triage. The stages know nothing of each other; this does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from backaudit import check as checking
from backaudit import directives, plugins, source, triage
from backaudit.baseline import Baseline, Entry
from backaudit.cache import Cache
from backaudit.config import Config, by_id, check_names, nested
from backaudit.discover import Discovery, Found, discover
from backaudit.facts.files import FileFacts
from backaudit.facts.problem import Problem
from backaudit.issue import Report
from backaudit.rule import Finding, Rule
from backaudit.rulenames import RuleNames
from backaudit.source import Source

if TYPE_CHECKING:
    from backaudit.project import Project

Progress = Callable[[int, int], None]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to analyse, and how. ``root`` is absolute; ``named`` and ``reported`` are relative to it, POSIX.

    ``named``: what the user asked for by name, nothing for the whole project; ``reported``: the only paths (files and
    folders) whose findings count, None for all. ``reraise`` is for tests: a crash of a rule ends the run.
    """

    root: Path
    config: Config
    loaded: plugins.Loaded
    named: tuple[str, ...] = ()
    reported: tuple[str, ...] | None = None
    root_name: str = ""
    git_prefix: str | None = None
    notes: tuple[str, ...] = ()
    use_git: bool = True
    jobs: int = 0
    reraise: bool = False


class Audit:
    """One run, stage by stage; each result is computed once, when it is first asked for."""

    def __init__(self, request: Request, *, cache: Cache | None = None, progress: Progress | None = None) -> None:
        self.names = RuleNames(request.loaded.rules)
        check_names(request.config, self.names)
        self.request = msgspec.structs.replace(request, config=by_id(request.config, self.names))
        self.config = self.request.config
        self.selection = triage.select(self.names, self.config)
        self._cache = cache
        self._progress = progress

    @cached_property
    def discovery(self) -> Discovery:
        request = self.request
        return discover(request.root, exclude=self.config.exclude, named=request.named, use_git=request.use_git)

    @cached_property
    def extracted(self) -> tuple[Sequence[FileFacts], Sequence[Problem]]:
        from backaudit.extract.pool import extract_all

        return extract_all(
            self.request.root,
            [file for file in self.discovery.files if file.kind != "other"],
            jobs=self.request.jobs,
            cache=self._cache,
            limits=self.config.source_limits(),
            progress=self._progress,
        )

    @cached_property
    def checked(self) -> checking.Checked:
        project = self._linked()
        return checking.check(project, self.selection.rules, reraise=self.request.reraise)

    def _linked(self) -> Project:
        from backaudit import models
        from backaudit.project import link

        options = {
            rule.id: {option.name: self.config.option(rule, option.name) for option in rule.options}
            for rule in self.selection.rules
            if rule.options
        }
        known = models.load([_own_names(self.config)])
        return link(self.extracted[0], known.knowledge, known, options)

    def report(self, baseline: Baseline | None = None) -> Report:
        """The last stage; it may be asked again with another baseline, and costs little."""
        return triage.triage(self._scan, self.names, self.config, baseline)

    def accepted(self, baseline: Baseline | None = None) -> list[Entry]:
        """A baseline that accepts today's findings; entries of ``baseline`` that this run could not judge stay."""
        met = triage.accepted(self.report())
        judged = triage.judged(self._scan)
        kept = [entry for entry in baseline.entries if not judged(entry)] if baseline else []
        return sorted([*met, *kept])

    @cached_property
    def _scan(self) -> triage.Scan:
        facts, problems = self.extracted
        checked = self.checked
        sources, changed = _sources(self.request.root, facts, checked.findings)
        found = self.discovery
        return triage.Scan(
            root_name=self.request.root_name or self.request.root.name,
            version=version(),
            selection=self.selection,
            findings=checked.findings,
            sources=sources,
            directives=[directives.parse(file.path, file.comments, file.extents) for file in facts if file.comments],
            problems=[*self.request.loaded.problems, *found.problems, *problems, *checked.problems, *changed],
            crashed=checked.crashed,
            is_reported=_Reported(self.request.reported, found.files),
            files=len(facts),
            left_out=found.left_out,
            notes=(*self.request.notes, *found.notes, *self._nested_notes()),
            git_prefix=found.git_prefix if self.request.git_prefix is None else self.request.git_prefix,
        )

    def _nested_notes(self) -> Iterable[str]:
        for path in nested(self.request.root, [file.path for file in self.discovery.files]):
            yield f"{path} has no effect: one configuration holds for the whole project, that of its root."


def _own_names(config: Config) -> dict[str, Mapping[str, object]]:
    """What the configuration says of the project's own functions, as one more table of models."""
    return {
        "sources": {name: f"`{name}`" for name in config.sources},
        "sinks": config.sinks,
        "cleans": config.sanitizers,
        "hashers": dict.fromkeys(config.hashers, "strong"),
        "guards": {"any": config.validators},
        "kinds": {"auth-guards": config.auth_guards},
    }


def version() -> str:
    """The installed version of the tool."""
    return metadata.version("backaudit")


class _Reported:
    """Whether findings in a path count: asked for, and not of a file that git neither tracks nor would."""

    def __init__(self, reported: Sequence[str] | None, files: Iterable[Found]) -> None:
        self._unreported = {file.path for file in files if file.ignored}
        self._asked = None if reported is None else [path.strip("/") for path in reported]

    def __call__(self, path: str) -> bool:
        if path in self._unreported:
            return False
        if self._asked is None:
            return True
        return any(asked in ("", ".") or path == asked or path.startswith(asked + "/") for asked in self._asked)


def _sources(
    root: Path, facts: Iterable[FileFacts], findings: Iterable[tuple[Rule, Finding]]
) -> tuple[dict[str, Source], list[Problem]]:
    """The text of the files that findings quote; a file that is not as it was analysed is a Problem, and quoted nowhere."""
    digests = {file.path: file.digest for file in facts}
    wanted = {place.path for _, finding in findings for place in (finding.place, *finding.secrets)}
    sources: dict[str, Source] = {}
    problems = []
    for path in sorted(wanted & digests.keys()):
        found = source.read(root, path, source.Limits({}, default=_NO_LIMIT))
        if isinstance(found, Problem):
            problems.append(found)
        elif found.digest.hex() != digests[path]:
            message = "The file changed while it was analysed: it is not quoted."
            problems.append(Problem(path, "unreadable", message))
        else:
            sources[path] = found
    return sources, problems


_NO_LIMIT = 1 << 40
