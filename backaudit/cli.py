"""The command line: it alone reads arguments and exits. What a command needs is imported where it needs it."""

from __future__ import annotations

import errno
import inspect
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from backaudit.commands import CRASH, FINDINGS, INTERRUPTED, OK, SEVERITIES, USAGE
from backaudit.commands.baseline import Accepted
from backaudit.commands.common import find, flat, load_rules, loaded_code
from backaudit.commands.fix import Fix
from backaudit.commands.init import Init
from backaudit.commands.map import Map
from backaudit.commands.portfolio import Scored
from backaudit.commands.prove import Explain, Prove
from backaudit.commands.repro import Repro
from backaudit.commands.scan import Scan
from backaudit.console import abandon_stdout, prepare_streams, say, use_color, width, write
from backaudit.crash import ENDING, Terminated, contained

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from backaudit.facts.problem import Problem

# Written out, so that --help needs none of the modules that define them; tests hold them equal.
FORMATS = (
    *("text", "concise", "json", "sarif", "html", "markdown"),
    *("github", "gitlab", "gitlab-sast", "junit", "rdjson"),
)
GROUPINGS = ("file", "rule", "severity")
MAP_FORMATS = ("text", "json", "html", "openapi")
SHELLS = ("bash", "zsh", "fish")
PORTFOLIO_FORMATS = ("text", "html", "json", "markdown", "svg")

FLEET_FORMATS = ("markdown", "html", "csv", "sarif", "json")
PROGRAM = "backaudit"
_LACKS = "the run could not be finished, and no report was written."
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
      backaudit portfolio .                 what a reviewer of your portfolio looks for, row by row
      backaudit explain weak-hash           why a rule reports, and how to mend it
    """


class _Names(click.ParamType[tuple[str, ...]]):
    """Names separated by commas; the option may also be repeated."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(name.strip() for name in value.split(",") if name.strip())

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The last of the names; those before it stay."""
        before, comma, last = incomplete.rpartition(",")
        return _completed(last, before + comma)


class _RuleName(click.ParamType[str]):
    """The name of a rule or family."""

    name = "rule"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return _completed(incomplete)


def _completed(incomplete: str, before: str = "") -> list[CompletionItem]:
    """The rules and families that a name may become; nothing is said where they cannot be loaded."""
    from click.shell_completion import CompletionItem

    from backaudit.usage import UsageError

    with suppress(UsageError):
        names = load_rules()[1].called()
        return [CompletionItem(before + name) for name in names if name.startswith(incomplete)]
    return []


_PATH = click.Path(path_type=Path)


# What several commands take.
Decorator = Callable[[Any], Any]
_EXCLUDE = click.option(
    "--exclude", multiple=True, metavar="GLOB", help="Leave out files, as .gitignore would; may be repeated."
)
_CONFIG = click.option("--config", type=_PATH, metavar="FILE", help="Read the configuration from FILE.")
_NO_CACHE = click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")
_JOBS = click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Worker processes.  [default: one per processor]",
)


def _formats(of: str, choices: Sequence[str]) -> Decorator:
    """``--format``, of what a command writes."""
    kinds = click.Choice(choices)
    return click.option("--format", "formats", multiple=True, type=kinds, help=f"Format of {of}; may be repeated.")


def _outputs(of: str, endings: str) -> Decorator:
    """``--output``, whose endings tell the format."""
    told = f"Write {of} to FILE: the n-th output is the n-th format's. Alone, its ending tells the format: {endings}"
    return click.option("--output", "-o", "outputs", multiple=True, metavar="FILE", help=told)


@cli.command(context_settings=_CONTEXT)
@click.argument("paths", nargs=-1, type=_PATH, metavar="[PATHS]...")
@_formats("a report", FORMATS)
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
    "--per-place", is_flag=True, default=None, help="Tell each place as a finding, where one cause has several."
)
@click.option(
    "--fail-on",
    type=click.Choice((*SEVERITIES, "never")),
    help="Exit with 1 only for findings of this severity or above.  [default: any that is shown]",
)
@click.option("--fail-on-problem", is_flag=True, default=None, help="Exit with 1 if a file could not be analysed.")
@click.option("--fail-on-nothing", is_flag=True, default=None, help="Exit with 4 if no Python back end was found.")
@click.option("--baseline", type=_PATH, metavar="FILE", help="Accept the findings that FILE lists.")
@click.option("--write-baseline", type=_PATH, metavar="FILE", help="Accept today's findings: list them in FILE.")
@click.option("--fail-on-stale", is_flag=True, default=None, help="Exit with 1 if the baseline lists what is gone.")
@click.option(
    "--since", metavar="REF", help="Only findings that the commit REF (a branch, a tag) does not have already."
)
@click.option("--staged", is_flag=True, help="Report on the files staged in git, as they are staged.")
@click.option("--history", is_flag=True, help="Look for secrets in all earlier commits too.")
@click.option("--fix", is_flag=True, help="Mend what can be mended safely, and report what is left.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: also fixes that want a look afterwards.")
@_EXCLUDE
@_CONFIG
@click.option("--show-config", is_flag=True, help="Print every setting and where it comes from, and stop.")
@_JOBS
@click.option(
    "--statistics", is_flag=True, help="How many findings each rule has, instead of the findings; also as JSON."
)
@click.option("--group-by", type=click.Choice(GROUPINGS), help="Order of the text report.  [default: file]")
@click.option("--category", metavar="NAME", help="SARIF's category, where several runs are uploaded for one commit.")
@click.option("--profile", is_flag=True, help="Say at the end what stages, rules and queries took.")
@_NO_CACHE
@click.option("--prove", is_flag=True, help="Put findings on indexes to a real PostgreSQL, as `backaudit prove` does.")
@click.option("--rows", type=click.IntRange(min=1_000), help="Rows in each table, with --prove.  [default: 100000]")
@click.option("--database-url", metavar="URL", help="The server to ask, with --prove, instead of a private one.")
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
      1  findings at or above --fail-on; with --fail-on-problem a file not analysed, with --fail-on-stale a baseline
         entry that meets nothing
      4  with --fail-on-nothing: there is no Python back end here
      0  none of these
    With --fix, of what is left; with --diff, 1 if there is something to change.
    """
    if options["unsafe_fixes"] and not (options["fix"] or options["diff"]):
        raise click.UsageError("--unsafe-fixes belongs to --fix or --diff.")
    command = Fix if options["fix"] or options["diff"] else Scan
    return command(options).run()


