"""What tells one ORM from another, as the tables of the libraries say it."""

from __future__ import annotations

from collections.abc import Iterable

from backaudit.models import OrmModel
from backaudit.project import Project

_PLAIN = OrmModel()


def traits(project: Project, orm: str) -> OrmModel:
    """The traits of an ORM by the name of its ``[orms.NAME]``; of one that no table knows, those of plain SQL."""
    return orms(project).get(orm, _PLAIN)


def orms(project: Project) -> dict[str, OrmModel]:
    """All ORMs that are known."""
    known: dict[str, OrmModel] = project.models.orms
    return known


def is_lazy(project: Project, names: Iterable[str]) -> bool:
    """Whether a call by one of these names only asks the database when its result is awaited."""
    packages = {name.partition(".")[0] for name in names}
    return any(traits(project, package).lazy for package in packages)
