"""Code that runs in workers alone: in background jobs, signal receivers and commands, and in no request."""

from __future__ import annotations

from backaudit.backend.web.catching import request_handlers
from backaudit.facts import ops
from backaudit.project import Code, Project

__all__ = ["only_in_workers"]

_DEPTH = 8


def only_in_workers(project: Project, code: Code) -> bool:
    """Whether every known way to a function begins in a worker: nobody waits there for the answer.

    A function that nothing is known to call may serve requests, and so may what it calls.
    """
    return project.once(_known).get(project, code)


class _Known:
    def __init__(self, project: Project) -> None:
        self._handlers = project.once(request_handlers)
        self._entries = project.models.kinds["worker-entries"]

    def get(self, project: Project, code: Code) -> bool:
        level, seen = [code], {code}
        for _ in range(_DEPTH):
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
            if not above:
                return True
            seen |= above.keys()
            level = list(above)
        return False

    def _is_entry(self, project: Project, code: Code) -> bool:
        if code.file.role != "production":
            return False
        for decorator in code.decorators:
            func = decorator.func if isinstance(decorator.op, ops.Call) and decorator.func is not None else decorator
            if not self._entries.isdisjoint(project.names(func)):
                return True
        own = code.cls is not None and code.function.name in ("run", "handle")
        return own and code.cls is not None and not self._entries.isdisjoint(project.lineage(code.cls.name))


def _known(project: Project) -> _Known:
    return _Known(project)
