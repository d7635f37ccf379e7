"""``scan``: the mistakes of a project."""

from __future__ import annotations

import sys
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backaudit.commands import CRASH, FINDINGS, NOTHING, OK, SEVERITIES
from backaudit.commands.common import Command, load_rules, now, private_folder
from backaudit.console import progress_shown, say, use_color, use_links, width, write
from backaudit.isolation import isolate

if TYPE_CHECKING:
    from backaudit.audit import Audit
    from backaudit.baseline import Baseline, Entry
    from backaudit.cache import Cache
    from backaudit.config import Config, Root
    from backaudit.config.folders import Folders
    from backaudit.issue import Before, Issue, Report
    from backaudit.output import Target
    from backaudit.plugins import Loaded
    from backaudit.rulenames import RuleNames
    from backaudit.survey.records import Survey
    from backaudit.times import Times

# In each table of `--prove`.
ROWS = 100_000
# Options that exclude each other, and why.
_APART = (
    ("history", "staged", "--history reads what was committed, --staged what is not yet"),
    ("since", "history", "--since holds against one commit, --history reads them all"),
)


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
        self.times: Times | None = None
        self.folders: Folders | None = None

    def run(self) -> int:
        root = self._located()
        self.root = str(root.folder)
        config = self._config(root)
        loaded, names = self._rules(config)
        if self.options["show_config"]:
            return self._show(config, root, loaded, names)
        code = self._delivered(self._report(root, config, loaded), config)
        for line in self.times.told() if self.times is not None and self.options.get("profile") else ():
            say(line)
        return code

    def _delivered(self, report: Report, config: Config) -> int:
        for target in self.targets:
            self._deliver(report, target)
        if not any(target.path is None for target in self.targets) and not self.quiet:
            self._say_where(report)
        return exit_code(report, config, self.folders)

    def _rules(self, config: Config) -> tuple[Loaded, RuleNames]:
        """The rules: all, or the families asked for where nothing else is named; a hook has no time for the others."""
        from backaudit import plugins
        from backaudit.config import families
        from backaudit.rulenames import RuleNames

        asked = frozenset() if self.options["show_config"] else families(config)
        if not asked:
            with self._cache() as cache:
                return load_rules(cache)
        isolate()
        loaded = plugins.load_families(asked)
        known = {rule.family for rule in loaded.rules}
        return (loaded, RuleNames(loaded.rules)) if asked <= known else load_rules()

    def _show(self, config: Config, root: Root, loaded: Loaded, names: RuleNames) -> int:
        from backaudit.config import by_id, check_names, describe
        from backaudit.report.visible import shown

        check_names(config, names)
        write(shown(describe(by_id(config, names), root, loaded.rules)))
        return OK

    def _check_together(self) -> None:
        """UsageError where two options ask for different things."""
        from backaudit.usage import UsageError

        for one, other, why in _APART:
            if self.options[one] and self.options[other]:
                raise UsageError(f"{why}: give one of them.")
        of_proofs = ("rows", "database_url")
        if not self.options.get("prove", True) and any(self.options.get(name) for name in of_proofs):
            raise UsageError("--rows and --database-url say how --prove is done: give it as well.")
        others = sorted({target.format for target in self.targets} - {"text", "json"})
        if others and self.options.get("statistics"):
            raise UsageError(f"--statistics are text or JSON, not {', '.join(others)}.")

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
            audit = self._settled(audit, before, stack)
            report = audit.report(baseline, before)
            self.stale = audit.stale(baseline) if baseline is not None else ()
            if any(target.format == "html" for target in self.targets):
                self.survey = audit.survey
            self.times, self.folders = audit.times, audit.folders
        if self.options["write_baseline"]:
            return self._accept(audit, baseline, before)
        return self._proved(report) if self.options.get("prove") else report

    def _settled(self, audit: Audit, before: Before | None, stack: ExitStack) -> Audit:
        """The run that is reported."""
        return audit

    def _proved(self, report: Report) -> Report:
        """The report with a real planner's word on its missing indexes."""
        from backaudit.prove import prove
        from backaudit.prove.trials import trials_on

        progress = progress_shown(enabled=not self.quiet)
        with trials_on(self.options.get("database_url"), self.options.get("rows") or ROWS) as trials:
            try:
                return prove(report, trials, progress).report
            finally:
                progress.clear()

    def _staged(self, request: Any, stack: ExitStack) -> Any:
        """The request on a copy of what git has staged, which is all that is reported."""

        from msgspec.structs import replace

        from backaudit import gitindex, staged

        root = request.root
        folder = private_folder(stack)
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

        folder = private_folder(stack)
        return since.before(audit, root, self.options["since"], folder, cache=cache, progress=progress)

    def _baseline(self, root: Root, config: Config) -> Baseline | None:
        """What is accepted: of the file that is given, or configured; or, to write it anew, of what it holds."""
        from backaudit.baseline import load

        target: Path | None = self.options["write_baseline"]
        file = self._baseline_file(root, config)
        if target is not None and (file is None or not file.exists()):
            file = target if target.is_file() else None
        if file is None:
            return None
        is_written = target is not None and target.is_file() and file.samefile(target)
        is_named = file in (target, self.options["baseline"])
        return load(file, now().date(), repair=is_written, within=None if is_named else root.folder)

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
        fresh: Report = audit.report(Baseline(entries, now().date()), before)
        return fresh

    def _deliver(self, report: Report, target: Target) -> None:
        from backaudit.output import write_file

        with self.times.stage("report") if self.times is not None else nullcontext():
            text = self._rendered(report, target)
        if target.path is None:
            write(text)
        else:
            write_file(target.path, text)

    def _rendered(self, report: Report, target: Target) -> str:
        from backaudit.report import renderer, statistics

        if self.options.get("statistics"):
            return statistics.render(report, target.format)
        return renderer(target.format)(report, **self._layout(target))

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
            return {"made": now()}
        return {}

    def _say_where(self, report: Report) -> None:
        from backaudit.report.extent import extent_of

        new = sum(issue.status == "new" for issue in report.issues)
        files = ", ".join(str(target.path) for target in self.targets)
        extent = extent_of(report)
        said = f" ({extent})" if extent else ""
        say(f"{new} finding{'' if new == 1 else 's'} in {report.files} files{said}: {files}")


