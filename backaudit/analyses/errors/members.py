"""Members of the project's enumerations that are looked up by what a client sent: ``Role(text)``, ``Role[name]``."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.conversions import unread
from backaudit.analyses.errors.requests import wrong
from backaudit.analyses.errors.vouched import is_vouched
from backaudit.backend.access.missing import alike
from backaudit.backend.web.catching import escapes
from backaudit.facts import ops
from backaudit.flow.client import client_origin
from backaudit.project import ClassView, Node, Project
from backaudit.project.holding import conditions
from backaudit.rule import Finding

_NO_VALUE = ("builtins.ValueError",)
_NO_NAME = ("builtins.KeyError",)
# What an enumeration defines that has an answer for every value.
_ANSWERS_ALL = "_missing_"


def findings(project: Project) -> Iterator[Finding]:
    """Each look-up of a member that a client's text may not name, uncaught."""
    for cls in project.subclasses(*sorted(project.models.kinds["enumerations"])):
        if project.method(cls.name, _ANSWERS_ALL) is None:
            yield from _by_value(project, cls)
            yield from _by_name(project, cls)


def _by_value(project: Project, cls: ClassView) -> Iterator[Finding]:
    what = f"`{cls.cls.name}()` raises on what is none of its values"
    for call in project.constructions(cls):
        given = call.arg(0)
        if given is not None:
            yield from _uncaught(project, call, given, _NO_VALUE, what)


def _by_name(project: Project, cls: ClassView) -> Iterator[Finding]:
    what = f"`{cls.cls.name}[...]` raises on what is none of its names"
    for code in dict.fromkeys(project.mentioning(cls.cls.name)):
        for item in code.nodes(ops.Item):
            op = item.op
            if isinstance(op, ops.Item) and f"type[{cls.name}]" in project.types(item.to(op.base)):
                yield from _uncaught(project, item, item.to(op.key), _NO_NAME, what)


def _uncaught(project: Project, use: Node, given: Node, raised: tuple[str, ...], what: str) -> Iterator[Finding]:
    if use.code.file.role != "production":
        return
    path = escapes(project, use, raised)
    origin = client_origin(project, given, texts=True) if path is not None else None
    if path is not None and origin is not None and not (is_vouched(project, given, use) or _is_found(given, use)):
        yield unread(use, what, origin, raised, path, wrong(project, "malformed", given))


def _is_found(given: Node, use: Node) -> bool:
    """Whether a text was looked for among the members before: ``if name in Role.__members__``."""
    code = use.code
    asked = ((code.ops[test], truth) for test, truth in conditions(code, use.value))
    return any(
        isinstance(op, ops.Compare)
        and op.operator == ("in" if truth else "not in")
        and alike(code, op.left, given.value)
        for op, truth in asked
    )
