"""The commands that analyse a project. What a command needs is imported where it needs it: ``--help`` needs nothing."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backaudit.console import progress_shown, say, use_color, use_links, width, write
from backaudit.isolation import isolate, run_before

if TYPE_CHECKING:
    from backaudit.baseline import Baseline, Entry
    from backaudit.cache import Cache
    from backaudit.config import Config, Root
    from backaudit.issue import Before, Report
    from backaudit.output import Target
    from backaudit.plugins import Loaded
    from backaudit.prove.indexes import Question
    from backaudit.rule import Rule
    from backaudit.rulenames import RuleNames
    from backaudit.starters import Starter
    from backaudit.survey.records import Survey

OK, FINDINGS, USAGE, CRASH, NOTHING, INTERRUPTED = 0, 1, 2, 3, 4, 130

# Written out, so that --help needs none of the modules that define them; tests hold them equal.
ROWS = 100_000
SEVERITIES = ("critical", "high", "medium", "low")
# Options that exclude each other, and why.
_APART = (
    ("history", "staged", "--history reads what was committed, --staged what is not yet"),
    ("since", "history", "--since holds against one commit, --history reads them all"),
)


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

        try:
            os.getcwd()
        except OSError as error:
            raise UsageError("The current folder does not exist any more: change to one that does.") from error
        for path in self.given:
            if not path.exists():
                raise UsageError(f"{path} does not exist.")
        return find_root(self.given)

    def _config(self, root: Root) -> Config:
        from backaudit.config import load

        asked = {name: flat(self.options[name]) for name in ("select", "ignore") if self.options.get(name)}
        asked |= {
            name: self.options[name]
            for name in ("strict", "fail_on", "fail_on_problem", "fail_on_stale", "fail_on_nothing")
            if self.options.get(name) is not None
        }
        file = self.options["config"] or root.file
        config = load(file, asked, root=root.folder)
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


class Map(Command):
    """One run of the command ``map``."""

    def __init__(self, options: dict[str, Any]) -> None:
        from backaudit.output import targets
        from backaudit.report.map import SUFFIXES

        super().__init__(options)
        self.targets = targets(options["formats"], options["outputs"], SUFFIXES)

    def run(self) -> int:
        from backaudit.audit import Audit, Request
        from backaudit.survey.records import within

        root = self._located()
        loaded, _ = load_rules()
        with ExitStack() as stack:
            request = Request(root=root.folder, config=self._config(root), loaded=loaded, jobs=self.options["jobs"])
            progress = progress_shown(enabled=not self.quiet)
            stack.callback(progress.clear)
            request = self._narrowed(request)
            audit = Audit(request, cache=stack.enter_context(self._cache()), progress=progress)
            found = within(audit.survey, request.reported)
        for target in self.targets:
            self._deliver(found, target)
        if not any(target.path is None for target in self.targets) and not self.quiet:
            files = ", ".join(str(target.path) for target in self.targets)
            say(f"{len(found.routes)} routes, {len(found.tables)} tables: {files}")
        return CRASH if any(problem.kind == "crash" for problem in found.problems) else OK

    def _deliver(self, found: Survey, target: Target) -> None:
        from backaudit.output import write_file
        from backaudit.report.map import renderer

        options: dict[str, Any] = {}
        if target.format == "text":
            to_terminal = target.path is None
            options = {
                "color": to_terminal and use_color(sys.stdout),
                "width": width() if to_terminal else 100,
                "quiet": self.quiet,
            }
        text = renderer(target.format)(found, **options)
        if target.path is None:
            write(text)
        else:
            write_file(target.path, text)


class Init(Command):
    """One run of the command ``init``: what the project lacks is shown, and written where the user agrees."""

    def run(self) -> int:
        from importlib.metadata import version

        from backaudit.starters import starters

        root = self._located()
        self._say_found(root)
        lacking = starters(root.folder, version("backaudit"))
        if not lacking:
            say("everything is there: configuration, hooks and pipeline.")
        for starter in lacking:
            self._offer(root.folder, starter)
        return OK

    def _say_found(self, root: Root) -> None:
        from collections import Counter

        from backaudit.audit import Audit, Request
        from backaudit.config import load

        loaded, _ = load_rules()
        request = Request(root=root.folder, config=load(root.file, root=root.folder), loaded=loaded)
        with ExitStack() as stack:
            progress = progress_shown(enabled=not self.quiet)
            stack.callback(progress.clear)
            found = Audit(request, cache=stack.enter_context(self._cache()), progress=progress).survey
        counts = Counter(route.framework for route in found.routes)
        by_framework = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        of = f" ({by_framework})" if by_framework else ""
        say(f"{root.folder}: {len(found.routes)} routes{of}, {len(found.tables)} tables")

    def _offer(self, root: Path, starter: Starter) -> None:
        from backaudit.output import write_file

        if starter.by_hand:
            say(f"{starter.path} is yours: add {starter.why} to it by hand:")
            write(starter.text)
            return
        ask = f"{'Add to' if starter.is_there else 'Write'} {starter.path} ({starter.why})?"
        if not (self.options["yes"] or self.options["confirm"](ask)):
            return
        target = root / starter.path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, starter.text)
        say(f"wrote {starter.path}")


class Scan(Command):
    """One run of the command ``scan``."""

    def __init__(self, options: dict[str, Any]) -> None:
        from backaudit.output import targets

        super().__init__(options)
        self.targets = targets(options["formats"], options["outputs"])
        self.survey: Survey | None = None
        self.baseline: Baseline | None = None
        self.stale: tuple[Entry, ...] = ()
        self.root = ""

    def run(self) -> int:
        root = self._located()
        self.root = str(root.folder)
        config = self._config(root)
        loaded, names = self._rules(config)
        if self.options["show_config"]:
            return self._show(config, root, loaded, names)
        report = self._report(root, config, loaded)
        for target in self.targets:
            self._deliver(report, target)
        if not any(target.path is None for target in self.targets) and not self.quiet:
            self._say_where(report)
        return exit_code(report, config)

    def _rules(self, config: Config) -> tuple[Loaded, RuleNames]:
        """The rules: all, or the families asked for where nothing else is named; a hook has no time for the others."""
        from backaudit import plugins
        from backaudit.config import families
        from backaudit.rulenames import RuleNames

        asked = frozenset() if self.options["show_config"] else families(config)
        if not asked:
            return load_rules()
        isolate()
        loaded = plugins.load_families(asked)
        known = {rule.family for rule in loaded.rules}
        return (loaded, RuleNames(loaded.rules)) if asked <= known else load_rules()

    def _show(self, config: Config, root: Root, loaded: Loaded, names: RuleNames) -> int:
        from backaudit.config import by_id, check_names, describe

        check_names(config, names)
        write(describe(by_id(config, names), root, loaded.rules))
        return OK

    def _check_together(self) -> None:
        """UsageError where two options ask for different things."""
        from backaudit.usage import UsageError

        for one, other, why in _APART:
            if self.options[one] and self.options[other]:
                raise UsageError(f"{why}: give one of them.")

    def _report(self, root: Root, config: Config, loaded: Loaded) -> Report:
        from backaudit.audit import Audit, Request

        self._check_together()
        self.baseline = baseline = self._baseline(root, config)
        with ExitStack() as stack:
            request = Request(
                root=root.folder,
                config=config,
                loaded=loaded,
                notes=root.notes,
                jobs=self.options["jobs"],
                history=self.options["history"] or _asks_for_history(config, loaded),
            )
            request = self._staged(request, stack) if self.options["staged"] else self._narrowed(request)
            progress = progress_shown(enabled=not self.quiet)
            stack.callback(progress.clear)
            cache = stack.enter_context(self._cache())
            audit = Audit(request, cache=cache, progress=progress)
            before = self._before(audit, root.folder, stack, cache, progress) if self.options["since"] else None
            report = audit.report(baseline, before)
            self.stale = audit.stale(baseline) if baseline is not None else ()
            if self.options.get("profile"):
                self._say_times(audit.times)
            if any(target.format == "html" for target in self.targets):
                self.survey = audit.survey
        if self.options["write_baseline"]:
            return self._accept(audit, baseline, before)
        return self._proved(report) if self.options.get("prove") else report

    def _proved(self, report: Report) -> Report:
        """The report with a real planner's word on its missing indexes."""
        from backaudit.prove import prove
        from backaudit.prove.server import connected
        from backaudit.prove.trials import Trials

        progress = progress_shown(enabled=not self.quiet)
        with connected(self.options.get("database_url")) as connection:
            trials = Trials(connection, self.options.get("rows") or ROWS)
            try:
                return prove(report, trials, progress).report
            finally:
                progress.clear()
                trials.close()

    def _say_times(self, times: dict[str, float]) -> None:
        """The rules by what they took; the first to ask pays for what all of them build on."""
        if not times:
            say("Nothing was asked: the result was kept from an earlier run (see --no-cache).")
        for name, seconds in sorted(times.items(), key=lambda item: (-item[1], item[0])):
            if seconds >= 0.005:
                say(f"{seconds:8.2f} s  {name}")

    def _staged(self, request: Any, stack: ExitStack) -> Any:
        """The request on a copy of what git has staged, which is all that is reported."""

        from msgspec.structs import replace

        from backaudit import gitindex, staged

        root = request.root
        folder = _private_folder(stack)
        changed = staged.export(root, folder, request.config.source_limits(), only_changed=_judge_alone(request))
        narrowed = self._narrowed(request).reported
        if narrowed is not None:
            changed = tuple(path for path in changed if any(f"{path}/".startswith(f"{asked}/") for asked in narrowed))
        repository = gitindex.repository_of(root)
        prefix = (
            "" if repository is None or repository.top == root else root.relative_to(repository.top).as_posix() + "/"
        )
        return replace(
            request,
            root=folder,
            root_name=root.name,
            reported=changed,
            use_git=False,
            whole=not _judge_alone(request),
            git_prefix=prefix,
        )

    def _before(self, audit: Any, root: Path, stack: ExitStack, cache: Cache, progress: Any) -> Before:
        """What the commit that the user names had already."""

        from backaudit import since

        folder = _private_folder(stack)
        return since.before(audit, root, self.options["since"], folder, cache=cache, progress=progress)

    def _baseline(self, root: Root, config: Config) -> Baseline | None:
        """What is accepted: of the file that is given, or configured; or, to write it anew, of what it holds."""
        from backaudit.baseline import load

        target: Path | None = self.options["write_baseline"]
        file = self._baseline_file(root, config)
        if target is not None and (file is None or not file.exists()):
            file = target if target.exists() else None
        if file is None:
            return None
        is_written = target is not None and target.exists() and file.samefile(target)
        return load(file, _now().date(), repair=is_written)

    def _baseline_file(self, root: Root, config: Config) -> Path | None:
        given: Path | None = self.options["baseline"]
        return given or (root.folder / config.baseline if config.baseline else None)

    def _accept(self, audit: Any, baseline: Baseline | None, before: Before | None) -> Report:
        """Write the baseline anew: today's findings, and the old entries that this run could not judge."""
        from backaudit.baseline import Baseline, dump
        from backaudit.output import write_file

        file: Path = self.options["write_baseline"]
        entries = audit.accepted(baseline)
        write_file(file, dump(entries))
        say(f"{file}: {len(entries)} accepted findings")
        fresh: Report = audit.report(Baseline(entries, _now().date()), before)
        return fresh

    def _deliver(self, report: Report, target: Target) -> None:
        from backaudit.output import write_file
        from backaudit.report import renderer

        text = renderer(target.format)(report, **self._layout(target))
        if target.path is None:
            write(text)
        else:
            write_file(target.path, text)

    def _layout(self, target: Target) -> dict[str, Any]:
        """What a format asks beyond the report."""
        to_terminal = target.path is None
        if target.format == "text":
            return {
                "color": to_terminal and use_color(sys.stdout),
                "width": width() if to_terminal else 100,
                "verbose": self.options["verbose"],
                "quiet": self.quiet,
                "group_by": self.options.get("group_by") or "file",
                "root": self.root if to_terminal and use_links(sys.stdout) else "",
            }
        if target.format == "html":
            return {"survey": self.survey}
        if target.format == "sarif":
            return {"category": self.options.get("category") or ""}
        if target.format == "gitlab-sast":
            return {"made": _now()}
        return {}

    def _say_where(self, report: Report) -> None:
        from backaudit.report.extent import extent_of

        new = sum(issue.status == "new" for issue in report.issues)
        files = ", ".join(str(target.path) for target in self.targets)
        extent = extent_of(report)
        said = f" ({extent})" if extent else ""
        say(f"{new} finding{'' if new == 1 else 's'} in {report.files} files{said}: {files}")


