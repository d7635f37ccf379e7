"""Tables of Django's models, with the indexes that Django makes by itself; what its migrations make is replayed."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.schema.django.classes import custom_user, declared
from backaudit.backend.data.schema.django.library import brought_columns
from backaudit.backend.data.schema.django.replay import raw_statements, replayed
from backaudit.backend.data.schema.django.tables import Names, tables_of
from backaudit.backend.data.schema.tables import Table, columns_index
from backaudit.project import Project
from backaudit.sql import Column, Index, Key

__all__ = ["USER", "custom_user", "migrated", "raw_statements", "tables"]

USER = "django.contrib.auth.models.User"


def tables(project: Project) -> Iterator[Table]:
    """The tables of all concrete models, their many-to-many tables, and the user table that comes with Django."""
    models = declared(project)
    own = custom_user(project)
    user = next((model.key for model in models if model.cls == own), "") if own else ""
    names = Names(project, models, user)
    for model in models:
        yield from tables_of(project, model, names)
    if models and not own:
        yield _library_user(project)


def migrated(project: Project) -> Iterator[Table]:
    """The tables as the migrations leave them."""
    models, user = replayed(project)
    names = Names(project, models, user)
    for model in models:
        yield from tables_of(project, model, names)


def _library_user(project: Project) -> Table:
    identity = Column(name="id", attribute="id", type="AutoField", nullable=False, primary_key=True)
    indexes = (
        columns_index("id", unique=True, primary=True),
        columns_index("username", unique=True),
        Index(keys=(Key("username", opclass="varchar_pattern_ops"),)),
    )
    columns = (identity, *brought_columns(project, project.models.words["library-users"][USER]))
    return Table(name="auth_user", orm="django", model=USER, columns=columns, indexes=indexes)
