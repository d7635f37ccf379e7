"""The calls by which libraries make answers, and the exceptions that become answers."""

from __future__ import annotations

from backaudit.models import ResponseModel
from backaudit.project import Node, Project


def response_model(project: Project, call: Node) -> tuple[str, ResponseModel] | None:
    """What the tables say of a call that makes a response or an exception that becomes one, by its nearest name."""
    func = call.func
    if func is None:
        return None
    found = model_of_names(project, project.names(func))
    return found or model_of_class(project, func)


def model_of_names(project: Project, names: tuple[str, ...]) -> tuple[str, ResponseModel] | None:
    models: dict[str, ResponseModel] = project.models.responses
    return next(((name, models[name]) for name in names if name in models), None)


def model_of_class(project: Project, node: Node) -> tuple[str, ResponseModel] | None:
    """A class of the project that inherits a known response or exception."""
    for cls in project.denoted_classes(node):
        return model_of_names(project, project.lineage(cls.name))
    return None
