"""Several back ends in one repository: which files belong to which, so that each is asked about by itself.

A table belongs to its registry, a route, a setting and a protection to their application. What one program declares
says nothing of another that happens to lie beside it and has the same names. Programs are told apart by what starts an
application, and by imports: those that reach each other are one. What none of them owns belongs to all that reach it,
and what nothing ties to any of them to all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from backaudit.facts.files import FileFacts
from backaudit.facts.python import PythonFacts
from backaudit.project.code import Role
from backaudit.project.modules import Modules, role_of

_ASIDE: tuple[Role, ...] = ("test", "example", "script", "migration")
_HERE = ""  # among the parts of a folder: the files that stand in it


class Part(msgspec.Struct, frozen=True):
    """One back end. ``others``: the folders that belong to others alone."""

    others: frozenset[str]

    def has(self, path: str) -> bool:
        """Whether a file is its own, or shared by it."""
        return not any(path == other or path.startswith(other + "/") for other in self.others)


def parts(files: Sequence[FileFacts], starts: frozenset[str]) -> tuple[Part, ...]:
    """The back ends of a repository; one for all where nothing tells several apart.

    ``starts``: dotted names of what makes an application.
    """
    python = {file.path: file.python for file in files if file.python is not None}
    serving = {path: facts for path, facts in python.items() if _serves(path)}
    begun = sorted(path for path, facts in serving.items() if _begins(facts, starts))
    if len(begun) < 2:
        return (Part(frozenset()),)
    imports = _Imports(python, serving)
    return tuple(Part(others) for others in _split("", sorted(serving), begun, imports, frozenset()))


def _serves(path: str) -> bool:
    """Whether a file is of what runs: also what is a script by its own name alone, as ``manage.py`` is."""
    role = role_of(path)
    folder = path.rpartition("/")[0]
    return role not in _ASIDE or (role == "script" and role_of(f"{folder}/of.py".lstrip("/")) != "script")


def _begins(facts: PythonFacts, starts: frozenset[str]) -> bool:
    """Whether a file calls what makes an application, as far as its imports tell."""
    named = {f"{item.module}.{item.name}" for item in facts.imports if item.bound in facts.calls and not item.level}
    modules = {item.module for item in facts.imports if not item.name}
    for start in starts:
        package, _, name = start.rpartition(".")
        if start in named or (name in facts.calls and package in modules):
            return True
    return False


class _Imports:
    """Which files import which."""

    def __init__(self, python: Mapping[str, PythonFacts], serving: Mapping[str, PythonFacts]) -> None:
        modules = Modules(python)
        self.edges = {path: sorted(set(_imported(modules, path, facts))) for path, facts in serving.items()}
        self._importers: dict[str, list[str]] = {}
        for path, targets in self.edges.items():
            for target in targets:
                self._importers.setdefault(target, []).append(path)

    def reaching(self, paths: Iterable[str]) -> set[str]:
        """Some files, and all that import one of them, themselves or by others."""
        found = set(paths)
        waiting = sorted(found)
        while waiting:
            new = [path for path in self._importers.get(waiting.pop(), ()) if path not in found]
            found.update(new)
            waiting += new
        return found


def _imported(modules: Modules, path: str, facts: PythonFacts) -> Iterator[str]:
    for item in facts.imports:
        named = modules.relative(path, item.level, item.module) if item.level else modules.absolute(path, item.module)
        parts_ = named.split(".")
        within = [".".join(parts_[:count]) for count in range(1, len(parts_) + 1)]
        for module in (*within, f"{named}.{item.name}"):
            if module in modules:
                yield modules.path(module)


def _split(
    folder: str, paths: Sequence[str], begun: Sequence[str], imports: _Imports, others: frozenset[str]
) -> list[frozenset[str]]:
    """For each back end below a folder: the folders that are not its own."""
    children = {path: _child(folder, path) for path in paths}
    apps = sorted({children[path] for path in begun})
    if _HERE in apps:
        return [others]  # what is started from here has all that is below
    if len(apps) == 1:
        return _within(folder, apps[0], paths, begun, imports, others)
    reaching = {app: imports.reaching([path for path in paths if children[path] == app]) for app in apps}
    groups = _groups(reaching)
    if len(groups) == 1:
        return [others]
    reached = _reached(children, imports)
    found: list[frozenset[str]] = []
    for group in groups:
        foreign = _foreign(group, groups, set(children.values()), reached)
        apart = others | {_join(folder, child) for child in foreign}
        found += _within(folder, group[0], paths, begun, imports, apart) if len(group) == 1 else [apart]
    return found


def _within(
    folder: str, child: str, paths: Sequence[str], begun: Sequence[str], imports: _Imports, others: frozenset[str]
) -> list[frozenset[str]]:
    below = _join(folder, child)
    inside = [path for path in paths if path.startswith(below + "/")]
    return _split(below, inside, [path for path in begun if path.startswith(below + "/")], imports, others)


def _child(folder: str, path: str) -> str:
    rest = path[len(folder) + 1 :] if folder else path
    head, slash, _ = rest.partition("/")
    return head if slash else _HERE


def _join(folder: str, child: str) -> str:
    return f"{folder}/{child}" if folder else child


def _reached(children: Mapping[str, str], imports: _Imports) -> dict[str, set[str]]:
    """For each part of a folder the parts that it imports, itself or by others."""
    direct: dict[str, set[str]] = {child: {child} for child in children.values()}
    for path, child in children.items():
        direct[child] |= {children[target] for target in imports.edges.get(path, ()) if target in children}
    grown = True
    while grown:
        grown = False
        for reached in direct.values():
            wider = reached.union(*(direct[child] for child in reached))
            grown = grown or len(wider) > len(reached)
            reached |= wider
    return direct


def _groups(reaching: Mapping[str, set[str]]) -> list[list[str]]:
    """The applications, those together of which one imports another, or that a third file brings together."""
    groups: list[list[str]] = []
    for app, files in reaching.items():
        near = [group for group in groups if any(not files.isdisjoint(reaching[other]) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append(sorted([app, *(other for group in near for other in group)]))
    return sorted(groups)


def _foreign(
    group: Sequence[str], groups: Iterable[Sequence[str]], children: Iterable[str], reached: Mapping[str, set[str]]
) -> list[str]:
    """The parts of a folder that belong to other back ends than ``group`` alone."""
    apps = {app for other in groups for app in other}

    def tied(child: str, to: Iterable[str]) -> bool:
        return any(child in reached[app] or app in reached[child] for app in to)

    return [
        child
        for child in sorted(children)
        if child != _HERE and child not in group and tied(child, apps) and not tied(child, group)
    ]
