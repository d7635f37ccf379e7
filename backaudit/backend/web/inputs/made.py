"""Schemas that a call makes: from a table's columns, or from keywords that name the fields."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.data.schema import Column, schema
from backaudit.backend.web.inputs.classes import column_shape
from backaudit.backend.web.inputs.mappings import memory
from backaudit.backend.web.inputs.records import Field, InputSchema, Shape
from backaudit.backend.web.inputs.shapes import shape_of
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import texts, truth
from backaudit.project.locate import behind


def made_schema(project: Project, annotation: Node) -> InputSchema | None:
    """The schema that a call of a library made; None for what is a class, or whose fields are not known."""
    for made in behind(project, annotation):
        fields = list(_fields(project, made))
        if fields:
            name = f"{made.code.file.module}:{made.at.line}:made"
            found = InputSchema(
                name=name, title=_title(project, made), library="pydantic", place=made.place, fields=tuple(fields)
            )
            return project.once(memory).setdefault(name, found)
    return None


def made_fields(project: Project, annotation: Node) -> list[str]:
    """The names of the fields of a schema that a call of a library made; none for what is a class."""
    made = made_schema(project, annotation)
    return [field.name for field in made.fields] if made is not None else []


def _title(project: Project, made: Node) -> str:
    given = made.arg(0, "name")
    told = project.constant(given) if given is not None else None
    return told.text if told is not None and told.text else "schema"


def _fields(project: Project, made: Node) -> Iterator[Field]:
    if made.call is None or made.func is None:
        return
    names = project.names(made.func)
    if not project.models.kinds["schemas-from-models"].isdisjoint(names):
        yield from _of_model(project, made)
    elif not project.models.kinds["schemas-from-keywords"].isdisjoint(names):
        given = made.keywords().items()
        yield from (_of_keyword(project, name, value) for name, value in given if not name.startswith("__"))


def _of_model(project: Project, made: Node) -> Iterator[Field]:
    model = made.arg(0, "cls")
    classes = project.denoted_classes(model) if model is not None else ()
    table = next((t for cls in classes if (t := project.once(schema).of_model(cls.name)) is not None), None)
    if table is None:
        return
    included, excluded = _listed(project, made, "include"), _listed(project, made, "exclude")
    key = set(table.primary_key) if truth(project, made.keywords().get("exclude_readonly")) else set()
    for column in table.columns:
        name = column.attribute or column.name
        if (not included or name in included) and name not in (*excluded, *key):
            yield _of_column(project, made, name, column)


def _of_column(project: Project, made: Node, name: str, column: Column) -> Field:
    shape = msgspec.structs.replace(column_shape(project, column), nullable=column.nullable)
    optional = column.nullable or bool(column.default)
    return Field(name=name, attribute=name, shape=shape, place=made.place, optional=optional)


def _of_keyword(project: Project, name: str, value: Node) -> Field:
    """``name=(int, ...)``, ``name=(str, "otherwise")``, or a default alone."""
    here = value.origin
    parts = here.elements() if isinstance(here.op, ops.Build) else []
    shape = shape_of(project, parts[0]) if len(parts) > 1 else Shape()
    required = len(parts) > 1 and isinstance(parts[1].origin.op, ops.Opaque)
    return Field(name=name, attribute=name, shape=shape, place=value.place, optional=not required)


def _listed(project: Project, made: Node, keyword: str) -> list[str]:
    given = made.arg(None, keyword)
    return list(texts(project, given)) if given is not None and not isinstance(given.op, ops.Opaque) else []


__all__ = ["made_fields", "made_schema"]
