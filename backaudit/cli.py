"""The command line: it alone reads arguments, prints and exits. All else is imported where a command needs it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from backaudit.isolation import isolate

if TYPE_CHECKING:
    from backaudit.baseline import Baseline
    from backaudit.cache import Cache
    from backaudit.config import Config, Root
    from backaudit.facts.problem import Problem
    from backaudit.issue import Report
    from backaudit.output import Target
    from backaudit.plugins import Loaded
    from backaudit.rule import Rule
    from backaudit.rulenames import RuleNames
    from backaudit.survey.records import Survey

OK, FINDINGS, USAGE, CRASH, INTERRUPTED = 0, 1, 2, 3, 130

# Written out, so that --help needs none of the modules that define them; tests hold them equal.
FORMATS = ("text", "json", "sarif", "html", "github")
MAP_FORMATS = ("text", "json", "html", "openapi")
SEVERITIES = ("critical", "high", "medium", "low")

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_CONTEXT)
@click.version_option(package_name="backaudit", message="backaudit %(version)s")
def cli() -> None:
    """Security linter for Python back ends: FastAPI, Flask, Django.

    Finds the five mistakes of back ends: passwords, validation, errors, indexes, secrets. It reads the whole project,
    runs nothing of it, and sends nothing anywhere.

    \b
      backaudit scan .                      report on the project around this folder
      backaudit scan --output report.html   the same as one HTML file
      backaudit map .                       the routes, who may call them, and the tables
      backaudit explain weak-hash           why a rule reports, and how to mend it
    """


class _Names(click.ParamType[tuple[str, ...]]):
    """Names separated by commas; the option may also be repeated."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(name.strip() for name in value.split(",") if name.strip())


_PATH = click.Path(path_type=Path)


@cli.command(context_settings=_CONTEXT)
@click.argument("paths", nargs=-1, type=_PATH, metavar="[PATHS]...")
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(FORMATS), help="Format of a report; may be repeated."
)
@click.option(
    "--output",
    "-o",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write a report to FILE: the n-th output is the n-th format's. Alone, its ending tells the format. "
    "A format without one, or with -, goes to standard output.",
)
@click.option("--select", multiple=True, type=_Names(), metavar="RULES", help="Run only these rules or families.")
@click.option("--ignore", multiple=True, type=_Names(), metavar="RULES", help="Do not run these rules or families.")
@click.option("--strict", is_flag=True, default=None, help="Show also what is only worth a look.")
@click.option(
    "--fail-on",
    type=click.Choice((*SEVERITIES, "never")),
    help="Exit with 1 only for findings of this severity or above.  [default: any that is shown]",
)
@click.option("--fail-on-problem", is_flag=True, default=None, help="Exit with 1 if a file could not be analysed.")
@click.option("--baseline", type=_PATH, metavar="FILE", help="Accept the findings that FILE lists.")
@click.option("--write-baseline", type=_PATH, metavar="FILE", help="Accept today's findings: list them in FILE.")
@click.option("--staged", is_flag=True, help="Report on the files staged in git, as they are staged.")
@click.option("--history", is_flag=True, help="Look for secrets in all earlier commits too.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out files, as .gitignore would; may be repeated.")
@click.option("--config", type=_PATH, metavar="FILE", help="Read the configuration from FILE.")
@click.option("--show-config", is_flag=True, help="Print every setting and where it comes from, and stop.")
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Worker processes.  [default: one per processor]",
)
@click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")
@click.option("-q", "--quiet", is_flag=True, help="Findings and problems only.")
@click.option("-v", "--verbose", is_flag=True, help="Also what is suppressed, accepted and left out.")
def scan(**options: Any) -> int:
    """Report the mistakes of a project.

    The project is the nearest folder at or above PATHS with a backaudit.toml, [tool.backaudit] or .git, else the folder
    given. All of it is analysed; PATHS (default: the current folder's project) select what is reported.

    \b
    Exit codes, the first that holds:
      2  a mistake in the arguments or the configuration
      3  a fault of backaudit, or of a rule: it crashed, all else was reported
      1  findings at or above --fail-on, or with --fail-on-problem a file not analysed
      0  none of these
    """
    return _Scan(options).run()


