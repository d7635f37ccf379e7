"""What an interviewer would ask of this very code, and what it answers; a module each, with one ``ask(project)``."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from backaudit.portfolio.records import Question
from backaudit.project import Project

NAMES = ("passwords", "tokens", "strangers", "duplicates", "indexes", "growth", "bodies", "surprises", "releases")


def questions(project: Project) -> Iterator[Question]:
    """All questions that this project gives rise to, in order."""
    for name in NAMES:
        yield from importlib.import_module(f"{__name__}.{name}").ask(project)
