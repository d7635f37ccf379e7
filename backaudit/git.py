"""The git program (its only home). The repository may be hostile, so git is asked for as little as can be: plumbing
commands that run neither hooks, filters, monitors nor transports, with what its configuration could still set
overridden.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backaudit import gitindex
from backaudit.gitindex import Repository
from backaudit.usage import UsageError

_SAFE = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never"),
    *("-c", "log.showSignature=false", "-c", "core.quotePath=false"),
)


def repository_for(root: Path, option: str) -> Repository:
    """The repository around ``root``; UsageError, naming the option that needs it, without git or a repository."""
    repository = gitindex.repository_of(root)
    if repository is None:
        raise UsageError(f"{option} needs a git repository, and there is none here.")
    if shutil.which("git") is None:
        raise UsageError(f"{option} needs the git command, and it is not installed.")
    return repository


def prefix_of(root: Path, repository: Repository) -> str:
    """``root`` relative to the work tree's top, POSIX, ending in a slash; empty for the top itself."""
    return "" if root == repository.top else root.relative_to(repository.top).as_posix() + "/"


def run(repository: Repository, arguments: Sequence[str], data: bytes = b"", *, check: bool = True) -> bytes:
    """What a command prints, or with ``check`` UsageError if it fails."""
    done = subprocess.run(
        _command(repository, arguments), input=data, capture_output=True, env=_environment(), check=False
    )
    if done.returncode and check:
        reason = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
        raise UsageError(f"git {arguments[0]} failed: {reason}")
    return done.stdout


@contextmanager
def running(repository: Repository, arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A command to talk to through its pipes; it is ended with the block."""
    process = subprocess.Popen(
        _command(repository, arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _command(repository: Repository, arguments: Sequence[str]) -> list[str]:
    return ["git", *_SAFE, f"--git-dir={repository.git_dir}", f"--work-tree={repository.top}", *arguments]


def _environment() -> dict[str, str]:
    environment = {**os.environ, "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        environment.pop(name, None)
    return environment
