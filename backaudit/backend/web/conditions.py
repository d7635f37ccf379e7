"""What must have been sent for a route to be chosen at all, as far as its declaration says."""

from __future__ import annotations

from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import by_handler
from backaudit.project import Code, Project
from backaudit.project.locate import strings


def is_sent(project: Project, handler: Code, key: str) -> bool:
    """Whether every route that runs a handler is only chosen where the client has sent ``key``."""
    found = project.once(by_handler).get(handler, ())
    return bool(found) and all(key in _asked_for(project, route) for route in found)


def _asked_for(project: Project, route: Route) -> set[str]:
    """``request_param="add"``, ``request_param=("add", "kind=user")``: the keys that are named."""
    call = route.declared
    words = project.models.kinds["route-conditions"]
    if call is None or call.call is None:
        return set()
    given = filter(None, (call.arg(None, word) for word in sorted(words)))
    return {text.partition("=")[0].strip() for value in given for text in strings(project, value)}
