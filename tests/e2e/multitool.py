"""Microsoft's SARIF validator, from npm: a self-contained program, installed once into ``.tools/`` of the checkout."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

VERSION = "5.7.0"
HOME = Path(__file__).parent.parent.parent / ".tools" / f"sarif-multitool-{VERSION}"
_NAMES = {"linux": ("linux", ""), "darwin": ("darwin", ""), "win32": ("win32", ".exe")}
_ERROR = re.compile(r"^(.*?)\([\d,]+\): error ([A-Z]+\d+): (.*)", re.MULTILINE)


def absent(reason: str) -> None:
    """Skip, except where the tools have to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def multitool() -> Path:
    """The validator's program; skips when there is no npm or npm cannot fetch it."""
    platform, suffix = _NAMES.get(sys.platform, ("", ""))
    program = HOME / "node_modules" / "@microsoft" / f"sarif-multitool-{platform}" / f"Sarif.Multitool{suffix}"
    if not program.exists():
        _install()
    if not program.exists():
        absent(f"npm brought no validator for {sys.platform}")
    # The package sets this bit in an install script, which npm may be told not to run.
    program.chmod(0o755)
    return program


def _install() -> None:
    """Install beside, then move: several test processes may want the validator at once."""
    npm = shutil.which("npm")
    if npm is None:
        absent("npm is not installed")
        return
    HOME.parent.mkdir(exist_ok=True)
    folder = tempfile.mkdtemp(dir=HOME.parent)
    try:
        Path(folder, "package.json").write_text("{}", encoding="utf-8")
        command = [
            npm,
            "install",
            "--no-audit",
            "--no-fund",
            "--prefix",
            folder,
            f"@microsoft/sarif-multitool@{VERSION}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            absent(f"npm could not install the validator: {done.stderr.strip()[-300:]}")
        with contextlib.suppress(OSError):  # another process was faster
            Path(folder).rename(HOME)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def errors(*reports: Path) -> list[str]:
    """What the validator calls an error, ``FILE ID: text``.

    Where GitHub's limits are wider than the array sizes here (GH1004), GitHub's count; those are tested apart.
    """
    command = [str(multitool()), "validate", *map(str, reports), "--rule-kind", "Sarif;Ghas"]
    # The program needs no ICU library when it is told that it compares no words.
    env = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert f"{len(reports)} files scanned" in done.stdout, done.stdout + done.stderr
    return [f"{Path(file).name} {id}: {text}" for file, id, text in _ERROR.findall(done.stdout) if id != "GH1004"]
