"""The command from outside: exit codes, where reports go, and every mistake a user can make."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from backaudit import cli, commands

WEAK = "import hashlib\n\n\ndef save(user, password):\n    user.password = hashlib.md5(password.encode()).hexdigest()\n"
pytestmark = pytest.mark.e2e
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "PYTHONPATH")}
    env = {**inherited, "BACKAUDIT_CACHE_DIR": str(folder.parent / "cache"), **environment}
    command = [sys.executable, "-m", "backaudit", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, env=env, timeout=120, check=False)


def out(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stdout.decode()


def err(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode()


def found(done: subprocess.CompletedProcess[bytes]) -> list[tuple[str, str, int]]:
    """(path, rule, line) of the new findings in a JSON report on standard output."""
    findings = json.loads(done.stdout)["findings"]
    return [(item["path"], item["rule"], item["line"]) for item in findings if item["status"] == "new"]


def scan(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return run(folder, "scan", "--format", "json", "--jobs", "1", "--select", "weak-hash,directives", *arguments)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one weak hash in app/weak.py, line 5, and nothing else."""
    root = tmp_path / "my shop"
    (root / "app").mkdir(parents=True)
    (root / "backaudit.toml").write_text("")
    (root / "app" / "weak.py").write_text(WEAK)
    (root / "app" / "fine.py").write_text("x = 1\n")
    return root


def test_findings_end_with_one_and_none_with_zero(project: Path) -> None:
    done = scan(project)
    assert (done.returncode, found(done)) == (1, [("app/weak.py", "passwords/weak-hash", 5)])
    (project / "app" / "weak.py").unlink()
    done = scan(project)
    assert (done.returncode, found(done), err(done)) == (0, [], "")


def test_the_cache_changes_nothing(project: Path) -> None:
    runs = [scan(project, *more).stdout for more in (["--no-cache"], [], [], ["--jobs", "2"])]
    assert len(set(runs)) == 1


@pytest.mark.parametrize(("level", "code"), [("critical", 0), ("high", 1), ("low", 1), ("never", 0)])
def test_fail_on_counts_from_a_severity_up(project: Path, level: str, code: int) -> None:
    (project / "backaudit.toml").write_text('[severities]\nweak-hash = "high"\n')
    assert scan(project, "--fail-on", level).returncode == code


def test_problems_count_only_when_asked(project: Path) -> None:
    (project / "app" / "weak.py").write_text("print 'two'\n")
    assert scan(project).returncode == 0
    done = scan(project, "--fail-on-problem")
    assert done.returncode == 1
    assert [problem["kind"] for problem in json.loads(done.stdout)["problems"]] == ["unparsable"]


@pytest.mark.parametrize("name", ["app", "app/weak.py", "./app/../app/weak.py"])
def test_paths_select_what_is_reported(project: Path, name: str) -> None:
    (project / "other.py").write_text(WEAK)
    assert [path for path, _, _ in found(scan(project))] == ["app/weak.py", "other.py"]
    assert [path for path, _, _ in found(scan(project, name))] == ["app/weak.py"]


def test_the_project_around_the_current_folder_is_scanned(project: Path) -> None:
    done = run(project / "app", "scan", "--format", "json", "--select", "weak-hash", "..")
    assert [path for path, _, _ in found(done)] == ["app/weak.py"]
    (project / "other.py").write_text(WEAK)
    done = run(project / "app", "scan", "--format", "json", "--select", "weak-hash")
    assert [path for path, _, _ in found(done)] == ["app/weak.py", "other.py"]


