"""Nothing of the scanned tree runs: whatever it is called, whichever way backaudit is started."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from backaudit import isolation
from tests.e2e.environments import commit_all, git_repository
from tests.lsp.editor import PATIENCE, Editor
from tests.projects import SHOP

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.e2e

# What the command imports, its libraries, what they look for without needing it, and what tools run of themselves.
OURS = ("click", "msgspec", "libcst", "bandit", "pathspec", "tomli", "jinja2", "sqlglot", "ruamel", "evil_rules")
OPTIONAL = ("tomllib", "chardet", "cchardet", "numpy", "attr", "yaml", "stevedore", "requests", "rich", "colorama")
STANDARD = (
    "json",
    "pathlib",
    "typing",
    "sysconfig",
    "contextlib",
    "sqlite3",
    "hashlib",
    "multiprocessing",
    "__future__",
)
TOOLS = ("conftest", "setup", "usercustomize", "backaudit_rules", "venv", "pip")
EXAMPLE = """\
import hashlib


def hashed(password):
    return hashlib.md5(password.encode())  # want: passwords/weak-hash
"""

ENTRIES: Mapping[str, list[str]] = {
    "console script": [str(Path(sys.executable).parent / "backaudit")],
    "module": [sys.executable, "-m", "backaudit"],
    "isolated module": [sys.executable, "-I", "-m", "backaudit"],
}
# What each command does with the project, and whether it may exit with 1 for what it finds there.
COMMANDS: Mapping[str, list[str]] = {
    "--help": ["--help"],
    "scan": ["scan", ".", "--jobs", "2", "--no-cache"],
    "scan --staged": ["scan", "--staged"],
    "scan --history": ["scan", ".", "--history"],
    "scan --since": ["scan", ".", "--since", "HEAD"],
    "scan --diff": ["scan", ".", "--diff", "--unsafe-fixes"],
    "scan --fix": ["scan", ".", "--fix", "--unsafe-fixes"],
    "map": ["map", "."],
    "portfolio": ["portfolio", "."],
    "prove": ["prove", ".", "--rows", "1000"],
    "repro": ["repro", "--output", "requests.txt"],
    "baseline": ["baseline", ".", "--baseline", "baseline.json", "--prune"],
    "explain": ["explain", "weak-hash"],
    "rules": ["rules"],
    "test": ["test", "examples"],
    "schema": ["schema", "config"],
    "init": ["init", ".", "--yes"],
    "completion": ["completion", "bash"],
    "version": ["version"],
    "fleet run": ["fleet", "run", ".", "--store", "fleet.sqlite3"],
    "fleet report": ["fleet", "report", "known.sqlite3"],
}
FINDING = {name for name in COMMANDS if name.startswith("scan")}
ENVIRONMENTS: Mapping[str, dict[str, str]] = {
    "plain": {},
    "safe path": {"PYTHONSAFEPATH": "1"},
    "path is here": {"PYTHONPATH": "."},
    "path is an empty entry": {"PYTHONPATH": f"{os.pathsep}elsewhere"},
    "path is a folder of it": {"PYTHONPATH": "src"},
    "both": {"PYTHONPATH": f".{os.pathsep}src", "PYTHONSAFEPATH": "1"},
}


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A repository of mines, with what the commands look for; and the file that is there when one went off."""
    folder = tmp_path_factory.mktemp("mined")
    tree, marker = folder / "tree", folder / "boom"
    git_repository(tree, {"shop.py": SHOP, "examples/passwords/weak_hash/bad.py": EXAMPLE})
    for command in ("scan . --write-baseline baseline.json", "fleet run . --store known.sqlite3"):
        done = run([*ENTRIES["console script"], *command.split()], tree, {})
        assert done.returncode == 0, done.stderr
    bomb = f"import os\nos.close(os.open({str(marker)!r}, os.O_CREAT | os.O_WRONLY))\n"
    for planted in (tree, tree / "src", tree / "examples"):
        planted.mkdir(exist_ok=True)
        for name in (*OURS, *OPTIONAL, *STANDARD, *TOOLS):
            (planted / f"{name}.py").write_text(bomb)
        (planted / "mine.pth").write_text(bomb.replace("\n", ";"))
        dist = planted / "evil-1.dist-info"
        dist.mkdir()
        (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n")
        (dist / "entry_points.txt").write_text("[backaudit.rules]\nevil = evil_rules\n")
    commit_all(tree)
    (tree / "staged.py").write_text('PASSWORD = "vT9#qLw2!mZx"\n')
    subprocess.run(["git", "add", "staged.py"], cwd=tree, check=True)
    return tree, marker


@pytest.fixture
def hostile(mined: tuple[Path, Path], tmp_path: Path) -> Iterator[Path]:
    """A copy of it for a test; that no mine went off is looked at when the test is done."""
    template, marker = mined
    tree = tmp_path / "tree"
    shutil.copytree(template, tree)
    yield tree
    assert not marker.exists()


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, **environment}


