"""Several back ends in one repository: which files belong to which, so that each is asked about by itself.

A table belongs to its registry, a route, a setting and a protection to their application. What one program declares
says nothing of another that happens to lie beside it, or in one of its folders, and has the same names. Programs are
told apart by what starts an application, and by imports: those that reach each other are one. What none of them owns
belongs to all that reach it; what nothing ties to any of them to the one that is started beside it, or to all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from backaudit.facts import ops
from backaudit.facts.files import FileFacts
from backaudit.facts.python import PythonFacts
from backaudit.project.code import Role
from backaudit.project.modules import Modules, role_of

_ASIDE: tuple[Role, ...] = ("test", "example", "script")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_HERE = ""  # among the parts of a folder: the files that stand in it


class Part(msgspec.Struct, frozen=True):
    """One back end. ``name``: the folders that it is started from. ``others``: the folders that belong to others alone.

    ``within``: the folder that has all of it, where it stands in another's.
    """

    name: str
    others: frozenset[str]
    within: str = ""

    def has(self, path: str) -> bool:
        """Whether a file is its own, or shared by it."""
        inside = not self.within or path.startswith(self.within + "/")
        return inside and not any(path == other or path.startswith(other + "/") for other in self.others)


def parts(files: Sequence[FileFacts], starts: frozenset[str]) -> tuple[Part, ...]:
    """The back ends of a repository; one for all where nothing tells several apart.

    ``starts``: dotted names of what makes an application.
    """
    python = {file.path: file.python for file in files if file.python is not None}
    serving = {path: facts for path, facts in python.items() if _serves(path)}
    begun = sorted(path for path, facts in serving.items() if _begins(facts, starts))
    if len(begun) < 2:
        return (Part("", frozenset()),)
    splitting = _Splitting(_Imports(python, serving, begun))
    return tuple(splitting.split("", sorted(serving), begun, Part("", frozenset())))


def _serves(path: str) -> bool:
    """Whether a file is of what runs: also migrations, and what is a script by its own name alone, as ``manage.py``."""
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
    """Which files import which, and which modules they name in texts."""

    def __init__(
        self, python: Mapping[str, PythonFacts], serving: Mapping[str, PythonFacts], begun: Iterable[str]
    ) -> None:
        self._serving = serving
        self._begun = frozenset(begun)
        self._modules = modules = Modules(python)
        self.edges = {path: sorted(set(_imported(modules, path, facts))) for path, facts in serving.items()}
        self._importers: dict[str, list[str]] = {}
        for path, targets in self.edges.items():
            for target in targets:
                self._importers.setdefault(target, []).append(path)

    def ties(self, folder: str) -> bool:
        """Whether anything outside of a folder imports or names what is in it, or the other way round."""
        return _crosses(self.edges, folder) or _crosses(self._named, folder)

    @cached_property
    def _named(self) -> dict[str, list[str]]:
        """The files whose modules a file names in its texts (``INSTALLED_APPS``, ``DJANGO_SETTINGS_MODULE``)."""
        return {path: sorted(set(self._names(path))) for path in self._serving}

    def _names(self, path: str) -> Iterator[str]:
        functions = self._serving[path].functions
        for function in functions if path in self._begun else functions[:1]:
            for text in _naming(function.decode()):
                yield from _of(self._modules, self._modules.absolute(path, text))

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
        yield from _of(modules, named)
        if f"{named}.{item.name}" in modules:
            yield modules.path(f"{named}.{item.name}")


def _of(modules: Modules, named: str) -> Iterator[str]:
    """The files of a module and of the packages around it."""
    names = named.split(".")
    for module in (".".join(names[:count]) for count in range(1, len(names) + 1)):
        if module in modules:
            yield modules.path(module)


def _naming(body: ops.Body) -> Iterator[str]:
    """The texts of a body that may name a module: with a dot, or as one of a list, where a word alone may be a name."""
    displays = (op for op in body.ops if isinstance(op, ops.Build) and op.kind in ("list", "tuple", "set"))
    listed = {item for op in displays for item in op.items}
    for value, op in enumerate(body.ops):
        text = op.value if isinstance(op, ops.Const) else None
        if isinstance(text, str) and _DOTTED.fullmatch(text) and ("." in text or value in listed):
            yield text


def _crosses(edges: Mapping[str, Iterable[str]], folder: str) -> bool:
    start = folder + "/"
    return any(path.startswith(start) != to.startswith(start) for path, targets in edges.items() for to in targets)


class _Splitting:
    """Takes folders apart, from the top down."""

    def __init__(self, imports: _Imports) -> None:
        self._imports = imports

    def split(self, folder: str, paths: Sequence[str], begun: Sequence[str], whole: Part) -> list[Part]:
        """The back ends below a folder, of which ``whole`` says what they can have."""
        children = {path: _child(folder, path) for path in paths}
        apps = sorted({children[path] for path in begun})
        if _HERE in apps:
            return self._around(folder, paths, begun, whole)
        if len(apps) == 1:
            return self._below(_join(folder, apps[0]), paths, begun, whole)
        started = {app: [path for path in paths if children[path] == app] for app in apps}
        groups = _groups({app: self._imports.reaching(own) for app, own in started.items()})
        if len(groups) == 1:
            return [msgspec.structs.replace(whole, name=folder)]
        reached = _reached(children, self._imports)
        found: list[Part] = []
        for group in groups:
            foreign = _foreign(group, groups, set(children.values()), reached)
            names = [_join(folder, child) for child in group]
            apart = whole.others | {_join(folder, child) for child in foreign}
            own = msgspec.structs.replace(whole, name=", ".join(names), others=apart)
            found += self._below(names[0], paths, begun, own) if len(group) == 1 else [own]
        return found

    def _below(self, folder: str, paths: Sequence[str], begun: Sequence[str], whole: Part) -> list[Part]:
        start = folder + "/"
        inside = [path for path in paths if path.startswith(start)]
        return self.split(folder, inside, [path for path in begun if path.startswith(start)], whole)

    def _around(self, folder: str, paths: Sequence[str], begun: Sequence[str], whole: Part) -> list[Part]:
        """What is started from a folder has all that is below, but for programs that nothing ties to the rest.

        Such a one has the outermost folder of which that is true, with its settings and whatever else lies there.
        """
        inner: dict[str, None] = {}
        for path in begun:
            around = [_join(folder, name) for name in _folders_between(folder, path)]
            if inner.keys().isdisjoint(around):
                inner |= dict.fromkeys([name for name in around if not self._imports.ties(name)][:1])
        found = [msgspec.structs.replace(whole, name=folder, others=whole.others | inner.keys())]
        for name in inner:
            found += self._below(name, paths, begun, msgspec.structs.replace(whole, name=name, within=name))
        return found


def _folders_between(folder: str, path: str) -> list[str]:
    """The folders from one down to a file below it, the outermost first, relative to it."""
    names = path[len(folder) + 1 if folder else 0 :].split("/")[:-1]
    return ["/".join(names[:count]) for count in range(1, len(names) + 1)]


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
    group: Sequence[str], groups: Sequence[Sequence[str]], children: Iterable[str], reached: Mapping[str, set[str]]
) -> list[str]:
    """The parts of a folder that belong to other back ends than ``group`` alone.

    What nothing ties to any belongs to all, but where one alone is started from the folder itself: to that one.
    """
    apps = {app for other in groups for app in other}

    def tied(child: str, to: Iterable[str]) -> bool:
        return any(child in reached[app] or app in reached.get(child, ()) for app in to)

    at_home = [other for other in groups if tied(_HERE, other)]
    guest = len(at_home) == 1 and group not in at_home
    return [
        child
        for child in sorted(children)
        if child not in (_HERE, *group) and not tied(child, group) and (guest or tied(child, apps))
    ]
