"""What generic class views are over."""

from __future__ import annotations

from backaudit.backend.access.tables import meta_table, touched_table
from backaudit.backend.data.schema import Table
from backaudit.project import ClassView, Code, Project
from backaudit.project.locate import class_field
from backaudit.vocabulary.protocols import METHODS


def generic_table(project: Project, view: ClassView) -> Table | None:
    """The table that a generic class view is over: its ``model``, ``queryset``, form or serializer."""
    for name in ("model", "queryset"):
        field = class_field(project, view, name)
        table = touched_table(project, field) if field is not None else None
        if table is not None:
            return table
    for name in ("serializer_class", "form_class"):
        field = class_field(project, view, name)
        for cls in project.denoted_classes(field) if field is not None else ():
            table = meta_table(project, cls.name)
            if table is not None:
                return table
    return None


def view_parts(project: Project, view: ClassView) -> list[Code]:
    """The methods by which a class view takes part in what its library does for it."""
    kinds = project.models.kinds
    names = kinds["view-starts"] | kinds["view-steps"] | kinds["view-actions"] | {verb.lower() for verb in METHODS}
    return [code for name in sorted(names) if (code := project.method(view.name, name)) is not None]
