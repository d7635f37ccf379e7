"""Rows that are not there, answered as null or as an empty body, with the status of a success."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.absences import sent_key
from backaudit.analyses.errors.requests import looked_up, showing
from backaudit.backend.access.missing import asked, is_aggregate, none_giving
from backaudit.backend.web.bodies import pairs_at
from backaudit.backend.web.records import Route
from backaudit.backend.web.responses import Answer, answers
from backaudit.backend.web.routes import by_handler
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.project import Code, Node, Project
from backaudit.rule import Finding, Step, assume

_READING = (ops.Attr, ops.Item, ops.SetAttr, ops.SetItem)
_MEANT = assume("purpose", "an address that names nothing is not meant to be answered with nothing")


def findings(project: Project) -> Iterator[Finding]:
    """Each answer of a route that names one thing, with the row that was looked up for it and asked for by nobody."""
    for code, served in project.once(by_handler).items():
        if code.file.role == "production" and any(route.names_one_thing for route in served):
            yield from _answered(project, code, served)


def _answered(project: Project, code: Code, served: tuple[Route, ...]) -> Iterator[Finding]:
    for answer in answers(project, code):
        status = answer.status or 0
        if answer.how != "return" or status not in range(200, 300):
            continue
        for lookup in _looked_up(project, answer, served):
            origin = sent_key(project, lookup, project.once(none_giving)[lookup])
            if origin is not None:
                yield Finding(
                    place=answer.place.first_line(),
                    message=f"What `{lookup.method}()` does not find is answered {status} with nothing in its place.",
                    assumed=_MEANT,
                    trace=(*origin.steps, Step(lookup.place.first_line(), "looks it up, or gives None")),
                    request=showing(project, lookup, (), looked_up(project, lookup, lookup), status=status),
                )
                break


def _looked_up(project: Project, answer: Answer, served: tuple[Route, ...]) -> Iterator[Node]:
    """The look-ups whose result is a body, or stands in one, as it is."""
    found = project.once(none_giving)
    code, op = answer.node.code, answer.node.op
    bodies = [body for body in answer.body if body.code is code]
    bodies += [code.node(op.value)] if isinstance(op, ops.Return) else []
    whole = [] if _is_declared(project, answer, served) else bodies
    inside = [part for body in bodies for part in _within(answer, body)]
    for lookup in dict.fromkeys(part.awaited for part in (*whole, *inside)):
        if lookup in found and _may_be_sent(lookup, answer) and not is_aggregate(lookup):
            yield lookup


def _may_be_sent(lookup: Node, answer: Answer) -> bool:
    """Whether nobody has asked for a row before it is answered, nor used it, which raises where there is none."""
    code, use = lookup.code, answer.value
    return not asked(code, lookup.value, use) and all(used.awaited != lookup for used in _used(code, use))


def _used(code: Code, before: Value) -> Iterator[Node]:
    """What is read of, or set on, or handed to calls for their effect."""
    for value in code.before(before, *_READING, ops.Discard):
        op = code.ops[value]
        if isinstance(op, ops.Discard):
            yield from code.node(op.value).awaited.args()
        elif isinstance(op, _READING):
            yield code.node(op.base)


def _within(answer: Answer, body: Node) -> list[Node]:
    """What a body holds, and what a schema makes an empty mapping of where it is None."""
    made = body.origin.awaited
    if made.is_call_of("shows-none-as-nothing"):
        return made.args()[:1]
    return list((pairs_at(body, answer.value) or {}).values())


def _is_declared(project: Project, answer: Answer, served: tuple[Route, ...]) -> bool:
    """Whether nothing as a whole body is an error of the framework, or declared to be an answer."""
    if any(route.response is not None for route in served):
        return True
    kinds = project.models.kinds
    names = {name for one in answer.node.code.decorators for name in project.names(one.func or one)}
    view = answer.node.code.cls
    names |= set(project.lineage(view.name)) if view is not None else set()
    is_sent = bool(answer.maker) or not kinds["sends-no-answer"].isdisjoint(names)
    refusing = kinds["refuses-no-answer"]
    return not is_sent and any(route.framework in refusing for route in served)
