"""``make soak``: large projects are scanned to the end; time, memory and what was found, per project.

    python -m tests.bench.soak [FOLDER ...]

Without folders Django's source distribution is taken, and five projects are cloned, at the commits below, into
``soak-data/``. Exits with 1 if a scan crashed, hung
or took more memory than allowed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.bench.material import django
from tests.bench.measure import run

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "soak-data"
MEGABYTES = 1500
SECONDS = 1800.0
PROJECTS = {
    "wagtail": ("https://github.com/wagtail/wagtail", "c2ae43b9265d085c95142cd1a1f8563ad2eb4de9"),
    "saleor": ("https://github.com/saleor/saleor", "723cd4eba87dfc72822ade45dc08a3caa548428d"),
    "redash": ("https://github.com/getredash/redash", "ca79fe988d81cdac9675b412f3dfcab107bc1fbc"),
    "warehouse": ("https://github.com/pypi/warehouse", "6b62157124ab7865029afeeadf282bce27d601d9"),
    "dispatch": ("https://github.com/Netflix/dispatch", "dd2837e82a0bf5565b1b4b4b91ea30b7262d4061"),
}


def clone(name: str) -> Path:
    """A project at its commit, fetched once."""
    url, commit = PROJECTS[name]
    folder = DATA / name
    if not (folder / ".git").is_dir():
        folder.mkdir(parents=True)
        for arguments in (
            ["init", "-q"],
            ["fetch", "-q", "--depth", "1", url, commit],
            ["checkout", "-q", "FETCH_HEAD"],
        ):
            subprocess.run(["git", *arguments], cwd=folder, check=True, stdin=subprocess.DEVNULL)
    return folder


def soak(folder: Path, temp: Path) -> bool:
    """Scan a project from cold and say how it went; whether it went well."""
    report = temp / "report.json"
    scan = [
        "scan",
        "--strict",
        "--no-cache",
        "--fail-on",
        "never",
        "--format",
        "json",
        "--output",
        str(report),
        str(folder),
    ]
    try:
        done = run(
            [sys.executable, "-m", "backaudit", *scan],
            cwd=temp,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            codes=frozenset({0, 1, 3}),
            limit=SECONDS,
        )
    except RuntimeError as error:
        print(f"{folder.name}: {error}", flush=True)
        return False
    said: dict[str, Any] = json.loads(report.read_text("utf-8"))
    problems = Counter(str(problem["kind"]) for problem in said["problems"])
    well = done.code == 0 and done.megabytes <= MEGABYTES
    verdict = "" if well else "  FAILED"
    print(f"{folder.name}: {done.seconds:.1f} s, {done.megabytes:.0f} MB, exit code {done.code}{verdict}")
    print(f"  problems: {dict(sorted(problems.items()))}", flush=True)
    return well


def _all() -> list[Path]:
    return [django().parent, *(clone(name) for name in PROJECTS)]


def main() -> int:
    folders = [Path(argument).resolve() for argument in sys.argv[1:]] or _all()
    with tempfile.TemporaryDirectory(prefix="backaudit-soak-") as temp:
        results = [soak(folder, Path(temp)) for folder in folders]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
