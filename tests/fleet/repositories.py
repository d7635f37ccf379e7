"""Repositories and clusters for the tests of `backaudit fleet`."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from backaudit import plugins
from backaudit.fleet.records import Job, Limits, Source
from backaudit.fleet.stamp import stamp
from tests.e2e.environments import commit_all, git_repository, tool

ROOT = Path(__file__).resolve().parents[2]
APPS = ROOT / "fixtures" / "apps"
CARELESS = {
    "app.py": (
        "import hashlib\n\n\ndef store(user, password):\n"
        "    user.password = hashlib.md5(password.encode()).hexdigest()\n    return user\n"
    )
}
CAREFUL = {"app.py": "def store(user):\n    return user\n"}
# What ssh is to git: it does something else the first time, and from then on brings what stands on this machine.
_SSH = """#!/bin/sh
if mkdir "{marker}" 2>/dev/null; then {first}; fi
for last; do :; done
exec sh -c "$last"
"""


def job(source: Source, clones: Path, **more: Any) -> Job:
    """A task as the command makes it."""
    known = {"stamp": stamp(plugins.load().rules), "day": "2026-01-01", "limits": Limits(), **more}
    return Job(source=source, clones=str(clones), **known)


def repositories(folder: Path, several: Mapping[str, Mapping[str, str]]) -> Path:
    """A folder of repositories, each with its files committed."""
    for name, files in several.items():
        (folder / name).mkdir(parents=True)
        git_repository(folder / name, files)
    return folder


def from_fixtures(folder: Path, count: int) -> Path:
    """As many repositories, each of the programs of a rule."""
    programs = sorted(path for path in (ROOT / "fixtures").glob("*/*") if path.is_dir() and any(path.rglob("*.py")))
    for number in range(count):
        target = folder / f"r{number:04}"
        shutil.copytree(programs[number % len(programs)], target)
        (target / "NUMBER").write_text(f"{number}\n", "utf-8")
        subprocess.run(["git", "init", "-q", "-b", "main"], cwd=target, check=True)
        commit_all(target)
    return folder


def command(
    *arguments: str | Path, home: Path, env: Mapping[str, str] | None = None, expect: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run `backaudit fleet` to its end."""
    process = begun(*arguments, home=home, env=env)
    out, err = process.communicate(timeout=240)
    assert process.returncode == expect, f"exited with {process.returncode}\n{out}\n{err}"
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def begun(*arguments: str | Path, home: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """`backaudit fleet`, under way; its caches are in ``home``."""
    return subprocess.Popen(
        [str(tool("backaudit")), "fleet", *map(str, arguments)],
        env={**os.environ, "BACKAUDIT_CACHE_DIR": str(home / "cache"), **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stored(store: Path) -> dict[str, dict[str, Any]]:
    """The last scan of each repository."""
    with sqlite3.connect(store) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(
            "SELECT repositories.name, scans.* FROM scans JOIN repositories ON id = repository ORDER BY run"
        )
        return {row["name"]: dict(row) for row in rows}


def reports(store: Path) -> dict[str, dict[str, str]]:
    """The reports of each repository, by format."""
    found: dict[str, dict[str, str]] = {}
    with sqlite3.connect(store) as connection:
        for name, format, body in connection.execute(
            "SELECT name, format, body FROM reports JOIN repositories ON id = repository"
        ):
            found.setdefault(name, {})[format] = zlib.decompress(body).decode()
    return found


def alone(repository: Path, folder: Path) -> dict[str, str]:
    """What `backaudit scan` says of a clone of a repository, by format."""
    clone = folder / repository.name
    subprocess.run(["git", "clone", "-q", str(repository), str(clone)], check=True, stdin=subprocess.DEVNULL)
    files = {format: folder / f"{repository.name}.{format}" for format in ("json", "sarif")}
    options = [option for format, file in files.items() for option in ("--format", format, "--output", str(file))]
    arguments = [str(tool("backaudit")), "scan", "--no-cache", "--quiet", *options, str(clone)]
    subprocess.run(arguments, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    return {format: file.read_text("utf-8") for format, file in files.items()}


def ssh(folder: Path, first: str = "sleep 300") -> tuple[Path, dict[str, str]]:
    """A stand-in for ssh that does ``first`` when it is first called; the folder that is there from then on."""
    marker, program = folder / "called", folder / "ssh"
    program.write_text(_SSH.format(marker=marker, first=first), "utf-8")
    program.chmod(0o755)
    return marker, {"GIT_SSH_COMMAND": str(program), "GIT_SSH_VARIANT": "simple"}


def address(repository: Path) -> str:
    """A repository of this machine as one that is reached by ssh."""
    return f"ssh://git@elsewhere.example{repository}"


def wait_for(path: Path, seconds: float = 60.0) -> None:
    """Wait until there is such a file or folder."""
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} does not come"
        time.sleep(0.05)


@contextmanager
def cluster(
    folder: Path, workers: int = 2, env: Mapping[str, str] | None = None, tls: Sequence[str] = ()
) -> Iterator[Dask]:
    """A scheduler on loopback, and workers that are processes with folders and caches of their own."""
    with ExitStack() as stack:
        yield Dask(folder, workers, env or {}, stack, tls)


class Dask:
    """The processes of a cluster."""

    def __init__(
        self, folder: Path, workers: int, env: Mapping[str, str], stack: ExitStack, tls: Sequence[str] = ()
    ) -> None:
        self._stack, self._tls = stack, tls
        file = folder / "scheduler.json"
        options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file), *tls]
        more = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2"}
        self.scheduler = self._start("dask_scheduler", options, folder / "scheduler", more)
        self.address = _address(file)
        self.workers = [self._worker(folder / f"worker-{number}", env) for number in range(workers)]

    def _worker(self, folder: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        options = ["--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", folder.name]
        options += ["--local-directory", str(folder / "dask"), *self._tls, self.address]
        return self._start("dask_worker", options, folder, {"BACKAUDIT_CACHE_DIR": str(folder / "cache"), **env})

    def _start(
        self, module: str, options: Sequence[str], folder: Path, env: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        folder.mkdir(parents=True)
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", *options],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder), **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(_ended, process)
        return process


def _address(file: Path) -> str:
    """The address that a scheduler writes into a file, once all of it is there."""
    wait_for(file)
    end = time.monotonic() + 20
    while not (text := file.read_text("utf-8")).rstrip().endswith("}"):
        assert time.monotonic() < end
        time.sleep(0.05)
    return str(json.loads(text)["address"])


def certificate(folder: Path) -> Path:
    """A certificate that is its own authority, with its key in the same file."""
    key, file = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(file)], check=True, capture_output=True)
    file.write_text(file.read_text("ascii") + key.read_text("ascii"), "ascii")
    return file


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
