"""What scripts of SQL define, besides migrations: DDL in ``.sql`` files and in Python strings."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.schema.alembic import revisions
from backaudit.facts.place import Place, Span
from backaudit.project import Project
from backaudit.project.strings import spelled_strings
from backaudit.sql import Definition, definitions, looks_like_definition

_RUNNERS = (
    "execute",
    "executescript",
    "executemany",
    "execute_sql",
    "text",
    "DDL",
    "exec_driver_sql",
    "executesql",
)

Added = tuple[Definition, Place]


def added(project: Project) -> Iterator[Added]:
    """Everything that is defined outside of models and migrations, with its place."""
    yield from _files(project)
    yield from _strings(project)


def _files(project: Project) -> Iterator[Added]:
    for file in project.artefacts("sql"):
        if looks_like_definition(file.text) and project.role(file.path) not in ("test", "example"):
            for definition in definitions(file.text):
                yield definition, Place(file.path, Span(definition.line, 0, definition.line, 0))


def _strings(project: Project) -> Iterator[Added]:
    replayed = frozenset(revisions(project))
    for last in _RUNNERS:
        for node in project.calls_of(last):
            if node.code.path in replayed:
                continue
            first = node.arg(0, "sql") or node.arg(0, "statement") or node.arg(0)
            if first is None or project.role(node.code.path) == "test" or node.code.function.name == "downgrade":
                continue
            for written in spelled_strings(project, first):
                if looks_like_definition(written):
                    for definition in definitions(written):
                        yield definition, node.place
