"""What models of libraries bring: columns to those derived from them, and the tables that keys lead to."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.project import Project
from backaudit.sql import Column


def user_classes(project: Project) -> list[str]:
    """Classes that a project's own users are derived from."""
    return [name for name, base in project.models.brings.items() if base.user]


def brought_columns(project: Project, owner: str) -> Iterator[Column]:
    """The columns that a class of a library brings along."""
    base = project.models.brings.get(owner)
    for column in base.columns if base is not None else ():
        yield Column(
            name=column.name,
            attribute=column.name,
            type=column.type,
            length=column.length,
            nullable=column.nullable,
            unique=column.unique,
            few=column.few,
        )


def brought_relations(project: Project, owner: str) -> Iterator[tuple[str, str]]:
    """(field, target) of the fields to many rows that a class of a library brings along."""
    base = project.models.brings.get(owner)
    yield from base.many.items() if base is not None else ()


def table_of_library(project: Project, name: str) -> str:
    """The table of a model of a library, by the model's own name; empty if none is called so."""
    tables = project.models.words["library-tables"]
    return next((table for key, table in tables.items() if key.rpartition(".")[2] == name), "")
