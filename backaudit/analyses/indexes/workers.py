"""Code that runs in workers alone: in background jobs, signal receivers and commands, and in no request."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.catching import request_handlers
from backaudit.facts import ops
from backaudit.project import Code, Node, Project

__all__ = ["is_enqueued", "only_in_workers"]


def only_in_workers(project: Project, code: Code) -> bool:
    """Whether every known way to a function begins in a worker: nobody waits there for the answer.

    A function that nothing is known to call may serve requests, and so may what it calls.
    """
    return project.once(_known).get(project, code)


def is_enqueued(project: Project, call: Node, code: Code) -> bool:
    """Whether a call by a task's own name only puts it into a queue, as some libraries have it."""
    if call.method != code.function.name or not code.function.decorators:
        return False
    return not project.models.kinds["called-is-enqueued"].isdisjoint(_decorated_by(project, code))


def _decorated_by(project: Project, code: Code) -> Iterator[str]:
    """The names of a function's decorators, and of what decorators of the project decorate it with in their turn."""
    for decorator in code.decorators:
        func = decorator.func if isinstance(decorator.op, ops.Call) and decorator.func is not None else decorator
        yield from project.names(func)
        bound = project.resolved(func)
        first = bound.arg(0) if bound.method == "partial" else None
        yield from project.names(first) if first is not None else ()
        for name in project.types(func):
            own = project.function_named(name[4:-1]) if name.startswith("def[") else None
            for part in _parts(own) if own is not None else ():
                for call in part.nodes(ops.Call):
                    yield from project.names(call.func) if call.func is not None else ()


def _parts(code: Code) -> Iterator[Code]:
    """A function and those that are defined in it."""
    yield code
    for node in code.nodes(ops.Def):
        if isinstance(node.op, ops.Def):
            yield from _parts(code.file.code(node.op.function))


class _Known:
    def __init__(self, project: Project) -> None:
        self._handlers = project.once(request_handlers)
        self._entries = project.models.kinds["worker-entries"]

    def get(self, project: Project, code: Code) -> bool:
        level, seen = [code], {code}
        while level:
            above: dict[Code, None] = {}
            for each in level:
                if each in self._handlers:
                    return False
                queued = self._is_entry(project, each)
                calls = [call for call in project.callers(each) if call.code.file.role == "production"]
                # What queues a task runs nothing of it; who calls it by its own name does.
                calls = [call for call in calls if call.method == each.function.name] if queued else calls
                if not calls and not queued:
                    return False
                above |= {call.code: None for call in calls if call.code not in seen}
            seen |= above.keys()
            level = list(above)
        return True

    def _is_entry(self, project: Project, code: Code) -> bool:
        if code.file.role != "production":
            return False
        if not self._entries.isdisjoint(_decorated_by(project, code)):
            return True
        own = code.cls is not None and code.function.name in ("run", "handle")
        return own and code.cls is not None and not self._entries.isdisjoint(project.lineage(code.cls.name))


def _known(project: Project) -> _Known:
    return _Known(project)