@cli.command(context_settings=_CONTEXT)
@click.argument("path", required=False, type=_PATH)
@click.option("--baseline", type=_PATH, metavar="FILE", help="The baseline.  [default: the configured one]")
@click.option("--prune", is_flag=True, help="Take out the entries that meet nothing any more.")
@_CONFIG
@_NO_CACHE
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def baseline(path: Path | None, **options: Any) -> int:
    """Show what the baseline accepts, and which of it is out of date.

    \b
      accepted   the finding is there, and does not count
      stale      the finding is gone: --prune takes the entry out
      expired    its day has come, and the finding counts again: mend it, or set another day

    `backaudit scan --write-baseline FILE` makes a baseline. Into its lines "reason" and "expires" (the first day on
    which the finding counts again, such as "2027-01-31") may be written; they stay when it is written anew.
    """
    return Accepted({**options, "paths": (path,) if path is not None else ()}).run()


@cli.command(context_settings=_CONTEXT)
@click.argument("path", required=False, type=_PATH)
@click.option("--at", metavar="FILE:LINE", help="Only the query there.")
@click.option("--rows", type=click.IntRange(min=1_000), default=100_000, help="Rows in each table.", show_default=True)
@click.option(
    "--database-url",
    metavar="URL",
    help="A PostgreSQL server to use instead of a private one: a schema of its own is made there, and dropped after.",
)
@_formats("a report", FORMATS)
@click.option("--output", "-o", "outputs", multiple=True, metavar="FILE", help="Write a report to FILE.")
@_EXCLUDE
@_CONFIG
@_NO_CACHE
@click.option("-q", "--quiet", is_flag=True, help="Findings and problems only.")
def prove(path: Path | None, **options: Any) -> int:
    """Put every missing index to a real PostgreSQL: the query's plan before and after.

    The tables are made as the code declares them and filled with generated rows, on a private server from
    backaudit[postgres] that is gone afterwards. Nothing of the project is run: only SQL that backaudit itself writes.
    What PostgreSQL contradicts is withdrawn and counted.

    \b
      backaudit prove                          all missing indexes of the project here
      backaudit prove --at app/users.py:18     any query, served or not: its SQL, indexes and plans in words
    """
    command = Prove if options["at"] is None else Explain
    return command({**options, "paths": (path,) if path is not None else ()}).run()