def run(command: list[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=clean(environment), timeout=120, check=False
    )


# The finder of an editable installation imports ``__future__`` and pathlib before any program begins, so that under a
# PYTHONPATH these names are the interpreter's affair; they stay mined wherever the path does not lead to them.
def without_standard(tree: Path, environment: Mapping[str, str]) -> None:
    if "PYTHONPATH" in environment:
        for folder in (tree, tree / "src"):
            for name in (*STANDARD, "usercustomize"):
                (folder / f"{name}.py").unlink()


def prepared(tree: Path, entry: str, environment: Mapping[str, str]) -> None:
    """Leave the mines that the interpreter itself need not step on before the command begins."""
    if entry != "isolated module":
        without_standard(tree, environment)
    else:
        (tree / "sitecustomize.py").write_text((tree / "click.py").read_text())


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("entry", ENTRIES)
def test_no_entry_runs_the_tree(hostile: Path, entry: str, environment: str) -> None:
    prepared(hostile, entry, ENVIRONMENTS[environment])
    done = run([*ENTRIES[entry], "scan", ".", "--no-cache", "--format", "json"], hostile, ENVIRONMENTS[environment])
    assert done.returncode == 1, done.stderr
    assert "evil" not in done.stderr


@pytest.mark.parametrize(
    ("entry", "environment"),
    [("console script", "path is here"), ("module", "both"), ("isolated module", "path is here")],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_runs_the_tree(hostile: Path, command: str, entry: str, environment: str) -> None:
    prepared(hostile, entry, ENVIRONMENTS[environment])
    done = run([*ENTRIES[entry], *COMMANDS[command]], hostile, ENVIRONMENTS[environment])
    assert done.returncode == (command in FINDING), done.stdout + done.stderr
    assert "evil" not in done.stderr


@pytest.mark.parametrize("environment", ["path is here", "both"])
def test_the_hooks_run_nothing_of_the_tree_not_even_at_the_interpreters_start(hostile: Path, environment: str) -> None:
    (hostile / "sitecustomize.py").write_text((hostile / "click.py").read_text())
    listed = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8").splitlines()
    entries = [line.split()[1:] for line in listed if line.startswith("  entry:")]
    assert len(entries) == 2
    for entry in entries:
        assert entry[0] == "python"
        done = run([sys.executable, *entry[1:], "--no-cache"], hostile, ENVIRONMENTS[environment])
        assert "No module" not in done.stderr
        assert done.returncode in (0, 1, 2), done.stderr


def test_every_python_of_the_action_is_isolated() -> None:
    script = (ROOT / "tools" / "action.sh").read_text("utf-8")
    calls = [line for line in script.splitlines() if line.startswith(('"$BACKAUDIT_PYTHON"', '"$bin/'))]
    assert len(calls) == 3
    assert all(line.split()[1] == "-I" for line in calls)


@pytest.mark.parametrize("isolated", [True, False])
def test_the_language_server_runs_nothing_of_the_tree(hostile: Path, isolated: bool) -> None:
    prepared(hostile, "isolated module" if isolated else "module", {"PYTHONPATH": "."})

    async def talk() -> None:
        editor = Editor(hostile)
        switches = ["-I"] if isolated else []
        editor.command = [sys.executable, *switches, "-m", "backaudit"]
        editor.environment = clean({"PYTHONPATH": "."})
        await editor.begin()
        editor.open("shop.py")
        await editor.until(lambda: editor.codes("shop.py") is not None)
        assert "passwords/weak-hash" in dict(editor.codes("shop.py") or [])
        await asyncio.wait_for(editor.end(), PATIENCE)

    asyncio.run(talk())


WORKERS = """
from backaudit.entry import begin
begin()
from pathlib import Path
from backaudit.discover import discover
from backaudit.extract.pool import extract_all
if __name__ == "__main__":
    files = discover(Path.cwd()).files
    facts, problems = extract_all(Path.cwd(), files, jobs=2, start_method="spawn")
    assert len(facts) == len(files) and not problems, problems
"""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_worker_runs_the_tree(hostile: Path, tmp_path: Path, environment: str) -> None:
    without_standard(hostile, ENVIRONMENTS[environment])
    script = tmp_path / "start.py"
    script.write_text(WORKERS)
    done = run([sys.executable, str(script)], hostile, ENVIRONMENTS[environment])
    assert done.returncode == 0, done.stderr


def test_what_the_interpreter_ran_before_is_said(hostile: Path) -> None:
    environment = {"PYTHONPATH": "."}
    without_standard(hostile, environment)
    (hostile / "sitecustomize.py").write_text("x = 1\n")
    done = run([*ENTRIES["module"], "scan", ".", "--no-cache"], hostile, environment)
    assert f"PYTHONPATH had Python run {hostile.resolve() / 'sitecustomize.py'} before backaudit began" in done.stderr


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    return lambda entries: monkeypatch.setattr(sys, "path", entries)


def test_an_interpreter_in_the_scanned_tree_stays(path: Callable[[list[str]], None]) -> None:
    scripts = str(Path(sys.executable).parent)  # there when the tests are started by pytest's own script
    ours = (sys.base_prefix, sys.prefix)
    before = [entry for entry in sys.path if entry and entry.startswith(ours) and entry != scripts]
    path([*before])
    for tree in (Path(sys.base_prefix), Path(sys.base_prefix).parent, Path(sys.prefix).parent):
        isolation.isolate(tree)
    assert sys.path == before
    assert any(entry.endswith(f"python{sys.version_info[0]}.{sys.version_info[1]}") for entry in sys.path)


def test_a_link_to_the_tree_is_the_tree(tmp_path: Path, path: Callable[[list[str]], None]) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "tree")
    path([str(tmp_path / "link"), str(tmp_path)])
    isolation.isolate(tmp_path / "tree")
    assert sys.path == [str(tmp_path)]


def test_a_folder_that_is_gone_is_no_crash(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = [sys.executable, "-m", "backaudit", "scan"]
    script = f"import os; os.rmdir({str(gone)!r}); os.execv({sys.executable!r}, {command!r})"
    done = run([sys.executable, "-c", script], gone, {})
    assert done.returncode == 2
    assert "fault of backaudit" not in done.stderr
    assert "the current folder" in done.stderr.lower()
