"""The table behind a query, an object, a form; and whether its rows are people who log in."""

from __future__ import annotations

import re

from backaudit.backend.data.queries.chains import table_of
from backaudit.backend.data.schema import Table, schema
from backaudit.project import Node, Project
from backaudit.project.types import split

_USER_TABLE = re.compile(
    r"(^|_|\.)(app_?|auth_?|custom_?)?(users?|usuarios?|accounts?|members?|customers?|clientes?)$", re.I
)
_SECRET_COLUMN = re.compile(r"passw|pwd|contrasen|clave|senha|hashed|password_hash", re.I)


def is_user_table(table: Table) -> bool:
    """Whether the rows of a table are the people who log in."""
    name = table.model.rpartition(".")[2] or table.name
    if name.endswith("User") or table.name.lower() in ("user", "users", "usuario", "usuarios", "auth_user"):
        return True
    named = _USER_TABLE.search(table.name) or _USER_TABLE.search(name.removesuffix("Model"))
    return bool(named) and any(_SECRET_COLUMN.search(column.name) for column in table.columns)


def named_as_users(name: str) -> bool:
    """Whether a collection or class of documents holds the people who log in, by its name."""
    return name.endswith("User") or bool(_USER_TABLE.search(name))


def touched_table(project: Project, node: Node) -> Table | None:
    """The table that a query or an object of a model is of."""
    found = table_of(project, node)
    if found is not None:
        return found
    for name in project.types(node):
        head, over = split(name)
        for candidate in (over, head):
            table = schema(project).of_model(candidate) if candidate else None
            if table is not None:
                return table
    return None


def form_table(project: Project, node: Node) -> Table | None:
    """The table of the model that a model form or serializer saves."""
    for name in project.types(node):
        table = meta_table(project, split(name)[0])
        if table is not None:
            return table
    return None


def meta_table(project: Project, cls: str) -> Table | None:
    """``Meta.model`` of a class."""
    for owner in project.lineage(cls):
        view = project.class_named(owner)
        meta = view.inner.get("Meta") if view is not None else None
        if meta is not None and "model" in meta.fields:
            for model in project.denoted_classes(meta.fields["model"]):
                return schema(project).of_model(model.name)
    return None