@cli.command(context_settings=_CONTEXT)
@click.argument("finding", required=False)
@click.option("--project", "path", type=_PATH, metavar="FOLDER", help="The project.  [default: the one here]")
@click.option("--output", "-o", type=_PATH, metavar="FILE", help="Write the tests to FILE.")
@_EXCLUDE
@_CONFIG
@_NO_CACHE
@click.option("-q", "--quiet", is_flag=True, help="The tests only.")
def repro(finding: str | None, path: Path | None, **options: Any) -> int:
    """Print pytest tests that fail on mistakes with errors today, and pass when these are mended.

    FINDING is a fingerprint, or the beginning of one, or FILE:LINE; without it all findings of errors/* are taken that
    name a request. Each test sends that request with the framework's own test client (FastAPI, Starlette, Flask,
    Django, REST framework, Ninja). Nothing of the project is run: that is for you and pytest to do.

    \b
      backaudit repro app/views.py:49                 the test for that line
      backaudit repro -o tests/test_client_errors.py  all of them, into a file
    """
    return Repro({**options, "finding": finding, "paths": (path,) if path is not None else ()}).run()


@cli.command(context_settings=_CONTEXT)
@click.argument("path", required=False, type=_PATH)
@click.option("-y", "--yes", is_flag=True, help="Write everything without asking.")
@_NO_CACHE
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def init(path: Path | None, **options: Any) -> int:
    """Write what a project lacks: a configuration, hooks for pre-commit, a workflow for GitHub or GitLab.

    Each file is shown by name and asked for. What is there stays: it is added to where that is safe, and else you are
    shown what to add.
    """
    confirm = partial(click.confirm, default=True, err=True)
    return Init({**options, "confirm": confirm, "paths": (path,) if path is not None else ()}).run()


@cli.command("map", context_settings=_CONTEXT)
@click.argument("path", required=False, type=_PATH)
@_formats("the map", MAP_FORMATS)
@_outputs("the map", ".html, .json, .txt, or openapi.json.")
@_EXCLUDE
@_CONFIG
@_JOBS
@click.option("--reasons", is_flag=True, help="Each status with its reason and place; 500s that findings name, too.")
@_NO_CACHE
@click.option("-q", "--quiet", is_flag=True, help="The tables only.")
def map_(path: Path | None, **options: Any) -> int:
    """Show a back end: its routes, who may call them, what they take and touch, and its tables.

    Each route stands with its methods, path and handler; the guards that stand before it, or "none"; the schema that
    checks its input, or "raw"; the status codes seen; the tables it reads and writes. Then the tables with their
    columns and indexes. Nothing is run: all of it is read from the code. Of the whole project that is analysed, PATH
    (default: the current folder's project) selects what is shown.

    \b
      backaudit map                         for the terminal
      backaudit map --reasons               why and where each status is answered, 500s included
      backaudit map -o map.html             one HTML file with a drawing of the tables
      backaudit map -o openapi.json         an OpenAPI 3.1 document of what the code really offers
    """
    return Map({**options, "paths": (path,) if path is not None else ()}).run()


@cli.command(context_settings=_CONTEXT)
@click.argument("path", required=False, type=_PATH)
@_formats("the scorecard", PORTFOLIO_FORMATS)
@_outputs("the scorecard", ".html, .json, .md, .svg or .txt.")
@click.option("--prove", is_flag=True, help="Ask a real PostgreSQL which query gets slow first, as `prove` does.")
@click.option("--rows", type=click.IntRange(min=1_000), default=1_000_000, help="Rows in each table, with --prove.")
@click.option("--database-url", metavar="URL", help="The server to ask, with --prove, instead of a private one.")
@_EXCLUDE
@_CONFIG
@_JOBS
@_NO_CACHE
@click.option("-q", "--quiet", is_flag=True, help="Verdicts and what is missing only.")
def portfolio(path: Path | None, **options: Any) -> int:
    """Show the scorecard of a project: what a reviewer looks for in ten minutes, row by row.

    Authentication, schema, migrations, resources, validation, error handling, rate limits, tests, documentation,
    README, settings, container, compose, deployment, CI and repository: each with yes, partly or no, the evidence, and
    the next step in the project's own stack. Then three things to do next, and the questions that an interviewer would
    ask, with what the code answers. It is about the whole project around PATH (default: the current folder).

    \b
      backaudit portfolio                       for the terminal
      backaudit portfolio -o PORTFOLIO.md       a page for the repository
      backaudit portfolio -o portfolio.html     one HTML file with a drawing of the schema
      backaudit portfolio -o badge.svg          a badge

    Exit codes are those of `scan`; where there is no Python back end, a line says so, and it exits with 4.
    """
    return Scored({**options, "paths": (path,) if path is not None else ()}).run()


