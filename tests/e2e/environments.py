"""Throw-away environments for the end-to-end tests."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def make_venv(folder: Path) -> Path:
    """A virtual environment that sees all that is installed beside us: nothing is fetched; gives its bin folder.

    What is installed into it stays in it: the rules of a test's package are seen by no other test.
    """
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(folder)
    bin_folder = folder / ("Scripts" if os.name == "nt" else "bin")
    site = Path(run([bin_folder / "python", "-c", "import site; print(site.getsitepackages()[-1])"]).stdout.strip())
    # site.addsitedir reads the .pth files of our own environment too: an editable install is found by its own.
    ours = sysconfig.get_path("purelib")
    (site / "outer.pth").write_text(f"import site; site.addsitedir({ours!r})\n", "utf-8")
    return bin_folder


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    expect: int = 0,
    timeout: float = 600,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end without a terminal; fails with all it said unless it exits with ``expect``."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    assert done.returncode == expect, f"{command} exited with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def git_repository(folder: Path, files: Mapping[str, str]) -> Path:
    """A repository with the files committed."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    run(["git", "init", "-q", "-b", "main"], cwd=folder)
    commit_all(folder)
    return folder


def checkout(folder: Path) -> Path:
    """What an installation needs of this checkout as it stands, committed or not, as a repository of its own."""
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT).stdout
    names = [name for name in listed.split("\0") if name and not name.startswith(("fixtures/", "tests/"))]
    return git_repository(folder, {name: (ROOT / name).read_text("utf-8") for name in names if (ROOT / name).is_file()})


def commit_all(folder: Path) -> None:
    run(["git", "add", "--all", "--force"], cwd=folder)
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    run(["git", *identity, "commit", "-q", "--no-verify", "-m", "all"], cwd=folder)


def tool(name: str) -> Path:
    """A command that is installed beside our interpreter."""
    return Path(sys.executable).parent / name
