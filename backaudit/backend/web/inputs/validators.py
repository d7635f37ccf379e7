"""The code of a project that judges what was sent, beside what a schema declares of its fields."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.project import ClassView, Code, Project


def validators(project: Project, cls: ClassView) -> Iterator[Code]:
    """The methods of a form or schema that judge what was sent, its own and those it inherits."""
    hooks = project.models.kinds["validator-decorators"]
    for name, code in (pair for view in project.lineage_views(cls.name) for pair in view.methods.items()):
        marks = (decorator.func or decorator for decorator in code.decorators)
        if name.startswith(("validate", "clean")) or any(not hooks.isdisjoint(project.names(mark)) for mark in marks):
            yield code
