"""How a project reads its settings, so that advice is given in its own words."""

from __future__ import annotations

from typing import Literal, get_args

from backaudit.project import Project
from backaudit.project.locate import imported_packages

Style = Literal["pydantic", "django-environ", "decouple", "environ"]


def settings_style(project: Project) -> Style:
    """The way of most of the project's files; plain ``os.environ`` if it has none."""
    return project.once(_style)


def _style(project: Project) -> Style:
    imported = project.once(imported_packages)
    named = {item.name for file in project.files.values() for item in file.facts.imports if item.module == "pydantic"}
    if "BaseSettings" in named:
        return "pydantic"
    found = {style for package, style in project.models.words["settings-styles"].items() if package in imported}
    return next((style for style in get_args(Style) if style in found), "environ")


def reading(project: Project, name: str) -> str:
    """Code that reads a required setting ``name`` the way the project does."""
    style = settings_style(project)
    if style == "pydantic":
        return f"`{name}: str` without a default in the settings class"
    if style == "django-environ":
        return f'`{name} = env("{name}")`'
    if style == "decouple":
        return f'`{name} = config("{name}")`'
    return f'`os.environ["{name}"]`'
