"""What part a file plays, where its path alone misleads: a package called ``tutorials`` may be the product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backaudit.facts import ops
from backaudit.project.code import PythonFile
from backaudit.project.modules import Modules


def examples_in_use(files: Mapping[str, PythonFile], modules: Modules) -> frozenset[str]:
    """The paths of examples whose package production imports or names: what runs with the product is part of it."""
    packages: dict[str, list[str]] = {}
    for path, file in files.items():
        if file.role == "example":
            packages.setdefault(path.rpartition("/")[0], []).append(path)
    if not packages:
        return frozenset()
    in_use: dict[str, None] = {}
    pending = [file for file in files.values() if file.role == "production"]
    while pending:
        file = pending.pop()
        for module in (*_imported(file, modules), *_named(file, modules)):
            folder = _folder(module, modules)
            for path in packages.pop(folder, ()):
                in_use[path] = None
                pending.append(files[path])
    return frozenset(in_use)


def scripts_in_use(files: Mapping[str, PythonFile], modules: Modules) -> frozenset[str]:
    """The scripts at the root that production imports: a ``tasks.py`` of background jobs, and not of the builder's.

    In a package it is less the import than the name that tells: what is set up there once is open for that once.
    """
    wanted = [file for file in files.values() if file.role == "production"]
    imported = {module for file in wanted for module in _imported(file, modules)}
    paths = {modules.path(module) for module in imported if module in modules}
    return frozenset(path for path in paths if "/" not in path and path in files and files[path].role == "script")


def _imported(file: PythonFile, modules: Modules) -> Iterator[str]:
    """The modules that a file imports, and what it imports of them, which may be modules too."""
    for item in file.facts.imports:
        relative = modules.relative(file.path, item.level, item.module)
        module = relative if item.level else modules.absolute(file.path, item.module)
        yield module
        if item.name:
            yield f"{module}.{item.name}"


def _named(file: PythonFile, modules: Modules) -> Iterator[str]:
    """The modules of packages that a module names in a text: ``include("demo.urls")``."""
    texts = (node.text or "" for node in file.top.nodes(ops.Const))
    return (text for text in texts if "." in text and text in modules)


def _folder(module: str, modules: Modules) -> str:
    """The folder that a module's file is in, or that a package is."""
    return modules.path(module).rpartition("/")[0] if module in modules else module.replace(".", "/")
