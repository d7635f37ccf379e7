"""Where host names of requests are checked, and every one is let through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from backaudit.backend.deployment.django_settings import settings_modules
from backaudit.backend.deployment.stages import stage_of
from backaudit.facts import ops
from backaudit.project import Node, Project

By: TypeAlias = Literal["setting", "middleware"]


class OpenHosts(msgspec.Struct, frozen=True):
    """``value``: the list that lets every host name through, ``by_default`` only where the environment gives none."""

    value: Node
    by: By
    by_default: bool


def open_hosts(project: Project) -> Iterator[OpenHosts]:
    """The lists of what is deployed that name every host."""
    for value, by in _lists(project):
        if stage_of(project, value.code.path) != "production":
            continue
        node = project.resolved(value)
        if _is_star(node):
            yield OpenHosts(value, by, by_default=False)
        elif _default_is_star(node):
            yield OpenHosts(value, by, by_default=True)


def _lists(project: Project) -> Iterator[tuple[Node, By]]:
    seen: set[Node] = set()
    for module in project.once(settings_modules):
        value = module.names.get("ALLOWED_HOSTS") if module.production else None
        if value is not None and value.origin not in seen:
            seen.add(value.origin)
            yield value, "setting"
    for call in project.calls_of("add_middleware"):
        given = call.arg(None, "allowed_hosts")
        if given is not None:
            yield given, "middleware"


def _is_star(node: Node) -> bool:
    op = node.origin.op
    if isinstance(op, ops.Build):
        return any(node.to(item).text == "*" for item in op.items)
    return False


def _default_is_star(node: Node) -> bool:
    """``config("ALLOWED_HOSTS", default="*")``, also split into a list afterwards."""
    call = node.origin
    if call.call is None:
        return False
    if call.method == "split" and call.receiver is not None:
        return _default_is_star(call.receiver)
    default = call.arg(1, "default")
    return default is not None and (default.text == "*" or _is_star(default))
