"""Fixes of what the rules on passwords report."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.project import Node
from backaudit.project.changing import argument, assigned, needed, type_alone, written_from
from backaudit.rule import Fix


def not_sent(field: Node) -> Iterator[Fix]:
    """A field of a response that stays in the object and is left out of what is sent."""
    module, annotation, value = _declaring(field), type_alone(field), assigned(field)
    summary = f"Leave `{field.spelled}` out of what is sent"
    if module and annotation is not None:
        declared = written_from(annotation, annotation, "{0} = Field(exclude=True)", annotation)
        yield Fix(summary=summary, changes=(declared, needed(field, module, "Field")))
    elif module and value.method == "Field":
        yield Fix(summary=summary, changes=(argument(value, "exclude", "True"),))


def _declaring(field: Node) -> str:
    """The library whose fields can be left out, if the class is one of its schemas."""
    project, cls = field.code.project, field.code.cls
    libraries = project.models.kinds["excludes-fields"]
    lineage = project.lineage(cls.name) if cls is not None else ()
    return next((name.partition(".")[0] for name in lineage if name.partition(".")[0] in libraries), "")
