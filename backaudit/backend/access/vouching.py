"""Schemas that may hold what is sent against who sent it: a signature over the other fields, a code that was mailed."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from backaudit.backend.access.denial import denials
from backaudit.backend.access.proofs import proves
from backaudit.backend.web.inputs.applied import applied_to
from backaudit.backend.web.inputs.validators import validators
from backaudit.backend.web.records import Route
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.project.operands import made_of

# A proof is of something: the signature and what was signed, the code and whose it is.
_TOGETHER = 2


def vouching(project: Project, route: Route) -> tuple[Code, ...]:
    """The project's checks in the schemas of a route's requests that may turn away who is not the one they say."""
    names = {one.schema.name for one in applied_to(project, route)}
    classes = (cls for name in sorted(names) if (cls := project.class_named(name)) is not None)
    every = (code for cls in classes for code in validators(project, cls))
    return tuple(dict.fromkeys(code for code in every if project.once_of(_may_refuse, code)))


def request_checks(code: Code) -> Iterator[Node]:
    """Calls whose answer is dropped, that are handed the request as a whole, and whose failure is told the client."""
    for at in code.nodes(ops.Discard):
        op = at.op
        call = at.to(op.value).origin if isinstance(op, ops.Discard) else at
        tried = {region.group for region in code.regions_of(call.value) if region.kind == "try"}
        caught = [region for region in code.body.regions if region.kind == "except" and region.group in tried]
        leaves = any(region.exits in ("return", "raise") for region in caught)
        if call.call is not None and leaves and any(argument.spelled == "request" for argument in call.args()):
            yield call


def _may_refuse(project: Project, code: Code) -> bool:
    if denials(project, code):
        return True
    tests = list(_tests(code))
    if any(proves(project, test) for test in tests):
        return True
    refuses = any(True for _ in code.nodes(ops.Raise))
    return refuses and any(_is_of_unread(project, test) for test in tests)


def _tests(code: Code) -> Iterator[Node]:
    for region in code.body.regions:
        if region.test != NONE:
            yield code.node(region.test)


def _is_of_unread(project: Project, test: Node) -> bool:
    """Whether a condition is what an unknown function says of several fields together."""
    calls = (part for part in made_of(test) if part.call is not None)
    return any(_is_unread(project, call) and len(_fields(call)) >= _TOGETHER for call in calls)


def _is_unread(project: Project, call: Node) -> bool:
    """Whether a call is of a library that no table knows, here or in what the project's own function asks."""
    codes = project.callees(call)
    if codes:
        return any(project.solved(_asks_unread, code) for code in codes)
    named = {name for name in project.names(call.func or call) if not name.startswith("*.")}
    return bool(named) and not any(_is_familiar(project, name) for name in named)


def _asks_unread(project: Project, code: Code) -> Iterator[bool]:
    """True if a function asks an unknown one about several of the things that it is given."""
    own = code.cls is not None
    for call in code.nodes(ops.Call):
        params = (part for part in made_of(call) if isinstance(part.op, ops.Param))
        given = {part.value for part in params if not (own and part.is_self)}
        if len(given) >= _TOGETHER and _is_unread(project, call):
            yield True
            return


def _is_familiar(project: Project, name: str) -> bool:
    package = name.partition(".")[0]
    return package in sys.stdlib_module_names or package in project.models.packages


def _fields(call: Node) -> set[str]:
    """The fields of what was sent that a call is given, or that its arguments are made of."""
    found = set()
    for part in made_of(call):
        if isinstance(part.op, ops.Item):
            found.add(part.to(part.op.key).text or "")
        elif isinstance(part.op, ops.Attr) and part.to(part.op.base).is_self:
            found.add(part.op.name)
        elif part.method == "get" and part.arg(0) is not None:
            found.add((part.args()[0].text) or "")
    return found - {""}
