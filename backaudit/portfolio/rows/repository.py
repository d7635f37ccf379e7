"""Whether the repository holds the project and nothing else: no environments, caches, databases, large binaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.ignores import Ignores
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import counted, lack, listed
from backaudit.project import Project
from backaudit.source import lines
from backaudit.vocabulary.meaning import meaning

_LEFTOVER = meaning("files", "leftover")
_DATABASE = meaning("files", "database-file")
LARGE = 5_000_000
# What a Python project makes beside itself, one way or another.
_MADE = ("__pycache__/x.pyc", ".env")


def row(project: Project) -> Row:
    """`.gitignore`, and what is under version control that should not be."""
    ignores = ignore_file(project)
    return Row(
        key="repository",
        title="Repository",
        facts=tuple(_facts(project, ignores)),
        lacks=tuple(_lacks(project, ignores)),
        basis=ignores is not None,
    )


def ignore_file(project: Project) -> str | None:
    """The `.gitignore` nearest to the root."""
    found = [path for path in project.facts if path.rpartition("/")[2] == ".gitignore"]
    return min(found, key=lambda path: (path.count("/"), path), default=None)


def _names(project: Project) -> Iterator[str]:
    """The paths under version control, whether they are read or not."""
    yield from (path for path, file in project.facts.items() if file.tracked)
    yield from (one.path for one in project.unread)


def _leftovers(project: Project) -> list[str]:
    return sorted({path for path in _names(project) if _LEFTOVER.holds(path)})


def _facts(project: Project, ignores: str | None) -> Iterator[Fact]:
    yield Fact(f"{counted(len(set(_names(project))), 'file')} under version control")
    if ignores is not None:
        yield Fact(f"{ignores} says what stays out", Place(ignores, WHOLE_FILE))


def _lacks(project: Project, ignores: str | None) -> Iterator[Lack]:
    left = _leftovers(project)
    if left:
        kinds = Counter(path.split("/")[0] if "/" in path else path for path in left)
        text = f"{counted(len(left), 'file')} that tools made are under version control: {listed(sorted(kinds))}"
        yield lack(project, "repository/leftovers", text)
    stored = sorted({path for path in _names(project) if _DATABASE.holds(path)})
    if stored:
        yield lack(project, "repository/database", f"a database is under version control: {listed(stored)}")
    large = [one.path for one in project.unread if one.size > LARGE]
    if large:
        yield lack(project, "repository/large", f"more than 5 MB each: {listed(large)}")
    yield from _of_ignores(project, ignores)


def _of_ignores(project: Project, ignores: str | None) -> Iterator[Lack]:
    if ignores is None:
        yield lack(project, "repository/no-ignores", "there is no .gitignore")
        return
    patterns = Ignores().within("", lines(project.facts[ignores].text))
    folders = ("", *sorted({path.rpartition("/")[0] + "/" for path in project.facts if path.count("/") == 1}))
    missing = [
        path.partition("/")[0] for path in _MADE if not any(_is_ignored(patterns, folder + path) for folder in folders)
    ]
    if missing:
        text = f"{ignores} does not leave out {listed(missing)}"
        yield lack(project, "repository/ignores", text, Place(ignores, WHOLE_FILE))


def _is_ignored(patterns: Ignores, path: str) -> bool:
    folder = path.rpartition("/")[0]
    return bool((folder and patterns.names(folder + "/")) or patterns.names(path))