class Prove(Scan):
    """One run of the command ``prove``: a scan for missing indexes alone, put to a planner."""

    def __init__(self, options: dict[str, Any]) -> None:
        fixed: dict[str, Any] = {
            "select": (("indexes/unindexed-filter", "indexes/unindexed-join", "indexes/unindexed-sort"),),
            "ignore": (), "strict": True, "fail_on": "never", "fail_on_problem": None, "baseline": None,
            "write_baseline": None, "since": None, "staged": False, "history": False, "show_config": False, "jobs": 0,
            "verbose": False, "prove": True,
        }  # fmt: skip
        super().__init__({**options, **fixed})


class Explain(Command):
    """One run of ``prove --at``: the queries of one line, whether an index is missing or not, in a learner's words."""

    def run(self) -> int:
        from backaudit.audit import Audit, Request
        from backaudit.prove.indexes import lines_with_queries, questions_at
        from backaudit.usage import UsageError

        path, _, line = self.options["at"].rpartition(":")
        if not path or not line.isdigit():
            raise UsageError("--at wants FILE:LINE, as app/users.py:18.")
        root = self._located()
        loaded, _names = load_rules()
        with ExitStack() as stack:
            request = Request(root=root.folder, config=self._config(root), loaded=loaded, jobs=0)
            progress = progress_shown(enabled=not self.quiet)
            stack.callback(progress.clear)
            project = Audit(request, cache=stack.enter_context(self._cache()), progress=progress).project
            asked = questions_at(project, path, int(line))
            known = lines_with_queries(project, path) if not asked else ()
        if not asked:
            lines = f"its queries stand on {', '.join(map(str, known))}" if known else "the file has none"
            raise UsageError(f"no query that can be told as SQL stands at {path}:{line}; {lines}.")
        return self._explained(asked)

    def _explained(self, asked: Sequence[Question]) -> int:
        from backaudit.prove import tried
        from backaudit.prove.server import connected
        from backaudit.prove.trials import Refused, Trials
        from backaudit.report.plans import explained

        with connected(self.options["database_url"]) as connection:
            trials = Trials(connection, self.options["rows"])
            try:
                for question in asked:
                    place = f"{question.place.path}:{question.place.span.line}"
                    try:
                        write(explained(place, tried(question.claim, trials), question.indexes))
                    except Refused as error:
                        say(f"{place}: PostgreSQL cannot be asked: {error}.")
            finally:
                trials.close()
        return OK


