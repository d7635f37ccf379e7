"""What a framework's own exceptions are told as: by the framework, or by a handler that the project has registered."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.deployment.django_settings import entry
from backaudit.backend.web.catching import answered_globally
from backaudit.backend.web.responses import error_handlers
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.locate import functions_behind, text_of

# The class of all exceptions: what a framework handles by itself comes to its handler only where it is told to.
_ALL = "builtins.Exception"


def is_replaced(project: Project, maker: str, status: int | None) -> bool:
    """Whether a framework's exception is answered by a handler of the project's, not in the framework's own shape."""
    if answered_globally(project, (maker,)) or maker in project.once(_named_by_settings):
        return True
    caught = {name for _, names in project.once(error_handlers) for name in names}
    return str(status) in caught or (_ALL in caught and maker in project.models.kinds["caught-with-all"])


def handlers_by_setting(project: Project) -> Iterator[Code]:
    """The functions that settings name for all that a framework raises."""
    for setting in sorted(project.models.kinds["handler-settings"]):
        yield from _functions(project, setting)


def _functions(project: Project, setting: str) -> Iterator[Code]:
    name, _, key = setting.partition(".")
    given = entry(project, name, key)
    if given is not None:
        text = text_of(project, given)
        yield from project.functions_called(text) if text is not None else functions_behind(project, given)


def _named_by_settings(project: Project) -> frozenset[str]:
    """The exceptions that a function named by settings tells in words of its own."""
    told = (body for code in handlers_by_setting(project) for body in stored_bodies(project, code))
    return frozenset(project.models.kinds["handled-by-setting"] if any(True for _ in told) else ())


def stored_bodies(project: Project, code: Code) -> Iterator[Node]:
    """The displays that a handler puts in the place of what a response held: ``response.data = {…}``."""
    names = project.models.kinds["response-bodies"]
    for node in code.nodes(ops.SetAttr):
        if isinstance(node.op, ops.SetAttr) and node.op.name in names:
            value = node.to(node.op.value).origin
            if value.is_dict:
                yield value