class _Fleet(click.Group):
    """``fleet SOURCES…`` is a run, unless the first word is another of its commands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args.insert(0, "run")
        return super().parse_args(ctx, args)


@cli.group("fleet", cls=_Fleet, context_settings=_CONTEXT)
def fleet() -> None:
    """Scan many repositories, on this machine or on the workers of a Dask cluster: needs backaudit[fleet].

    \b
      backaudit fleet repositories.txt                        those that a file lists: URLs, paths, or JSON lines
      backaudit fleet ~/src --since-last                      of the repositories in a folder those with a new commit
      backaudit fleet repositories.txt --scheduler tls://…    on a cluster
      backaudit fleet report fleet.sqlite3 -o fleet.html      what was found, as one page

    SOURCES are handed to `backaudit fleet run`, whose options `backaudit fleet run --help` shows.
    """


@fleet.command("run", context_settings=_CONTEXT)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCES...")
@click.option(
    "--store",
    type=_PATH,
    default="fleet.sqlite3",
    show_default=True,
    metavar="FILE",
    help="Where the results of all runs are kept; DIR.parquet: as Parquet, for a warehouse.",
)
@click.option("--since-last", is_flag=True, help="Only repositories that have changed since they were last scanned.")
@click.option(
    "--policy", type=_PATH, metavar="FILE", help="A configuration that is laid over that of all repositories."
)
@click.option("--strict", is_flag=True, help="Show also what is only worth a look.")
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Repositories at once, without --scheduler.",
)
@click.option(
    "--seconds", type=click.FloatRange(min=1), default=1800, show_default=True, help="The most for a repository."
)
@click.option(
    "--memory", type=click.IntRange(min=300), default=4000, show_default=True, help="The most for one, in MB."
)
@click.option("--disk", type=click.IntRange(min=1), default=4000, show_default=True, help="The most for one, in MB.")
@click.option("--clone-cache", type=_PATH, metavar="DIR", help="Where clones are kept.  [default: in the user's cache]")
@click.option("--facts", metavar="DIR|URL", help="A folder or fsspec URL in which workers share what they have read.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler: tls://HOST:PORT, or tcp://HOST:PORT.")
@click.option("--tls-ca", metavar="FILE", help="The authority that signed the scheduler's certificate.")
@click.option("--tls-cert", metavar="FILE", help="Our certificate.")
@click.option("--tls-key", metavar="FILE", help="Its key.")
@click.option("--insecure", is_flag=True, help="Allow tcp:// to a public address.")
@click.option("--dashboard", metavar="HOST:PORT", help="Serve Dask's own page there, without --scheduler.")
@click.option("-q", "--quiet", is_flag=True, help="Errors only.")
def fleet_run(**options: Any) -> int:
    """Scan SOURCES: folders, URLs or paths of git, or files that list them.

    A run that was not finished is gone on with by the same command. Afterwards `backaudit fleet report` shows it.

    \b
    Exit codes: 0 all repositories were scanned, 2 a mistake in the arguments, 3 some could not be scanned (the report
    says why), 130 interrupted: what was finished is kept.
    """
    from backaudit.commands.fleet import run

    return run(options)


@fleet.command("report", context_settings=_CONTEXT)
@click.argument("store", type=_PATH)
@_formats("the report", FLEET_FORMATS)
@_outputs("the report", ".html, .csv or .md; sarif and json want a folder.")
def fleet_report(store: Path, **options: Any) -> int:
    """Show what is in STORE: the five mistakes, and what is new and what was fixed since the last run.

    \b
      html       one self-contained page, with search, filters and a part for each repository
      csv        a finding a line
      markdown   a summary for a chat
      sarif      a folder with a file for each repository, as `backaudit scan` writes it; json: the same
    """
    from backaudit.commands.fleet import report

    return report(store, options)


@cli.command(context_settings=_CONTEXT)
@click.option("--select", multiple=True, type=_Names(), metavar="RULES", help="Only these rules or families.")
@click.option("--format", type=click.Choice(("text", "json")), default="text", help="A table, or JSON.")
def rules(select: Sequence[tuple[str, ...]], format: str) -> int:
    """List all rules."""
    from backaudit.catalogue import listing

    loaded, names = load_rules()
    chosen = [rule for name in flat(select) for rule in find(names, name)] if select else list(loaded.rules)
    unique = sorted({rule.id: rule for rule in chosen}.values(), key=lambda rule: rule.id)
    write(listing(unique, format, width(), use_color(sys.stdout)))
    return loaded_code(loaded)


@cli.command(context_settings=_CONTEXT)
@click.argument("rule", type=_RuleName())
def explain(rule: str) -> int:
    """Say why RULE reports, with an example and how to mend it."""
    from backaudit.catalogue import explanation

    _, names = load_rules()
    found = find(names, rule)
    write("\n".join(explanation(one, width(), use_color(sys.stdout)) for one in found))
    return OK


@cli.command(context_settings=_CONTEXT)
@click.argument("path", type=_PATH)
@click.option("-q", "--quiet", is_flag=True, help="Only what fails.")
def test(path: Path, quiet: bool) -> int:
    """Check the fixtures under PATH against their `want:`, `ok:` and `todo:` comments."""
    from backaudit import testing

    loaded, _ = load_rules()
    outcome = testing.run(path, loaded)
    write("".join(f"{failure}\n" for failure in outcome.failures))
    if not quiet:
        counts = f"{outcome.projects} projects, {outcome.expectations} expectations"
        say(f"{counts}, {len(outcome.failures)} failures" if outcome.failures else f"{counts}, all as expected")
    return loaded_code(loaded) or (FINDINGS if outcome.failures else OK)


@cli.command(context_settings=_CONTEXT)
@click.argument("of", type=click.Choice(("config", "report")), metavar="config|report")
def schema(of: str) -> int:
    """Print the JSON schema of the configuration, or of the JSON report.

    That of the configuration knows the rules that are installed, and their options.
    """
    from backaudit.config import schema as config
    from backaudit.report import json as report
    from backaudit.report.jsontext import json_text

    write(json_text(config.schema(load_rules()[1]) if of == "config" else report.schema()))
    return OK


@cli.command(context_settings=_CONTEXT)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> int:
    """Print the script that has SHELL complete commands, options, formats and rules.

    \b
      bash   eval "$(backaudit completion bash)"          in ~/.bashrc
      zsh    eval "$(backaudit completion zsh)"           in ~/.zshrc, after compinit
      fish   backaudit completion fish > ~/.config/fish/completions/backaudit.fish
    """
    from click.shell_completion import get_completion_class

    asked = get_completion_class(shell)
    assert asked is not None
    script = asked(cli, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE")
    write(script.source_template % script.source_vars())
    return OK


@cli.command(context_settings=_CONTEXT)
@click.option("--strict", is_flag=True, help="Show also what is only worth a look.")
@_CONFIG
def lsp(strict: bool, config: Path | None) -> int:
    """Speak the language server protocol on standard input and output, for editors: needs backaudit[lsp]."""
    from backaudit.commands.lsp import serve

    return serve(strict=strict, config=config)


@cli.command(context_settings=_CONTEXT)
def version() -> int:
    """Print the version."""
    from importlib.metadata import version as installed

    write(f"backaudit {installed('backaudit')}\n")
    return OK


if sys.flags.optimize > 1:  # docstrings are gone, and the help with them
    from backaudit.rule import documentation

    for command in (cli, *cli.commands.values()):
        command.help = inspect.cleandoc(documentation(command.callback)) if command.callback is not None else None


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code."""
    prepare_streams()
    for ending in ENDING:
        signal.signal(ending, _end)
    sys.exit(_run(arguments))


