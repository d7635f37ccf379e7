"""Two back ends in one repository, in all pairs: what is found is what is found in each alone (``make soak``)."""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

from backaudit import plugins
from backaudit.plugins import Loaded
from backaudit.testing import scan

APPS = Path(__file__).resolve().parents[2] / "fixtures" / "apps"
# The folders of two applications: one beside the other, or in a folder of it.
BESIDE, WITHIN = ("one/", "services/two/"), ("", "services/two/")
Folders = tuple[str, str]
Found = set[tuple[str, int, str]]


def files_of(name: str, folder: str) -> dict[str, bytes]:
    """The files of an application, as they are in a folder."""
    root = APPS / name
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and path.suffix != ".pyc"]
    return {folder + path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def found_in(files: dict[str, bytes], loaded: Loaded) -> Found:
    """Place and rule of all that is found."""
    issues = [issue for issue in scan(files, loaded).issues if issue.status == "new"]
    return {(issue.finding.place.path, issue.finding.place.span.line, issue.rule.id) for issue in issues}


@functools.cache
def alone(name: str, loaded: Loaded) -> Found:
    """What is found in an application that is a repository of its own."""
    return found_in(files_of(name, ""), loaded)


def differences(one: str, two: str, folders: Folders, loaded: Loaded) -> Found:
    """What is found either in two applications in one repository, or in each alone, and not in both."""
    outer, inner = folders
    apart = _moved(alone(one, loaded), outer) | _moved(alone(two, loaded), inner)
    together = found_in({**files_of(one, outer), **files_of(two, inner)}, loaded)
    return together ^ apart if not inner.startswith(outer) else _of_programs(together ^ apart)


def _moved(found: Found, folder: str) -> Found:
    return {(folder + path, line, rule) for path, line, rule in found}


def _of_programs(found: Found) -> Found:
    """Without what is asked of a repository: the one around has a README and a pipeline for all that is in it."""
    return {(path, line, rule) for path, line, rule in found if not rule.startswith("portfolio/")}


def pairs() -> Iterator[tuple[str, str, Folders]]:
    """Every two applications beside each other, each with itself too, and each in a folder of each."""
    names = sorted(path.name for path in APPS.iterdir() if path.is_dir())
    yield from ((one, two, BESIDE) for one, two in itertools.combinations_with_replacement(names, 2))
    yield from ((one, two, WITHIN) for one, two in itertools.product(names, repeat=2))


def main() -> int:
    """Compares all; exits with 1 where something differs."""
    loaded = plugins.load(reraise=True)
    count = wrong = 0
    for one, two, folders in pairs():
        found = differences(one, two, folders, loaded)
        count += 1
        wrong += bool(found)
        if found:
            print(f"{one} in {folders[0] or '.'}, {two} in {folders[1]}: {sorted(found)}", flush=True)
    print(f"{count} pairs of back ends compared, {wrong} differ")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
