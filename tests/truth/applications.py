"""``make oracle``: public back ends are started offline, and findings on errors held against what they answer.

    python -m tests.truth.applications [NAME ...]

``applications.toml`` names them: addresses, commits, packages, and how each is started where its findings do not tell.
A project lies in ``$ORACLE_DIR/NAME`` (``soak-data`` without that variable) or is fetched there, its packages in
``$ORACLE_DIR/venvs/NAME``, a virtual environment of its own. What cannot be fetched, installed or started is skipped,
and the reason is told. What is asked, and the table, are those of :mod:`tests.truth.requests`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from backaudit.facts.requests import Application
from backaudit.toml import parse_toml
from tests.bench.material import fetch
from tests.bench.soak import DATA
from tests.truth.requests import Outcome, asked, table, told

LIST = Path(__file__).with_name("applications.toml")
SECONDS = 1200
KEPT = ".packages"


class Public(msgspec.Struct, forbid_unknown_fields=True):
    """A public back end: where it is, and how it is started; ``reason`` says why it is not.

    ``python``: the interpreter's version where the packages need another than ours. ``variables`` and ``folders``: what
    of its environment it does not start without.
    """

    url: str
    commit: str
    packages: tuple[str, ...] = ()
    python: str = ""
    module: str = ""
    name: str = ""
    called: bool = False
    folder: str = ""
    variables: dict[str, str] = {}
    folders: tuple[str, ...] = ()
    reason: str = ""

    @property
    def application(self) -> Application | None:
        """How it is started; None where its findings tell."""
        return Application(self.module, self.name, self.called, self.folder) if self.module else None


class NotHere(Exception):
    """Why an application is skipped."""


def listed() -> dict[str, Public]:
    """All that are known, by name."""
    return msgspec.convert(parse_toml(LIST.read_text("utf-8"))["projects"], dict[str, Public])


def home() -> Path:
    """Where projects and their packages are kept."""
    return Path(os.environ.get("ORACLE_DIR") or DATA).resolve()


def obtained(name: str, public: Public) -> Path:
    """The project's folder, fetched once."""
    folder = home() / name
    if folder.is_dir():
        return folder
    try:
        return fetch(folder, public.url, public.commit)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise NotHere(f"it could not be fetched ({error})") from error


def installed(name: str, public: Public) -> str:
    """The interpreter of a virtual environment that holds the project's packages, made once for each list of them."""
    folder = home() / "venvs" / name
    python, kept = folder / "bin" / "python", folder / KEPT
    wanted = json.dumps(public.packages)
    if kept.is_file() and kept.read_text("utf-8") == wanted:
        return str(python)
    made = [_interpreter(public.python), "-m", "venv", "--clear", str(folder)]
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *public.packages]
    for command in (made, install):
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        if done.returncode:
            raise NotHere(f"its packages cannot be installed: {_last(done.stderr)}")
    kept.write_text(wanted, "utf-8")
    return str(python)


def _interpreter(version: str) -> str:
    if not version or version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    found = str(kept[-1]) if kept else shutil.which(f"python{version}")
    if found is None:
        raise NotHere(f"there is no Python {version}")
    return found


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1][:300]


def outcome_of(name: str, public: Public) -> Outcome:
    """What one answers; NotHere where it does not start."""
    if public.reason:
        raise NotHere(public.reason)
    folder, python = obtained(name, public), installed(name, public)
    try:
        return asked(folder, python, application=public.application, variables=public.variables, folders=public.folders)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        raise NotHere(f"it does not start: {_last(str(error))}") from error


def main(wanted: Sequence[str]) -> int:
    known = listed()
    outcomes = []
    for name in wanted or known:
        try:
            outcomes.append(outcome_of(name, known[name]))
        except NotHere as error:
            print(f"{name}: skipped, {error}", flush=True)
            continue
        print("\n".join(told(outcomes[-1])), flush=True)
    print(table(outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
