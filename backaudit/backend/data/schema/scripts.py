"""What scripts of SQL define, besides migrations: DDL in ``.sql`` files and in Python strings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.data.running import statement_given
from backaudit.backend.data.schema.alembic import revisions
from backaudit.backend.data.schema.constraints import expression_text
from backaudit.backend.data.schema.state import State
from backaudit.backend.data.schema.tables import Table, columns_index
from backaudit.facts.place import Place
from backaudit.project import Node, Project
from backaudit.project.declarations import items, text, texts, truth
from backaudit.project.strings import spelled_strings
from backaudit.sql import (
    BEYOND,
    Definition,
    Index,
    Key,
    definitions,
    forward_part,
    looks_like_change,
    looks_like_definition,
    too_long,
    view_names,
)
from backaudit.vocabulary.meaning import meaning

_UNDOING = meaning("migrations", "undoing")


Added = tuple[Definition, Place]


def added(project: Project) -> Iterator[Added]:
    """Everything that is defined outside of models and migrations, with its place."""
    yield from _files(project)
    yield from _strings(project)
    yield from _calls(project)


def _calls(project: Project) -> Iterator[Added]:
    """Indexes that a migration adds to a table by its name: ``add_index("posts", "author_id", unique=False)``."""
    for node in project.calls_of("add_index"):
        first, undone = node.arg(0), _UNDOING.holds(node.code.function.name)
        table = text(project, first) if first is not None else ""
        keys = [name for argument in node.args()[1:] for name in texts(project, argument)]
        if table and keys and not undone and project.role(node.code.path) != "test":
            unique = truth(project, node.arg(None, "unique"))
            made = columns_index(*keys, unique=unique, place=node.place)
            yield Definition(table=table, indexes=(made,)), node.place
    for node in project.calls_of("Index"):
        listed = items(node.arg(2))
        table = text(project, node.arg(1))
        made_of = [key for item in listed if (key := _key(project, item)) is not None]
        if table and made_of and len(made_of) == len(listed):
            unique = truth(project, node.arg(None, "unique"))
            yield (
                Definition(table=table, indexes=(Index(keys=tuple(made_of), unique=unique, place=node.place),)),
                node.place,
            )


def _key(project: Project, item: Node) -> Key | None:
    named = text(project, item)
    if named or item.origin.call is None:
        name = named or item.origin.spelled.rpartition(".")[2]
        return Key(name) if name else None
    spelled = expression_text(item)
    return Key(spelled, True) if spelled else None


def _files(project: Project) -> Iterator[Added]:
    """What the scripts leave: those without a number first, then deltas by their numbers, with what they take away."""
    state = State(apart=True)
    for file in sorted(project.artefacts("sql"), key=lambda file: (_numbers(file.path), file.path)):
        text = forward_part(file.text)
        if project.role(file.path) in ("test", "example") or not looks_like_change(text):
            continue
        for line in too_long(text):
            project.not_asked(Place.at_line(file.path, line), f"what this defines, {BEYOND}.")
        if not _numbers(file.path):
            for definition in definitions(text):
                state.define(definition, Place.at_line(file.path, definition.line))
        elif not any(map(_UNDOING.holds, re.split(r"[\W_]+", file.path.rpartition("/")[2]))):
            state.run_file(file.path, text)
    for table in _by_one_name(state):
        if table.place is not None:
            yield (
                Definition(
                    table=table.name,
                    columns=table.columns,
                    indexes=table.indexes,
                    partitioned=table.partitioned,
                ),
                table.place,
            )


def _by_one_name(state: State) -> list[Table]:
    """The tables that a query can only mean by their bare name: of several, that of no schema."""
    found: dict[str, list[str]] = {}
    for name in state.tables:
        found.setdefault(name.rpartition(".")[2], []).append(name)
    kept = (names if len(names) == 1 else [name for name in names if "." not in name] for names in found.values())
    return [state.tables[name] for names in kept for name in names]


def views(project: Project) -> frozenset[str]:
    """The names that are views: what reads one reads the tables behind it, by their indexes."""
    texts = [file.text for file in project.artefacts("sql")]
    for last in sorted(project.models.kinds["ddl-runners"]):
        for node in project.calls_of(last):
            first = statement_given(node)
            texts += spelled_strings(project, first) if first is not None else ()
    return frozenset(name.lower() for text in texts for name in view_names(text))


def _numbers(path: str) -> tuple[int, ...]:
    """The numbers in a path, by which deltas are told from scripts that make everything, and put in order."""
    return tuple(int(found) for found in re.findall(r"\d+", path))


def _strings(project: Project) -> Iterator[Added]:
    replayed = frozenset(revisions(project))
    for last in sorted(project.models.kinds["ddl-runners"]):
        for node in project.calls_of(last):
            first = statement_given(node)
            undoes = node.code.function.name == "downgrade"
            if first is None or undoes or node.code.path in replayed or project.role(node.code.path) == "test":
                continue
            for written in filter(looks_like_definition, spelled_strings(project, first)):
                for definition in definitions(written):
                    yield definition, node.place