def test_no_python_and_an_empty_project_are_no_mistake(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert scan(empty).returncode == 0
    (empty / "README.md").write_text("# x\n")
    assert scan(empty).returncode == 0


def test_excludes_hold_for_named_files_and_add_up(project: Path) -> None:
    (project / "backaudit.toml").write_text('exclude = ["/other.py"]\n')
    (project / "other.py").write_text(WEAK)
    assert found(scan(project, "--exclude", "app/", "app/weak.py", "other.py")) == []


# -- the user's mistakes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["scan", "no such folder"], "no such folder does not exist"),
        (["scan", "--select", "weak-hsah"], 'there is no rule "weak-hsah". Did you mean "weak-hash"?'),
        (["scan", "--ignore", "x", "."], '--ignore: there is no rule "x".'),
        (["scan", "--fail-on", "hihg"], "Invalid value for '--fail-on'"),
        (["scan", "--formt", "json"], "No such option"),
        (["scan", "--format", "json", "--format", "sarif"], "Only one report can go to standard output"),
        (["scan", "--output", "no/such/x.json"], "its folder does not exist"),
        (["scan", "--output", "app"], "app"),
        (["scan", "--config", "gone.toml"], "cannot be read"),
        (["scan", "--baseline", "gone.txt"], "The baseline gone.txt cannot be read"),
        (["scan", "--staged"], "--staged needs a git repository"),
        (["explain", "weak-hsah"], 'Did you mean "weak-hash"?'),
        (["test", "gone"], "gone does not exist"),
        (["frobnicate"], "No such command"),
    ],
)
def test_a_mistake_ends_with_two_and_a_line_that_names_it(project: Path, arguments: Sequence[str], said: str) -> None:
    done = run(project, *arguments)
    assert done.returncode == 2, err(done)
    assert said in err(done)
    assert "Traceback" not in err(done)
    assert out(done) == ""


@pytest.mark.parametrize("text", ["select = ", "ingore = []", "[severities]\nweak-hash = 'worst'"])
def test_a_broken_configuration_ends_with_two(project: Path, text: str) -> None:
    (project / "backaudit.toml").write_text(text)
    done = scan(project)
    assert done.returncode == 2
    assert err(done).startswith("backaudit: error: backaudit.toml: ")


def test_a_broken_baseline_ends_with_two(project: Path) -> None:
    (project / "b.txt").write_text("{}")
    assert scan(project, "--baseline", "b.txt").returncode == 2
    assert scan(project, "--write-baseline", "b.txt").returncode == 0
    assert scan(project, "--baseline", "b.txt").returncode == 0


# -- reports -----------------------------------------------------------------------------------------------------------


def test_several_reports_in_one_run(project: Path) -> None:
    done = run(
        *(project, "scan", "--select", "weak-hash", "--format", "json", "--output", "a.json"),
        *("--format", "sarif", "-o", "b.sarif", "--format", "text"),
    )
    assert done.returncode == 1
    assert json.loads((project / "a.json").read_text())["findings"]
    assert json.loads((project / "b.sarif").read_text())["version"] == "2.1.0"
    assert "passwords/weak-hash" in out(done)


def test_a_lone_output_tells_its_format_and_where_it_went(project: Path) -> None:
    done = run(project, "scan", "--select", "weak-hash", "--output", "r.html")
    assert (done.returncode, out(done)) == (1, "")
    assert "1 finding in " in err(done)
    assert "r.html" in err(done)
    assert (project / "r.html").read_text().lower().startswith("<!doctype html>")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_an_output_that_cannot_be_written_ends_with_two(project: Path) -> None:
    (project / "locked").mkdir(mode=0o500)
    assert run(project, "scan", "--output", "locked/r.json").returncode == 2


def test_text_has_no_colours_in_a_pipe(project: Path) -> None:
    assert b"\x1b" not in run(project, "scan").stdout