@cli.command("map", context_settings=_CONTEXT)
@click.argument("path", required=False, type=_PATH)
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(MAP_FORMATS), help="Format of the map; may be repeated."
)
@click.option(
    "--output",
    "-o",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write the map to FILE: the n-th output is the n-th format's. Alone, its ending tells the format: "
    ".html, .json, .txt, or openapi.json.",
)
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out files, as .gitignore would; may be repeated.")
@click.option("--config", type=_PATH, metavar="FILE", help="Read the configuration from FILE.")
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Worker processes.  [default: one per processor]",
)
@click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")
@click.option("-q", "--quiet", is_flag=True, help="The tables only.")
def map_(path: Path | None, **options: Any) -> int:
    """Show a back end: its routes, who may call them, what they take and touch, and its tables.

    Each route stands with its methods, path and handler; the guards that stand before it, or "none"; the schema that
    checks its input, or "raw"; the status codes seen; the tables it reads and writes. Then the tables with their
    columns and indexes. Nothing is run: all of it is read from the code. Of the whole project that is analysed, PATH
    (default: the current folder's project) selects what is shown.

    \b
      backaudit map                         for the terminal
      backaudit map -o map.html             one HTML file with a drawing of the tables
      backaudit map -o openapi.json         an OpenAPI 3.1 document of what the code really offers
    """
    return _Map({**options, "paths": (path,) if path is not None else ()}).run()


@cli.command(context_settings=_CONTEXT)
@click.option("--select", multiple=True, type=_Names(), metavar="RULES", help="Only these rules or families.")
@click.option("--format", type=click.Choice(("text", "json")), default="text", help="A table, or JSON.")
def rules(select: Sequence[tuple[str, ...]], format: str) -> int:
    """List all rules."""
    from backaudit.catalogue import listing

    loaded, names = _load_rules()
    chosen = [rule for name in _flat(select) for rule in _find(names, name)] if select else list(loaded.rules)
    unique = sorted({rule.id: rule for rule in chosen}.values(), key=lambda rule: rule.id)
    _write(listing(unique, format, _width(), _use_color(sys.stdout)))
    return _loaded_code(loaded)


@cli.command(context_settings=_CONTEXT)
@click.argument("rule")
def explain(rule: str) -> int:
    """Say why RULE reports, with an example and how to mend it."""
    from backaudit.catalogue import explanation

    _, names = _load_rules()
    found = _find(names, rule)
    _write("\n".join(explanation(one, _width(), _use_color(sys.stdout)) for one in found))
    return OK


@cli.command(context_settings=_CONTEXT)
@click.argument("path", type=_PATH)
@click.option("-q", "--quiet", is_flag=True, help="Only what fails.")
def test(path: Path, quiet: bool) -> int:
    """Check the fixtures under PATH against their `want:`, `ok:` and `todo:` comments."""
    from backaudit import testing

    loaded, _ = _load_rules()
    outcome = testing.run(path, loaded)
    _write("".join(f"{failure}\n" for failure in outcome.failures))
    if not quiet:
        counts = f"{outcome.projects} projects, {outcome.expectations} expectations"
        _say(f"{counts}, {len(outcome.failures)} failures" if outcome.failures else f"{counts}, all as expected")
    return _loaded_code(loaded) or (FINDINGS if outcome.failures else OK)


