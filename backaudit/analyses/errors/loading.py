"""Whole bodies that a handler itself puts to a schema, which raises where they do not fit."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.conversions import unread
from backaudit.analyses.errors.requests import wrong
from backaudit.backend.web.catching import escapes
from backaudit.backend.web.request_names import request_names
from backaudit.flow.client import client_origin
from backaudit.project import Node, Project
from backaudit.rule import Finding


def findings(project: Project) -> Iterator[Finding]:
    """Each body that a schema refuses by an exception which no one catches."""
    raises = project.models.raises
    for name in sorted(project.models.kinds["takes-a-body"]):
        for call in project.calls(name):
            given = call.arg(0)
            if given is not None:
                yield from _refused(project, call, given, f"`{call.method}()`", raises[name])
    for base in sorted(project.models.kinds["made-of-a-body"]):
        for cls in project.subclasses(base):
            for call in project.calls(cls.name):
                yield from _made(project, call, f"`{cls.cls.name}`", raises[base])


def _made(project: Project, call: Node, what: str, exceptions: tuple[str, ...]) -> Iterator[Finding]:
    """``Order(**body)``."""
    spread = call.call.dstar if call.call is not None else ()
    for value in spread[:1]:
        yield from _refused(project, call, call.to(value), what, exceptions)


def _refused(project: Project, call: Node, given: Node, what: str, exceptions: tuple[str, ...]) -> Iterator[Finding]:
    path = escapes(project, call, exceptions[:1]) if call.code.file.role == "production" else None
    origin = client_origin(project, given) if path is not None else None
    if path is not None and origin is not None and _is_body(project, origin.node):
        told = f"{what} refuses a body that does not fit"
        yield unread(call, told, origin, exceptions, path, wrong(project, "malformed", given))


def _is_body(project: Project, read: Node) -> bool:
    """Whether a client's value is a whole body: what was read and typed before fits, as far as can be said."""
    kinds = project.models.kinds
    return not (kinds["json-bodies"] | kinds["raw-bodies"]).isdisjoint(request_names(project, read))