def exit_code(report: Report, config: Config, folders: Folders | None = None) -> int:
    """What a report means for the caller."""
    if any(problem.kind == "crash" for problem in report.problems):
        return CRASH
    if any(issue.status == "new" and _fails(issue, config, folders) for issue in report.issues):
        return FINDINGS
    if config.fail_on_nothing and report.back_end is not None and report.back_end.is_empty:
        return NOTHING
    is_stale = config.fail_on_stale and bool(report.stale_baseline)
    return FINDINGS if is_stale or (config.fail_on_problem and report.problems) else OK


def _fails(issue: Issue, config: Config, folders: Folders | None) -> bool:
    """Whether a finding is as grave as what the run is to fail on, where it stands."""
    asked = (folders.of(issue.finding.place.path) if folders is not None else config).fail_on
    return asked != "never" and SEVERITIES.index(issue.severity) <= SEVERITIES.index(asked)


def _asks_for_history(config: Config, loaded: Loaded) -> bool:
    """Whether a rule about earlier commits is selected by its own name."""
    from backaudit.rulenames import RuleNames
    from backaudit.stages.inventory import HISTORY

    names = RuleNames(loaded.rules)
    return any(HISTORY in rule.needs for name in config.select if (rule := names.one(name)) is not None)


def _judge_alone(request: Any) -> bool:
    """Whether every rule that will run judges a file by itself, so that the others need not be read."""
    from backaudit.config import by_id
    from backaudit.rulenames import RuleNames
    from backaudit.triage import select

    names = RuleNames(request.loaded.rules)
    return all(rule.local for rule in select(names, by_id(request.config, names)).rules)
