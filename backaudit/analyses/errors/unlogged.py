"""Failures that are answered and written down nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.catching import Handler, answers_in, handlers, logs
from backaudit.backend.web.responses import Answer, answering, answers, error_handlers
from backaudit.facts import ops
from backaudit.project import Code, Project


def unlogged_answers(project: Project) -> Iterator[tuple[Answer, Handler]]:
    """The answers of status 5xx by handlers that log nothing, each with its handler."""
    final = answering(project)
    for handler in handlers(project):
        for answer in answers_in(project, handler) if not logs(project, handler) else ():
            reaches = answer.how == "raise" or handler.code in final
            if reaches and answer.stated and answer.status in range(500, 600):
                yield answer, handler


def unlogged_last_answers(project: Project) -> Iterator[Answer]:
    """The same of the application's own handlers for whatever is left."""
    for code, caught in project.once(error_handlers):
        if "builtins.Exception" in caught and not _speaks(project, code):
            yield from (one for one in answers(project, code) if one.status is not None and one.status >= 500)


def _speaks(project: Project, code: Code) -> bool:
    kinds = project.models.kinds
    return any(
        not kinds["logs"].isdisjoint(project.names(func)) or call.method in kinds["log-methods"]
        for call in code.nodes(ops.Call)
        if (func := call.func) is not None
    )
