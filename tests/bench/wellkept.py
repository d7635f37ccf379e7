"""Well-kept projects at pinned commits: what a scan by default says of them, held against what was accepted.

    python -m tests.bench.wellkept [NAME ...] [--renew] [--from FOLDER]

A new alarm on code that others keep well is seen when it comes. ``tests/data/wellkept.toml`` holds no code of theirs:
their addresses, commits, and how many findings of which rule were accepted in which file. A project is fetched once to
``soak-data/``, or taken from ``FOLDER/NAME``; one that cannot be had is skipped, with the reason. ``--renew`` accepts
what is found. Exits with 1 if something is reported that was not accepted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backaudit.toml import parse_toml
from tests.bench.material import fetch
from tests.bench.soak import DATA, ROOT

LIST = ROOT / "tests" / "data" / "wellkept.toml"
SECONDS = 1800

Counts = Mapping[tuple[str, str], int]


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("names", nargs="*")
    asked.add_argument("--renew", action="store_true")
    asked.add_argument("--from", dest="folder", type=Path)
    options = asked.parse_args()
    projects: dict[str, dict[str, Any]] = parse_toml(LIST.read_text("utf-8"))["projects"]
    fine = True
    for name in options.names or projects:
        said = projects[name]
        folder = options.folder / name if options.folder else obtained(name, said)
        if folder is None:
            continue
        found = counted(folder)
        if options.renew:
            said["accepted"] = {rule: dict(paths) for rule, paths in _by_rule(found).items()}
            continue
        new, gone = compared(accepted(said), found)
        fine = fine and not new
        print(f"{name}: {sum(found.values())} findings in {said['lines']:,} lines, {len(new)} new, {len(gone)} gone")
        print("".join(f"  new: {rule} {path} ({count})\n" for (rule, path), count in sorted(new.items())), end="")
    if options.renew:
        LIST.write_text(written(projects), "utf-8")
    return 0 if fine else 1


def obtained(name: str, said: Mapping[str, Any]) -> Path | None:
    """The project at its commit; None, with the reason said, where it cannot be fetched."""
    try:
        return fetch(DATA / name, said["url"], said["commit"])
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{name}: skipped, it could not be fetched ({error})")
        return None


def counted(folder: Path) -> Counter[tuple[str, str]]:
    """How many findings of a rule a scan by default shows in a file."""
    with tempfile.TemporaryDirectory(prefix="backaudit-wellkept-") as temp:
        report = Path(temp) / "report.json"
        scan = ["scan", "--no-cache", "--fail-on", "never", "--format", "json", "--output", str(report), "."]
        done = subprocess.run(
            [sys.executable, "-m", "backaudit", *scan], cwd=folder, capture_output=True, timeout=SECONDS, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{folder.name}: exit code {done.returncode}: {done.stderr.decode(errors='replace')}")
        findings = json.loads(report.read_text("utf-8"))["findings"]
    return Counter((finding["rule"], finding["path"]) for finding in findings)


def accepted(said: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    """The counts that a project's entry holds."""
    listed: Mapping[str, Mapping[str, int]] = said.get("accepted", {})
    return Counter({(rule, path): count for rule, paths in listed.items() for path, count in paths.items()})


def compared(before: Counts, found: Counts) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """What is new, and what is gone."""
    return Counter(found) - Counter(before), Counter(before) - Counter(found)


def written(projects: Mapping[str, Mapping[str, Any]]) -> str:
    """The list as TOML."""
    lines = ["# Written by python -m tests.bench.wellkept --renew: what a scan by default shows on well-kept projects."]
    for name, said in projects.items():
        lines += ["", f"[projects.{name}]", *(f"{key} = {json.dumps(said[key])}" for key in ("url", "commit", "lines"))]
        for rule, paths in sorted(said["accepted"].items()):
            lines += ["", f"[projects.{name}.accepted.{json.dumps(rule)}]"]
            lines += [f"{json.dumps(path)} = {count}" for path, count in sorted(paths.items())]
    return "\n".join(lines) + "\n"


def _by_rule(found: Counts) -> dict[str, dict[str, int]]:
    listed: dict[str, dict[str, int]] = {}
    for (rule, path), count in found.items():
        listed.setdefault(rule, {})[path] = count
    return listed


if __name__ == "__main__":
    sys.exit(main())
