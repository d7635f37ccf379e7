"""What models of libraries bring: columns to those derived from them, and the tables that keys lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import msgspec

from backaudit.backend.data.schema.django.records import Model
from backaudit.backend.data.schema.tables import Relation, Table, columns_index
from backaudit.project import Project
from backaudit.project.declarations import text
from backaudit.project.knowledge import BroughtColumn
from backaudit.sql import Column


def user_classes(project: Project) -> list[str]:
    """Classes that a project's own users are derived from."""
    return [name for name, base in project.models.brings.items() if base.user]


def brought_columns(project: Project, owner: str) -> Iterator[Column]:
    """The columns that a class of a library brings along."""
    base = project.models.brings.get(owner)
    for column in base.columns if base is not None else ():
        yield Column(
            name=f"{column.name}_id" if column.to else column.name,
            attribute=column.name,
            type=column.type,
            length=column.length,
            nullable=column.nullable,
            unique=column.unique,
            few=column.few,
            references=f"{table_of_library(project, column.to)}.id" if column.to else "",
        )


def brought_relations(project: Project, owner: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(field, target, names that lead back) of the fields to many rows that a class of a library brings along."""
    base = project.models.brings.get(owner)
    for name, told in base.many.items() if base is not None else ():
        target, *back = told.split()
        yield name, target, tuple(back)


def table_of_library(project: Project, name: str) -> str:
    """The table of a model of a library, by the model's own name; empty if none is called so."""
    tables = project.models.words["library-tables"]
    last = name.rpartition(".")[2].lower()
    return next((table for key, table in tables.items() if key.rpartition(".")[2] == last), "")


def library_models(project: Project, models: Iterable[Model]) -> list[Model]:
    """The models of libraries that a project asks or leads to, and those that these lead to."""
    known = {model.key: model for model in map(_library_model(project), _own_tables(project))}
    for own in models:
        known.pop(own.key, None)
    waiting = sorted(_named(project, models))
    found: dict[str, Model] = {}
    while waiting:
        model = known.pop(waiting.pop(0), None)
        if model is not None:
            found[model.key] = model
            waiting += _led_to(project, model)
    return [found[key] for key in sorted(found)]


def _led_to(project: Project, model: Model) -> list[str]:
    keys = [column.to for column in project.models.brings[model.cls].columns if column.to]
    return [*keys, *(target for _, target, _ in model.many)]


def _own_tables(project: Project) -> list[str]:
    return [owner for owner, base in project.models.brings.items() if base.table]


def _library_model(project: Project) -> Callable[[str], Model]:
    def made(owner: str) -> Model:
        label, _, name = owner.split(".")[-3:]
        base = project.models.brings[owner]
        columns, many = tuple(brought_columns(project, owner)), tuple(brought_relations(project, owner))
        return Model(label=label, name=name, cls=owner, library=columns, many=many, table=base.table, seeded=base.few)

    return made


def _named(project: Project, models: Iterable[Model]) -> frozenset[str]:
    """The models, as ``label.model``, that files import from libraries or that models' keys lead to by their names."""
    imports = chain.from_iterable(file.facts.imports for file in project.files.values())
    found = {f"{item.module.split('.')[-2]}.{item.name}".lower() for item in imports if item.module.count(".") > 1}
    for model in models:
        targets = (call.arg(0, "to") for call in model.fields.values())
        found |= {text(project, target).lower() for target in targets if target is not None}
    return frozenset(found)


def library_table(project: Project, table: Table) -> Table:
    """A library's own table with what it has beside its columns: keys to other rows, and what is unique together."""
    base = project.models.brings[table.model]
    attributes = {column.attribute: column.name for column in table.columns}
    keys = [column for column in base.columns if column.to]
    together = tuple(columns_index(*(attributes[name] for name in names), unique=True) for names in base.unique)
    own = tuple(columns_index(attributes[column.name]) for column in keys)
    leading = tuple(one for column in keys for one in _leading(project, table, column))
    return msgspec.structs.replace(
        table, indexes=(*table.indexes, *together, *own), relations=(*table.relations, *leading)
    )


def _leading(project: Project, table: Table, column: BroughtColumn) -> Iterator[Relation]:
    """The relation along a key of a library's own, from both sides."""
    owner = next((name for name in _own_tables(project) if _ends_in(name, column.to)), "")
    yield Relation(name=column.name, target=owner, column=f"{column.name}_id")
    last = table.model.rpartition(".")[2].lower()
    for alias in (f"{last}_set", last):
        yield Relation(name=f"<{alias}", target=owner, many=True, remote=f"{column.name}_id")


def _ends_in(owner: str, named: str) -> bool:
    label, _, name = owner.split(".")[-3:]
    return f"{label}.{name}".lower() == named
