"""Tables of Django's models, with the indexes that Django makes by itself; what its migrations make is replayed."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.schema.django.classes import custom_user, declared
from backaudit.backend.data.schema.django.library import (
    brought_columns,
    brought_relations,
    library_models,
    library_table,
)
from backaudit.backend.data.schema.django.records import Model
from backaudit.backend.data.schema.django.replay import raw_statements, replayed
from backaudit.backend.data.schema.django.tables import Names, tables_of
from backaudit.backend.data.schema.tables import Table
from backaudit.project import Project

__all__ = ["USER", "custom_user", "migrated", "raw_statements", "tables"]

USER = "django.contrib.auth.models.User"


def tables(project: Project) -> Iterator[Table]:
    """The tables of all concrete models, their many-to-many tables, the user table that comes with Django, and those of
    other models of libraries that are asked for.
    """
    models = declared(project)
    own = custom_user(project)
    user = next((model.key for model in models if model.cls == own), "") if own else ""
    brought = library_models(project, models)
    if models and not own:
        brought.append(_library_user(project, brought))
    names = Names(project, (*models, *brought), user)
    for model in models:
        yield from tables_of(project, model, names)
    for model in brought:
        for table in tables_of(project, model, names):
            yield library_table(project, table) if table.model in project.models.brings else table


def migrated(project: Project) -> Iterator[Table]:
    """The tables as the migrations leave them."""
    models, user = replayed(project)
    names = Names(project, models, user)
    for model in models:
        yield from tables_of(project, model, names)


def _library_user(project: Project, brought: list[Model]) -> Model:
    """Django's own user, who has of other models of libraries what of these is asked for."""
    base = project.models.words["library-users"][USER]
    asked = {model.key for model in brought}
    many = tuple(one for one in brought_relations(project, base) if one[1] in asked)
    columns = tuple(brought_columns(project, base))
    return Model(label="auth", name="User", cls=USER, library=columns, many=many, table="auth_user")
