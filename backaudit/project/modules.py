"""Module names: which file an import means, and what part of the project a file plays."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Set

from backaudit.facts.python import PythonFacts
from backaudit.project.code import Role
from backaudit.vocabulary.meaning import meaning

_TESTS = meaning("stages", "test-path")
_MIGRATIONS = meaning("stages", "migration-path")
_EXAMPLES = meaning("stages", "example-path")
_SCRIPTS = meaning("stages", "script-path")

_OWN = meaning("stages", "own-package")


def role_of(path: str) -> Role:
    """What part a file plays, by its path alone: settled here so that every rule judges alike."""
    if _TESTS.holds(path):
        return "test"
    if _MIGRATIONS.holds(path):
        return "migration"
    if _EXAMPLES.holds(path):
        return "example"
    if _SCRIPTS.holds(path):
        return "script"
    return "production"


def module_name(path: str) -> str:
    """The dotted name of a file from the root down; packages are named by their folder."""
    stem = path.removesuffix(".py").removesuffix("/__init__")
    return "" if stem == "__init__" else stem.replace("/", ".")


# Folders from inside of which programs are often started.
_STARTED_IN = tuple(sorted(meaning("stages", "started-in").names))


def _wraps(path: str, facts: PythonFacts, own: Set[str]) -> bool:
    """Whether a module is called like a library that it imports (``utils/jwt.py``): nobody imports it by that name.

    ``own``: the folders of the project, one of which may be what it imports (``app/app.py``).
    """
    name = path.rpartition("/")[2].removesuffix(".py")
    return name not in own and any(not item.level and item.module.partition(".")[0] == name for item in facts.imports)


def _prefix(root: str) -> str:
    return root.replace("/", ".") + "." if root else ""


class Modules:
    """Finds the file that an import in another file means."""

    def __init__(self, python: Mapping[str, PythonFacts]) -> None:
        self._by_name = {module_name(path): path for path in sorted(python)}
        folders = {path.rpartition("/")[0] for path in self._by_name.values()}
        packages = {p.rpartition("/")[0] for p in self._by_name.values() if p.endswith("__init__.py")}
        self._folders = {part for folder in folders for part in _ancestors(folder)}
        own = {folder.rpartition("/")[2] for folder in self._folders}
        self._wrapping = frozenset(path for path, facts in python.items() if _wraps(path, facts, own))
        self._roots = {folder for folder in self._folders if folder not in packages} | {""}
        self._memo: dict[tuple[str, str], str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def is_package(self, name: str) -> bool:
        """Whether ``name`` is a folder of the project (with or without ``__init__``)."""
        return name.replace(".", "/") in self._folders

    def path(self, name: str) -> str:
        return self._by_name[name]

    def absolute(self, importer: str, name: str) -> str:
        """The project's own name for what ``importer`` (a path) calls ``name``; ``name`` itself if it is external."""
        key = (importer.rpartition("/")[0], name)
        found = self._memo.get(key)
        if found is None:
            found = self._memo[key] = self._absolute(key[0], name)
        head = found.removesuffix(name) + name.partition(".")[0]
        return name if self._by_name.get(head) in self._wrapping else found

    def _absolute(self, folder: str, name: str) -> str:
        ancestors = list(dict.fromkeys([folder, *_ancestors(folder)]))
        best, known = name, 0
        for root in self._search_path(folder, ancestors, name):
            # ``app/app.py`` is no answer to ``app.models``: the folder under which most of the name is there is.
            prefix = _prefix(root)
            found = self._known_parts(prefix, name)
            if found > known:
                best, known = prefix + name, found
        own, _, rest = name.partition(".")
        if not known and rest and _OWN.holds(own):
            # The folder that is the package is the repository itself: ``app.models`` is its ``models``.
            whole = [root for root in ancestors if self._known_parts(_prefix(root), rest)]
            return _prefix(whole[-1]) + rest if whole else best
        return best

    def _search_path(self, folder: str, ancestors: list[str], name: str) -> Iterable[str]:
        """The folders in which a name is looked for, in order."""
        if name.partition(".")[0] in sys.stdlib_module_names:
            return dict.fromkeys([folder, ""]) if folder in self._roots else [""]
        roots = [root for root in ancestors if root in self._roots]
        # Last the folders that are packages themselves: programs are often started from inside of them.
        packages = [root for root in ancestors if root not in self._roots]
        # Django projects put their folder of apps on the path.
        apps = [f"{root}/apps" if root else "apps" for root in (*ancestors, "")]
        others = [*packages, *_STARTED_IN, *(app for app in apps if app in self._folders)]
        return dict.fromkeys([*roots, "", "src", *others])

    def _known_parts(self, prefix: str, name: str) -> int:
        """How many parts of a dotted name, from the first on, are folders or files under ``prefix``."""
        parts = name.split(".")
        for count in range(len(parts)):
            start = prefix + ".".join(parts[: count + 1])
            if start not in self._by_name and not self.is_package(start):
                return count
        return len(parts)

    def relative(self, importer: str, level: int, name: str) -> str:
        """The absolute name of ``from ...name import``: ``level`` dots up from ``importer`` (a path)."""
        parts = importer.split("/")[:-1]
        base = parts[: len(parts) - (level - 1)] if level > 1 else parts
        return ".".join([*base, name]) if name else ".".join(base)


def _ancestors(folder: str) -> list[str]:
    parts = folder.split("/") if folder else []
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)] + [""]
