"""Microsoft's SARIF validator, from npm: a self-contained program, installed once into ``.tools/`` of the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.e2e.npm import absent, installed

VERSION = "5.7.0"
HOME = f"sarif-multitool-{VERSION}"
_NAMES = {"linux": ("linux", ""), "darwin": ("darwin", ""), "win32": ("win32", ".exe")}
_ERROR = re.compile(r"^(.*?)\([\d,]+\): error ([A-Z]+\d+): (.*)", re.MULTILINE)


def multitool() -> Path:
    """The validator's program; skips when there is no npm or npm cannot fetch it."""
    platform, suffix = _NAMES.get(sys.platform, ("", ""))
    modules = installed(HOME, f"@microsoft/sarif-multitool@{VERSION}")
    program = modules / "@microsoft" / f"sarif-multitool-{platform}" / f"Sarif.Multitool{suffix}"
    if not program.exists():
        absent(f"npm brought no validator for {sys.platform}")
    # The package sets this bit in an install script, which npm may be told not to run.
    program.chmod(0o755)
    return program


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