@cli.command(context_settings=_CONTEXT)
def version() -> int:
    """Print the version."""
    from importlib.metadata import version as installed

    _write(f"backaudit {installed('backaudit')}\n")
    return OK


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code."""
    _prepare_streams()
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    from backaudit.crash import contained

    crashes: list[Problem] = []
    code = CRASH
    try:
        with contained(crashes, "backaudit", rest="This is a fault of backaudit: please report it."):
            code = _invoke(arguments)
    except KeyboardInterrupt:
        _say("interrupted: no report was written")
        return INTERRUPTED
    for crash in crashes:
        _say(f"error: {crash.message}")
    return code


def _invoke(arguments: Sequence[str] | None) -> int:
    from backaudit.usage import UsageError

    try:
        code = cli.main(args=arguments, prog_name="backaudit", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except UsageError as error:
        _say(f"error: {error}")
        return USAGE
    except click.Abort:
        raise KeyboardInterrupt from None
    return code if isinstance(code, int) else OK


class _Command:
    """What the commands that analyse a project have in common: where it is, its configuration, the cache."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.given: tuple[Path, ...] = options["paths"] or (Path(),)
        self.quiet: bool = options["quiet"]

    def _located(self) -> Root:
        # Nearly all that a run makes lives to its end: looking for garbage every 700 objects costs a tenth of it.
        gc.set_threshold(200_000, 20, 20)
        root = self._root()
        isolate(root.folder)
        return root

    def _root(self) -> Root:
        from backaudit.config import find_root
        from backaudit.usage import UsageError

        for path in self.given:
            if not path.exists():
                raise UsageError(f"{path} does not exist.")
        return find_root(self.given)

    def _config(self, root: Root) -> Config:
        from backaudit.config import load

        asked = {name: _flat(self.options[name]) for name in ("select", "ignore") if self.options.get(name)}
        asked |= {
            name: self.options[name]
            for name in ("strict", "fail_on", "fail_on_problem")
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


class _Map(_Command):
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
        loaded, _ = _load_rules()
        with ExitStack() as stack:
            request = Request(root=root.folder, config=self._config(root), loaded=loaded, jobs=self.options["jobs"])
            progress = _progress(enabled=not self.quiet)
            stack.callback(progress.clear)
            request = self._narrowed(request)
            audit = Audit(request, cache=stack.enter_context(self._cache()), progress=progress)
            found = within(audit.survey, request.reported)
        for target in self.targets:
            self._deliver(found, target)
        if not any(target.path is None for target in self.targets) and not self.quiet:
            files = ", ".join(str(target.path) for target in self.targets)
            _say(f"{len(found.routes)} routes, {len(found.tables)} tables: {files}")
        return CRASH if any(problem.kind == "crash" for problem in found.problems) else OK

    def _deliver(self, found: Survey, target: Target) -> None:
        from backaudit.output import write_file
        from backaudit.report.map import renderer

        options: dict[str, Any] = {}
        if target.format == "text":
            to_terminal = target.path is None
            options = {
                "color": to_terminal and _use_color(sys.stdout),
                "width": _width() if to_terminal else 100,
                "quiet": self.quiet,
            }
        text = renderer(target.format)(found, **options)
        if target.path is None:
            _write(text)
        else:
            write_file(target.path, text)


class _Scan(_Command):
    """One run of the command ``scan``."""

    def __init__(self, options: dict[str, Any]) -> None:
        from backaudit.output import targets

        super().__init__(options)
        self.targets = targets(options["formats"], options["outputs"])
        self.survey: Survey | None = None

    def run(self) -> int:
        root = self._located()
        config = self._config(root)
        loaded, names = self._rules(config)
        if self.options["show_config"]:
            return self._show(config, root, loaded, names)
        report = self._report(root, config, loaded)
        for target in self.targets:
            self._deliver(report, target)
        if not any(target.path is None for target in self.targets) and not self.quiet:
            self._say_where(report)
        return _exit_code(report, config)

    def _rules(self, config: Config) -> tuple[Loaded, RuleNames]:
        """The rules: all, or the families asked for where nothing else is named; a hook has no time for the others."""
        from backaudit import plugins
        from backaudit.config import families
        from backaudit.rulenames import RuleNames

        asked = frozenset() if self.options["show_config"] else families(config)
        if not asked:
            return _load_rules()
        isolate()
        loaded = plugins.load_families(asked)
        known = {rule.family for rule in loaded.rules}
        return (loaded, RuleNames(loaded.rules)) if asked <= known else _load_rules()

    def _show(self, config: Config, root: Root, loaded: Loaded, names: RuleNames) -> int:
        from backaudit.config import by_id, check_names, describe

        check_names(config, names)
        _write(describe(by_id(config, names), root, loaded.rules))
        return OK

    def _report(self, root: Root, config: Config, loaded: Loaded) -> Report:
        from backaudit.audit import Audit, Request

        if self.options["history"] and self.options["staged"]:
            from backaudit.usage import UsageError

            raise UsageError("--history reads what was committed, --staged what is not yet: give one of them.")
        baseline = self._baseline()
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
            progress = _progress(enabled=not self.quiet)
            stack.callback(progress.clear)
            audit = Audit(request, cache=stack.enter_context(self._cache()), progress=progress)
            report = audit.report(baseline)
            if any(target.format == "html" for target in self.targets):
                self.survey = audit.survey
        return self._accept(audit, report, baseline) if self.options["write_baseline"] else report

    def _staged(self, request: Any, stack: ExitStack) -> Any:
        """The request on a copy of what git has staged, which is all that is reported."""
        import tempfile

        from msgspec.structs import replace

        from backaudit import gitindex, staged

        root = request.root
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backaudit-"))).resolve()
        changed = staged.export(root, folder, request.config.source_limits(), only_changed=_judge_alone(request))
        narrowed = self._narrowed(request).reported
        if narrowed is not None:
            changed = tuple(path for path in changed if any(f"{path}/".startswith(f"{asked}/") for asked in narrowed))
        repository = gitindex.repository_of(root)
        prefix = (
            "" if repository is None or repository.top == root else root.relative_to(repository.top).as_posix() + "/"
        )
        return replace(request, root=folder, root_name=root.name, reported=changed, use_git=False, git_prefix=prefix)

    def _baseline(self) -> Baseline | None:
        from backaudit.baseline import load

        file = self.options["baseline"]
        if file is None and self.options["write_baseline"] is not None and self.options["write_baseline"].exists():
            file = self.options["write_baseline"]
        return load(file) if file is not None else None

    def _accept(self, audit: Any, report: Report, baseline: Baseline | None) -> Report:
        """Write the baseline anew: today's findings, and the old entries that this run could not judge."""
        from backaudit.baseline import Baseline, dump
        from backaudit.output import write_file

        file: Path = self.options["write_baseline"]
        entries = audit.accepted(baseline)
        write_file(file, dump(entries))
        _say(f"{file}: {len(entries)} accepted findings")
        fresh: Report = audit.report(Baseline(entries))
        return fresh

    def _deliver(self, report: Report, target: Target) -> None:
        from backaudit.output import write_file
        from backaudit.report import renderer

        options: dict[str, Any] = {}
        if target.format == "text":
            to_terminal = target.path is None
            options = {
                "color": to_terminal and _use_color(sys.stdout),
                "width": _width() if to_terminal else 100,
                "verbose": self.options["verbose"],
                "quiet": self.quiet,
            }
        if target.format == "html":
            options = {"survey": self.survey}
        text = renderer(target.format)(report, **options)
        if target.path is None:
            _write(text)
        else:
            write_file(target.path, text)

    def _say_where(self, report: Report) -> None:
        new = sum(issue.status == "new" for issue in report.issues)
        files = ", ".join(str(target.path) for target in self.targets)
        _say(f"{new} finding{'' if new == 1 else 's'} in {report.files} files: {files}")


def _exit_code(report: Report, config: Config) -> int:
    if any(problem.kind == "crash" for problem in report.problems):
        return CRASH
    failing = [] if config.fail_on == "never" else SEVERITIES[: SEVERITIES.index(config.fail_on) + 1]
    if any(issue.status == "new" and issue.severity in failing for issue in report.issues):
        return FINDINGS
    return FINDINGS if config.fail_on_problem and report.problems else OK


def _load_rules() -> tuple[Loaded, RuleNames]:
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


def _find(names: RuleNames, name: str) -> tuple[Rule, ...]:
    from backaudit.usage import UsageError

    found = names.find(name)
    if not found:
        raise UsageError(f'there is no rule "{name}".{names.suggestion(name)}')
    return found


def _loaded_code(loaded: Loaded) -> int:
    for problem in loaded.problems:
        _say(f"error: {problem.message}")
    return CRASH if loaded.problems else OK


def _flat(groups: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
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


def _relative(path: Path, root: Path) -> str:
    return Path(os.path.abspath(path)).relative_to(root).as_posix()


def _progress(*, enabled: bool) -> Any:
    from backaudit.progress import Progress

    return Progress(sys.stderr, enabled=enabled)


def _width() -> int:
    from shutil import get_terminal_size

    return get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100


def _use_color(stream: Any) -> bool:
    return bool(stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()


def _say(text: str) -> None:
    sys.stderr.write(f"backaudit: {text}\n")


def _prepare_streams() -> None:
    """A console that lacks a character shows its escape instead of ending the run."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _abandon_stdout() -> None:
    """The reader has gone: whatever is still buffered must not be written, nor complained about at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