class Accepted(Scan):
    """One run of the command ``baseline``: what the baseline accepts, held against a scan of all rules."""

    def __init__(self, options: dict[str, Any]) -> None:
        fixed: dict[str, Any] = {
            "formats": (), "outputs": (), "select": (), "ignore": (), "strict": True, "fail_on": "never",
            "fail_on_problem": None, "fail_on_stale": None, "write_baseline": None, "since": None, "staged": False,
            "history": False, "show_config": False, "jobs": 0, "verbose": False, "exclude": (),
        }  # fmt: skip
        super().__init__({**options, **fixed})

    def run(self) -> int:
        from backaudit.baseline import listing
        from backaudit.usage import UsageError

        root = self._located()
        config = self._config(root)
        loaded, _ = self._rules(config)
        file = self._baseline_file(root, config)
        if file is None:
            raise UsageError('There is no baseline: give --baseline FILE, or configure baseline = "FILE".')
        report = self._report(root, config, loaded)
        assert self.baseline is not None
        if self.options["prune"]:
            self._prune(file, self.baseline)
        else:
            write(listing(self.baseline, self.stale))
        return exit_code(report, config)

    def _prune(self, file: Path, baseline: Baseline) -> None:
        from backaudit.baseline import dump
        from backaudit.output import write_file

        kept = [entry for entry in baseline.entries if entry not in self.stale]
        write_file(file, dump(kept))
        say(f"{file}: {len(self.stale)} stale taken out, {len(kept)} accepted findings left")


