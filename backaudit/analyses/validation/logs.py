"""What a line of a log is made of beside its constant text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.project import Node, Project

_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-+ #0]*(?:\d+|\*)?(?:\.\d+)?([a-zA-Z])")


def logged_arguments(project: Project) -> Iterator[tuple[Node, Node]]:
    """What fills the placeholders of a log call's text; ``%r`` shows line breaks as what they are."""
    for name in sorted(project.models.sinks.get("header", {})):
        for call in project.calls(name):
            text = call.arg(0)
            shape = text.text if text is not None else None
            if shape is None or project.role(call.code.path) != "production":
                continue
            given = call.call.args[1:] if call.call is not None else ()
            ways = _PLACEHOLDER.findall(shape)
            for at, value in enumerate(given):
                if at >= len(ways) or ways[at] in "sS":
                    yield call, call.origin.to(value)
