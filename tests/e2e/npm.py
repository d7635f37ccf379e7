"""Programs from npm, each installed once into ``.tools/`` of the checkout; a test that needs one skips without it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

TOOLS = Path(__file__).parent.parent.parent / ".tools"


def absent(reason: str) -> None:
    """Skip, except where the tools have to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def installed(name: str, *packages: str) -> Path:
    """The folder ``node_modules`` with packages (``name@version``), kept under ``name``."""
    home = TOOLS / name
    if not home.exists():
        _install(home, packages)
    return home / "node_modules"


def _install(home: Path, packages: tuple[str, ...]) -> None:
    """Install beside, then move: several test processes may want the same at once."""
    npm = shutil.which("npm")
    if npm is None:
        absent("npm is not installed")
        return
    home.parent.mkdir(exist_ok=True)
    folder = tempfile.mkdtemp(dir=home.parent)
    try:
        Path(folder, "package.json").write_text("{}", encoding="utf-8")
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, *packages]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            absent(f"npm could not install {' '.join(packages)}: {done.stderr.strip()[-300:]}")
        with contextlib.suppress(OSError):  # another process was faster
            Path(folder).rename(home)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