@pytest.mark.skipif(os.name == "nt", reason="terminals are POSIX's here")
@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_a_terminal_has_colours_unless_told_otherwise(
    project: Path, environment: dict[str, str], coloured: bool
) -> None:
    import pty

    ours, theirs = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    env = {**inherited, "TERM": "xterm", "BACKAUDIT_CACHE_DIR": str(project.parent / "cache"), **environment}
    command = [sys.executable, "-m", "backaudit", "scan", "--select", "weak-hash"]
    process = subprocess.Popen(command, cwd=project, stdout=theirs, stderr=subprocess.DEVNULL, env=env)
    os.close(theirs)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    process.wait(120)
    os.close(ours)
    assert b"weak-hash" in shown
    assert (b"\x1b[" in shown) is coloured


def test_a_console_of_few_characters_shows_escapes(project: Path) -> None:
    (project / "app" / "größe☃.py").write_text(WEAK)
    done = run(project, "scan", "--select", "weak-hash", PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    assert done.returncode == 1
    assert "größe\\u2603.py" in done.stdout.decode("cp1252")


@pytest.mark.skipif(os.name == "nt", reason="pipes are POSIX's here")
def test_a_closed_pipe_is_quiet(project: Path) -> None:
    command = f'"{sys.executable}" -m backaudit scan --select weak-hash | true; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", command], cwd=project, capture_output=True, timeout=120, check=False)
    assert done.stderr == b""
    assert done.stdout.strip() in (b"0", b"1")


# -- baseline, suppression, configuration ------------------------------------------------------------------------------


def test_a_baseline_accepts_what_is_there_and_only_new_findings_fail(project: Path) -> None:
    done = scan(project, "--write-baseline", "b.txt")
    assert (done.returncode, found(done)) == (0, [])
    assert "b.txt: 1 accepted finding" in err(done)
    first = (project / "b.txt").read_text()
    assert "line" not in first
    (project / "app" / "weak.py").write_text("# moved\n\n" + WEAK)
    assert scan(project, "--baseline", "b.txt").returncode == 0
    (project / "app" / "new.py").write_text(WEAK)
    done = scan(project, "--baseline", "b.txt")
    assert (done.returncode, found(done)) == (1, [("app/new.py", "passwords/weak-hash", 5)])
    assert (project / "b.txt").read_text() == first


def test_nothing_to_look_at_is_an_error_on_request(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("print(1)\n")
    assert run(tmp_path, "scan").returncode == 0
    assert run(tmp_path, "scan", "--fail-on-nothing").returncode == 4


def test_colours_can_be_asked_for_without_a_terminal(project: Path) -> None:
    arguments = ("scan", "--select", "weak-hash")
    assert "\x1b[" in out(run(project, *arguments, FORCE_COLOR="1"))
    assert "\x1b[" in out(run(project, *arguments, CLICOLOR_FORCE="1"))
    assert "\x1b[" not in out(run(project, *arguments, FORCE_COLOR="1", NO_COLOR="1"))


def test_stale_entries_are_reported_and_pruned_on_request(project: Path) -> None:
    scan(project, "--write-baseline", "b.txt")
    (project / "app" / "weak.py").write_text("x = 1\n")
    done = scan(project, "--baseline", "b.txt")
    assert (done.returncode, len(json.loads(done.stdout)["stale_baseline"])) == (0, 1)
    assert scan(project, "--baseline", "b.txt", "--fail-on-stale").returncode == 1
    scan(project, "--write-baseline", "b.txt")
    assert (project / "b.txt").read_text() == ""


def test_a_configured_baseline_is_shown_and_pruned(project: Path) -> None:
    (project / "backaudit.toml").write_text('baseline = "accepted.jsonl"\n')
    assert scan(project, "--write-baseline", "accepted.jsonl").returncode == 0
    assert scan(project).returncode == 0
    assert "accepted  app/weak.py" in out(run(project, "baseline"))
    (project / "app" / "weak.py").write_text("x = 1\n")
    assert "stale     app/weak.py" in out(run(project, "baseline"))
    done = run(project, "baseline", "--prune")
    assert "1 stale taken out, 0 accepted findings left" in err(done)
    assert (project / "accepted.jsonl").read_text() == ""


def test_accepted_findings_follow_their_file_and_keep_their_reason(project: Path) -> None:
    scan(project, "--write-baseline", "b.txt")
    entry = json.loads((project / "b.txt").read_text())
    (project / "b.txt").write_text(json.dumps({**entry, "reason": "a legacy import", "expires": "2999-01-01"}) + "\n")
    (project / "app" / "weak.py").rename(project / "app" / "hashes.py")
    assert scan(project, "--baseline", "b.txt").returncode == 0
    scan(project, "--write-baseline", "b.txt")
    kept = json.loads((project / "b.txt").read_text())
    assert (kept["path"], kept["reason"], kept["expires"]) == ("app/hashes.py", "a legacy import", "2999-01-01")
    (project / "b.txt").write_text(json.dumps({**kept, "expires": "2020-01-01"}) + "\n")
    assert scan(project, "--baseline", "b.txt").returncode == 1


def test_without_a_baseline_the_command_says_what_to_do(project: Path) -> None:
    done = run(project, "baseline")
    assert (done.returncode, "There is no baseline" in err(done)) == (2, True)


def test_entries_that_a_run_cannot_judge_stay(project: Path) -> None:
    (project / "other.py").write_text(WEAK)
    scan(project, "--write-baseline", "b.txt")
    before = (project / "b.txt").read_text()
    scan(project, "--write-baseline", "b.txt", "app")
    run(project, "scan", "--select", "sql-injection", "--write-baseline", "b.txt")
    assert (project / "b.txt").read_text() == before


def test_a_suppression_holds_and_a_bad_one_is_a_finding(project: Path) -> None:
    line = WEAK.rstrip().replace("hexdigest()", "hexdigest()  # backaudit: ignore[weak-hash] legacy rows")
    (project / "app" / "weak.py").write_text(line + "\n")
    assert scan(project).returncode == 0
    (project / "app" / "weak.py").write_text(line.replace(" legacy rows", "") + "\n")
    assert [rule for _, rule, _ in found(scan(project))] == ["passwords/weak-hash", "directives/malformed"]


def test_show_config_names_origins_and_scans_nothing(project: Path) -> None:
    (project / "backaudit.toml").write_text("strict = true\n")
    done = run(project, "scan", "--show-config", "--fail-on", "high")
    assert done.returncode == 0
    assert "strict = true  # backaudit.toml" in out(done)
    assert 'fail-on = "high"  # command line' in out(done)


def test_the_configuration_of_a_folder_holds_there(project: Path) -> None:
    (project / "other.py").write_text(WEAK)
    (project / "app" / "backaudit.toml").write_text('[per-path-ignores]\n"weak.py" = ["passwords"]\n')
    assert [path for path, _, _ in found(scan(project))] == ["other.py"]


def test_configuration_selects_and_the_command_line_overrides(project: Path) -> None:
    (project / "backaudit.toml").write_text('select = ["sql-injection"]\n')
    assert found(run(project, "scan", "--format", "json")) == []
    assert len(found(scan(project))) == 1


# -- git ---------------------------------------------------------------------------------------------------------------


@needs_git
def test_staged_reports_what_is_staged_as_it_is_staged(project: Path) -> None:
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "first")
    (project / "app" / "new.py").write_text(WEAK)
    assert found(scan(project, "--staged")) == []
    git(project, "add", "app/new.py")
    (project / "app" / "new.py").write_text("x = 1\n")
    (project / "app" / "fine.py").write_text(WEAK)
    assert [path for path, _, _ in found(scan(project, "--staged"))] == ["app/new.py"]


@needs_git
def test_staged_reports_what_was_added_though_it_is_ignored(project: Path) -> None:
    git(project, "init", "-q")
    (project / ".gitignore").write_text(".env\n")
    (project / ".env").write_text("SECRET_KEY=vN3kX9vTq2LmWzR7pYc4\n")
    git(project, "add", "--force", ".gitignore", ".env")
    done = scan(project, "--staged", "--select", "secrets")
    assert [rule for _, rule, _ in found(done)] == ["secrets/env-file-committed"]


@needs_git
def test_staged_works_before_the_first_commit_and_below_the_top(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    inner = tmp_path / "services" / "api"
    inner.mkdir(parents=True)
    (inner / "backaudit.toml").write_text("")
    (inner / "a.py").write_text(WEAK)
    (tmp_path / "outside.py").write_text(WEAK)
    git(tmp_path, "add", ".")
    done = scan(inner, "--staged")
    assert [path for path, _, _ in found(done)] == ["a.py"]
    assert not json.loads(done.stdout)["notes"]


@needs_git
def test_staged_runs_nothing_that_the_repository_configures(project: Path) -> None:
    boom = project.parent / "boom"
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "first")
    (project / "app" / "new.py").write_text(WEAK)
    (project / ".gitattributes").write_text("*.py filter=evil diff=evil\n")
    git(project, "add", ".")
    for name in ("core.fsmonitor", "filter.evil.smudge", "filter.evil.process", "diff.evil.textconv", "diff.external"):
        git(project, "config", name, f"touch '{boom}'")
    done = scan(project, "--staged")
    assert [path for path, _, _ in found(done)] == ["app/new.py"]
    assert not boom.exists()


# -- the other commands ------------------------------------------------------------------------------------------------


def test_rules_lists_all_and_some(project: Path) -> None:
    listed = out(run(project, "rules"))
    assert "Mistake 01: Passwords" in listed
    assert "passwords/weak-hash" in listed
    data = json.loads(run(project, "rules", "--format", "json", "--select", "weak-hash").stdout)
    assert [rule["id"] for rule in data] == ["passwords/weak-hash"]


def test_explain_shows_the_documentation(project: Path) -> None:
    shown = out(run(project, "explain", "weak-hash"))
    assert shown.startswith("passwords/weak-hash\n")
    assert "CWE-" in shown
    assert "Mend" in shown
    assert "\nBad" in shown
    assert "\nGood" in shown


def test_version_and_help(project: Path) -> None:
    from importlib.metadata import version

    assert out(run(project, "version")) == f"backaudit {version('backaudit')}\n"
    assert out(run(project, "--version")) == f"backaudit {version('backaudit')}\n"
    for command in ([], ["scan"], ["rules"], ["explain"], ["test"]):
        done = run(project, *command, "--help")
        assert (done.returncode, "Usage: backaudit" in out(done)) == (0, True)


def test_help_and_version_import_nothing_heavy(project: Path) -> None:
    heavy = "libcst,sqlglot,bandit,jinja2,msgspec,pathspec,detect_secrets,ruamel,tomli,sqlite3,multiprocessing"
    for command in ("--help", "version"):
        code = (
            "import sys\nfrom backaudit.cli import main\ntry:\n    main([sys.argv[1]])\nexcept SystemExit:\n    pass\n"
            f"print([name for name in {heavy.split(',')!r} if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code, command], capture_output=True, timeout=60, check=True)
        assert done.stdout.decode().strip().split("\n")[-1] == "[]"


def test_the_choices_written_out_are_the_modules_own() -> None:
    from backaudit.report import FORMATS
    from backaudit.report.text import GROUPINGS
    from backaudit.rule import SEVERITIES

    assert tuple(FORMATS) == cli.FORMATS
    assert GROUPINGS == cli.GROUPINGS
    assert SEVERITIES == commands.SEVERITIES


def test_schemas_are_printed(project: Path) -> None:
    for of, key in (("config", "properties"), ("report", "$defs")):
        done = run(project, "schema", of)
        assert (done.returncode, err(done)) == (0, "")
        assert key in json.loads(done.stdout)
    assert run(project, "schema").returncode == 2


def test_statistics_count_by_rule(project: Path) -> None:
    (project / "other.py").write_text(WEAK + WEAK.replace("save", "keep"))
    (project / "broken.py").write_text("print 'two'\n")
    done = run(project, "scan", "--select", "passwords", "--statistics")
    assert done.returncode == 1
    lines = out(done).splitlines()
    assert lines[0].split()[:3] == ["3", "high", "passwords/weak-hash"]
    assert lines[-1] == "3 findings, 1 problem in 5 files."
    done = run(project, "scan", "--select", "passwords", "--statistics", "--format", "json")
    data = json.loads(done.stdout)
    assert [(one["rule"], one["findings"], one["files"]) for one in data["rules"]] == [("passwords/weak-hash", 3, 2)]
    assert (data["findings"], data["problems"], data["files"]) == (3, 1, 5)
    done = run(project, "scan", "--statistics", "--format", "sarif")
    assert (done.returncode, err(done)) == (2, "backaudit: error: --statistics are text or JSON, not sarif.\n")


def _timed(told: str) -> list[str]:
    """What seconds are told of, line by line."""
    lines = [line.split() for line in told.splitlines()]
    return [words[-1] for words in lines if words[2:3] == ["s"]]


def test_a_profile_has_every_stage_the_rules_that_were_asked_and_what_they_asked(project: Path) -> None:
    told = err(run(project, "scan", "--profile", "--no-cache"))
    before, _, after = told.partition("of the rules, ")
    rules, _, queries = after.partition("of the queries that the rules ask, ")
    assert _timed(before) == ["discover", "extract", "link", "check", "fix", "triage", "report"]
    assert all("/" in rule for rule in _timed(rules))
    assert "each without those that it asks itself" in queries
    assert all("." in query for query in _timed(queries))
    run(project, "scan", "--quiet")
    kept = err(run(project, "scan", "--profile"))
    assert "No rule was asked" in kept
    assert "check" not in kept
    assert "queries" not in kept


# -- completion --------------------------------------------------------------------------------------------------------

ASKED = {
    "scan --format mar": ["markdown"],
    "explain passwords/weak-hash-": ["passwords/weak-hash-cost"],
    "scan --select auth,secrets/jwt": ["auth,secrets/jwt-secret"],
    "scan --select nothing-lik": [],
    "completion z": ["zsh"],
}
BASH = """
eval "$(backaudit completion bash)"
COMP_WORDS=(backaudit $1)
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_backaudit_completion backaudit
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = 'backaudit completion fish | source; complete --do-complete "backaudit $argv[1]"'


@pytest.mark.parametrize("words", ASKED)
@pytest.mark.parametrize(("shell", "script"), [("bash", BASH), ("fish", FISH)])
def test_a_shell_completes(shell: str, script: str, words: str, project: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    if shell == "fish" and "," in words:
        pytest.skip("click's script for fish ends a word at a comma")
    bin = project / "bin"
    bin.mkdir()
    (bin / "backaudit").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m backaudit "$@"\n')
    (bin / "backaudit").chmod(0o755)
    env = {**os.environ, "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}", "HOME": str(project)}
    plain = ["--norc", "--noprofile"] if shell == "bash" else ["--no-config"]
    more = ["-c", script, "-", words] if shell == "bash" else ["-c", script, words]
    done = subprocess.run([program, *plain, *more], cwd=project, env=env, capture_output=True, timeout=60, check=False)
    assert (out(done).split(), err(done)) == (ASKED[words], "")


@pytest.mark.parametrize("shell", cli.SHELLS)
def test_a_completion_script_is_one_of_its_shell(shell: str, project: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    done = run(project, "completion", shell)
    assert (done.returncode, err(done)) == (0, "")
    script = project / "script"
    script.write_bytes(done.stdout)
    checked = subprocess.run([program, "-n", str(script)], capture_output=True, timeout=60, check=False)
    assert (checked.returncode, checked.stderr) == (0, b"")