def _end(number: int, frame: object) -> NoReturn:
    """Leave as from an error, so that what is temporary is cleared away; a second signal does not disturb that."""
    for ending in ENDING:
        signal.signal(ending, signal.SIG_IGN)
    raise Terminated(number)


def _run(arguments: Sequence[str] | None) -> int:
    crashes: list[Problem] = []
    code = CRASH
    try:
        with contained(crashes, "backaudit", rest="This is a fault of backaudit: please report it."):
            code = _within_memory(arguments)
    except KeyboardInterrupt:
        say("interrupted: no report was written")
        return INTERRUPTED
    except Terminated as error:
        say("terminated: no report was written")
        return 128 + error.number
    except OSError as error:  # the machine lacks something: all else is contained
        say(f"error: {error.strerror}: {_LACKS}")
        return USAGE
    for crash in crashes:
        say(f"error: {crash.message}")
    return code


def _within_memory(arguments: Sequence[str] | None) -> int:
    try:
        return _invoke(arguments)
    except MemoryError:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)) from None


def _invoke(arguments: Sequence[str] | None) -> int:
    from backaudit.report.visible import inert, visible_name
    from backaudit.usage import UsageError

    try:
        code = cli.main(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        vars(error)["message"] = inert(visible_name(error.message))
        error.show()
        return USAGE
    except UsageError as error:
        say(f"error: {error}")
        return USAGE
    except click.Abort:
        raise KeyboardInterrupt from None
    except SystemExit:  # click's own answer to a reader that has gone
        abandon_stdout()
        return OK
    return code if isinstance(code, int) else OK
