"""The rows of the scorecard, in the order in which a reviewer asks; a module each, with one ``row(project)``."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from backaudit.portfolio.records import Row
from backaudit.project import Project

NAMES = (
    "authentication",
    "relations",
    "migrations",
    "resources",
    "inputs",
    "failures",
    "limits",
    "tests",
    "documentation",
    "readme",
    "environment",
    "image",
    "compose",
    "deployment",
    "pipeline",
    "repository",
)


def rows(project: Project) -> tuple[Row, ...]:
    """All rows, in order. Ask with ``project.once``."""
    return tuple(project.once(asked(name)) for name in NAMES)


def asked(name: str) -> Callable[[Project], Row]:
    """The function that answers a row."""
    row: Callable[[Project], Row] = importlib.import_module(f"{__name__}.{name}").row
    return row