def exit_code(report: Report, config: Config) -> int:
    """What a report means for the caller."""
    if any(problem.kind == "crash" for problem in report.problems):
        return CRASH
    failing = [] if config.fail_on == "never" else SEVERITIES[: SEVERITIES.index(config.fail_on) + 1]
    if any(issue.status == "new" and issue.severity in failing for issue in report.issues):
        return FINDINGS
    if config.fail_on_nothing and report.back_end is not None and report.back_end.is_empty:
        return NOTHING
    is_stale = config.fail_on_stale and bool(report.stale_baseline)
    return FINDINGS if is_stale or (config.fail_on_problem and report.problems) else OK


def load_rules() -> tuple[Loaded, RuleNames]:
    """All installed rules, and their names."""
    from backaudit import plugins
    from backaudit.rulenames import RuleNames, is_built_in
    from backaudit.usage import UsageError

    isolate()
    loaded = plugins.load()
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


def _asks_for_history(config: Config, loaded: Loaded) -> bool:
    """Whether a rule about earlier commits is selected by its own name."""
    from backaudit.audit import HISTORY
    from backaudit.rulenames import RuleNames

    names = RuleNames(loaded.rules)
    return any(HISTORY in rule.needs for name in config.select if (rule := names.one(name)) is not None)


def _judge_alone(request: Any) -> bool:
    """Whether every rule that will run judges a file by itself, so that the others need not be read."""
    from backaudit.config import by_id
    from backaudit.rulenames import RuleNames
    from backaudit.triage import select

    names = RuleNames(request.loaded.rules)
    return all(rule.local for rule in select(names, by_id(request.config, names)).rules)


def _private_folder(stack: ExitStack) -> Path:
    """An empty folder that nobody else may read, gone when the run is over."""
    import tempfile

    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backaudit-"))).resolve()


def _now() -> datetime:
    """The time, or what a build that is to be reproducible takes for it."""
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(told), timezone.utc) if told.isdecimal() else datetime.now(timezone.utc)


def _relative(path: Path, root: Path) -> str:
    return Path(os.path.abspath(path)).relative_to(root).as_posix()
