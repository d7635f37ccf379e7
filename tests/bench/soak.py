"""``make soak``: large projects are scanned to the end; time, memory and what was found, per project.

    python -m tests.bench.soak [FOLDER | FOLDER=KIND:SPEC[@PYTHON] ...]

With KIND (django, fastapi, flask …) and SPEC (see ``tests/truth/introspect.py``) the model's routes are compared,
beside the scan, with those that the framework itself names when the application is imported under PYTHON. Without
folders Django's source distribution is taken, and five projects are cloned, at the commits below, into
``soak-data/``; before them the trials of :mod:`tests.bench.trials` are run: files of the interpreters' libraries and
the installed packages and mutations, drawn by the seed that SOAK_SEED gives, and the hostile trees. SOAK_FILES and
SOAK_MUTATIONS say how many; with SOAK_FILES=0 every file is taken. Exits with 1 if a scan
crashed, hung or took more memory than allowed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.bench import trials
from tests.bench.material import django, fetch
from tests.bench.measure import run
from tests.truth import routes

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "soak-data"
MEGABYTES = 1500
SECONDS = 1800.0
SHARE = 0.98
PROJECTS = {
    "wagtail": ("https://github.com/wagtail/wagtail", "c2ae43b9265d085c95142cd1a1f8563ad2eb4de9"),
    "saleor": ("https://github.com/saleor/saleor", "723cd4eba87dfc72822ade45dc08a3caa548428d"),
    "redash": ("https://github.com/getredash/redash", "ca79fe988d81cdac9675b412f3dfcab107bc1fbc"),
    "warehouse": ("https://github.com/pypi/warehouse", "6b62157124ab7865029afeeadf282bce27d601d9"),
    "dispatch": ("https://github.com/Netflix/dispatch", "dd2837e82a0bf5565b1b4b4b91ea30b7262d4061"),
}


def clone(name: str) -> Path:
    """A project at its commit, fetched once."""
    return fetch(DATA / name, *PROJECTS[name])


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


def routes_agree(folder: Path, app: str) -> bool:
    """Say how many routes are equal, and list the others; whether the share is large enough."""
    spec, _, python = app.partition("@")
    kind, _, target = spec.partition(":")
    try:
        found = routes.compare(
            routes.modelled(routes.linked(folder)), routes.truth(kind, target, folder, python or sys.executable)
        )
    except RuntimeError as error:
        print(f"  the application could not be asked: {str(error).splitlines()[-1]}", flush=True)
        return False
    print(f"  routes: {found}{'' if found.share >= SHARE else '  FAILED'}")
    for title, listed in (("missing", found.missing), ("extra", found.extra)):
        print("".join(f"    {title} {method} {path}\n" for method, path in sorted(listed)), end="", flush=True)
    return found.share >= SHARE


def _all() -> list[Path]:
    return [django().parent, *(clone(name) for name in PROJECTS)]


def _trials() -> list[bool]:
    seed = int(os.environ.get("SOAK_SEED", "1"))
    count = int(os.environ.get("SOAK_MUTATIONS", "6000"))
    files = int(os.environ.get("SOAK_FILES", "1200"))
    return [trials.hostile(), trials.fuzz(seed, count), trials.bulk(trials.libraries(), seed, files)]


def main() -> int:
    wanted = [argument.partition("=")[::2] for argument in sys.argv[1:]] or [(str(folder), "") for folder in _all()]
    results = [] if sys.argv[1:] else _trials()
    with tempfile.TemporaryDirectory(prefix="backaudit-soak-") as temp:
        for name, app in wanted:
            folder = Path(name).resolve()
            results.append(soak(folder, Path(temp)))
            if app:
                results.append(routes_agree(folder, app))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
