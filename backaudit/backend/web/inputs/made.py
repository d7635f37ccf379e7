"""Schemas that a call makes: from a table's columns, or from keywords that name the fields."""

from __future__ import annotations

from backaudit.backend.data.schema import schema
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import texts, truth
from backaudit.project.locate import behind


def made_fields(project: Project, annotation: Node) -> list[str]:
    """The names of the fields of a schema that a call of a library made; none for what is a class."""
    for made in behind(project, annotation):
        if made.call is None or made.func is None:
            continue
        names = project.names(made.func)
        if not project.models.kinds["schemas-from-models"].isdisjoint(names):
            return _of_model(project, made)
        if not project.models.kinds["schemas-from-keywords"].isdisjoint(names):
            return [name for name in made.keywords() if not name.startswith("__")]
    return []


def _of_model(project: Project, made: Node) -> list[str]:
    model = made.arg(0, "cls")
    classes = project.denoted_classes(model) if model is not None else ()
    table = next((t for cls in classes if (t := project.once(schema).of_model(cls.name)) is not None), None)
    if table is None:
        return []
    names = [column.attribute or column.name for column in table.columns]
    included, excluded = _listed(project, made, "include"), _listed(project, made, "exclude")
    key = set(table.primary_key) if truth(project, made.keywords().get("exclude_readonly")) else set()
    return [name for name in names if (not included or name in included) and name not in (*excluded, *key)]


def _listed(project: Project, made: Node, keyword: str) -> list[str]:
    given = made.arg(None, keyword)
    return list(texts(project, given)) if given is not None and not isinstance(given.op, ops.Opaque) else []
