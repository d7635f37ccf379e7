"""Fixes on projects that other people wrote: all that can be made are made, in a copy, and held against a second scan.

    python -m tests.bench.fixes [FOLDER ...]

Without folders the well-kept projects at their commits are taken (:mod:`tests.bench.wellkept`). For each it is said how
many findings were mended. Exits with 1 if a finding has come, a file is no Python any more, or a second run would
change something again.
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backaudit.toml import parse_toml
from tests.bench.wellkept import LIST, SECONDS, obtained

FIX = ("--fix", "--unsafe-fixes")


def main() -> int:
    fine = True
    for folder in folders(sys.argv[1:]):
        with tempfile.TemporaryDirectory(prefix="backaudit-fixes-") as temp:
            copy = Path(temp) / folder.name
            shutil.copytree(folder, copy, symlinks=True)
            faults = tried(folder.name, copy)
        print("".join(f"  {fault}\n" for fault in faults), end="", flush=True)
        fine = fine and not faults
    return 0 if fine else 1


def folders(named: list[str]) -> Iterator[Path]:
    if named:
        yield from map(Path, named)
        return
    projects: dict[str, dict[str, Any]] = parse_toml(LIST.read_text("utf-8"))["projects"]
    found = (obtained(name, said) for name, said in projects.items())
    yield from (folder for folder in found if folder is not None)


def tried(name: str, copy: Path) -> list[str]:
    """Make the fixes of a copy, say how many findings are gone, and give what is wrong with the outcome."""
    readable = {path for path in copy.rglob("*.py") if is_python(path)}
    before = scanned(copy)
    scanned(copy, *FIX)
    after = scanned(copy)
    print(f"{name}: {sum(before.values())} findings, {sum((before - after).values())} mended")
    faults = [f"{rule} has come ({count})" for rule, count in sorted((after - before).items())]
    faults += [f"{path.relative_to(copy)} is no Python any more" for path in sorted(readable) if not is_python(path)]
    if again := changes(copy):
        faults.append(f"a second run would change something:\n{again}")
    return faults


def is_python(path: Path) -> bool:
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return False
    return True


def scanned(folder: Path, *options: str) -> Counter[str]:
    """How many findings each rule has in a strict scan."""
    return Counter(finding["rule"] for finding in json.loads(ran(folder, "--format", "json", *options))["findings"])


def changes(folder: Path) -> str:
    """What fixes would change."""
    return ran(folder, "--diff", "--unsafe-fixes")


def ran(folder: Path, *options: str) -> str:
    scan = [sys.executable, "-m", "backaudit", "scan", "--strict", "--no-cache", "--fail-on", "never", *options, "."]
    done = subprocess.run(scan, cwd=folder, capture_output=True, timeout=SECONDS, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{folder.name}: exit code {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode()


if __name__ == "__main__":
    sys.exit(main())
