"""The description of an API that a framework makes of the code, and applications that are told to give it to nobody."""

from __future__ import annotations

from backaudit.project import Node, Project


def describing(project: Project) -> list[Node]:
    """The calls that make applications which describe themselves."""
    return list(project.calls(*sorted(project.models.kinds["describes-itself"])))


def is_switched_off(project: Project, call: Node) -> bool:
    """Whether an application that could describe itself is told not to."""
    given = (call.arg(None, name) for name in sorted(project.models.kinds["switches-description-off"]))
    return any(node is not None and project.resolved(node).is_none for node in given)
