"""The parts of class views."""

from __future__ import annotations

from backaudit.project import ClassView, Code, Project
from backaudit.vocabulary.protocols import METHODS


def view_parts(project: Project, view: ClassView) -> list[Code]:
    """The methods by which a class view takes part in what its library does for it."""
    kinds = project.models.kinds
    names = kinds["view-starts"] | kinds["view-steps"] | kinds["view-actions"] | {verb.lower() for verb in METHODS}
    return [code for name in sorted(names) if (code := project.method(view.name, name)) is not None]
