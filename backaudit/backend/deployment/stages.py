"""What a file is for, as its name tells: production, development, tests, or to be read only."""

from __future__ import annotations

import re
from typing import Literal

from backaudit.project import Project, PythonFile
from backaudit.vocabulary.meaning import meaning

Stage = Literal["production", "development", "test", "example"]

_PIPELINE = meaning("stages", "pipeline")
_WORD = re.compile(r"e2e|[a-z]+|\d+")
_DEVELOPMENT = meaning("stages", "development")
_TEST = meaning("stages", "test")
_TOOL_FOLDER = meaning("stages", "tool-folder")
_TEST_FOLDER = meaning("stages", "test-folder")
_EXAMPLE = meaning("stages", "example")
_SHOWN = _EXAMPLE.words - {"templates"}
_EXAMPLE_FOLDER = meaning("stages", "example-folder")
_READ = meaning("stages", "read")
_PRODUCTION = meaning("stages", "production")

_NAMED_PRODUCTION = meaning("stages", "named-production")


def stage_of(project: Project, path: str) -> Stage:
    """The stage that a file serves, by its role and the words of its name and folders."""
    role = project.role(path)
    if _PIPELINE.holds(path):
        return "test"
    folders, _, name = path.lower().rpartition("/")
    words = set(_WORD.findall(name))
    if role == "test" and words.isdisjoint(_SHOWN):
        return "test" if not _only_named_test(project, path) else "production"
    around = {word for folder in folders.split("/") for word in _WORD.findall(folder)}
    if role == "example" or _is_example(name, words, around):
        return "example"
    if words & _TEST.words or around & (_TEST.words - {"test"}) or any(map(_TEST_FOLDER.holds, folders.split("/"))):
        return "test"
    return "development" if (words | around) & _DEVELOPMENT.words else "production"


def _is_example(name: str, words: set[str], around: set[str]) -> bool:
    """Whether a file is there to be read: an example, a template, the description of an API."""
    described = not words.isdisjoint(("openapi", "swagger")) and not name.endswith(".py")
    shown = words & _SHOWN or around & _EXAMPLE_FOLDER.words
    return described or bool(shown or (words | around) & _READ.words)


def _only_named_test(project: Project, path: str) -> bool:
    """``test_connection.py`` that is a script: no test folder, no test library, nothing that a runner would collect.

    A module that takes over another one whole (``from .base import *``) is that module's form for tests, and one that
    only binds settings is those of tests.
    """
    file = project.files.get(path)
    if file is None or re.search(r"(^|/)(tests?|testing|e2e)/", path) or _takes_over(file):
        return False
    libraries = {item.module.partition(".")[0] for item in file.facts.imports}
    tests = [f for f in file.facts.functions if f.kind == "function" and f.name.startswith("test_")]
    if _only_sets(file):
        return False
    return not tests and libraries.isdisjoint(project.models.kinds["test-libraries"])


def _only_sets(file: PythonFile) -> bool:
    """Whether a module does nothing but give names in upper case their values."""
    given = {item.bound for item in file.facts.imports}
    bound = [name for name in file.top.body.final if name not in given]
    return bool(bound) and len(file.facts.functions) == 1 and all(map(str.isupper, bound))


def _takes_over(file: PythonFile) -> bool:
    return any(item.name == "*" and item.level > 0 for item in file.facts.imports)


def is_named_production(path: str) -> bool:
    """Whether the file's own name says that it is for production (``docker-compose.prod.yml``)."""
    return not _NAMED_PRODUCTION.words.isdisjoint(_WORD.findall(path.rpartition("/")[2].lower()))


def is_named_for_developing(name: str) -> bool:
    """Whether a name (of a service, a build stage) says that it is for developers or tests: ``shop-db-dev``."""
    return not (_DEVELOPMENT.words | _TEST.words).isdisjoint(_WORD.findall(name.lower()))


def is_among_tools(path: str) -> bool:
    """Whether a file stands in a folder of what developers run for themselves: ``tools/docker/compose.yml``."""
    return not _TOOL_FOLDER.words.isdisjoint(_WORD.findall(path.rpartition("/")[0].lower()))


def has_production_twin(project: Project, path: str) -> bool:
    """Whether a file of the same kind beside this one is named for production (``Dockerfile.prod``) and this is not."""
    folder, kind = path.rpartition("/")[0], project.facts[path].kind
    return not is_named_production(path) and any(
        file.kind == kind and other.rpartition("/")[0] == folder and is_named_production(other)
        for other, file in project.facts.items()
    )


def has_counterpart(project: Project, path: str) -> bool:
    """Whether a development file has a neighbour that production would use in its place."""
    folder, _, name = path.rpartition("/")
    own = set(_WORD.findall(name.lower()))
    for other in project.facts:
        beside, _, other_name = other.rpartition("/")
        words = set(_WORD.findall(other_name.lower()))
        alike = beside == folder and other != path and other_name.rpartition(".")[2] == name.rpartition(".")[2]
        if alike and (words & _PRODUCTION.words or words == own - _DEVELOPMENT.words):
            return True
    return False
