"""Where an answer leads the browser by a header that is written by hand (``{"Location": target}``)."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.sinks import Flow, Flows, Sink
from backaudit.backend.web.responses import answers
from backaudit.backend.web.statuses import told
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.project.operands import made_of

_HEADER = "location"
_REDIRECTS = range(300, 400)


def written_locations(project: Project) -> Iterator[Flow]:
    """Client input in the ``Location`` of an answer whose status is one of a redirect."""
    flows = Flows(project, "redirect")
    for file in project.files.values():
        for index in range(len(file.facts.functions)) if file.role == "production" else ():
            for at, target in _written(project, file.code(index)):
                flow = flows.into(Sink(at, target, "header"))
                if flow is not None:
                    yield flow


def _written(project: Project, code: Code) -> Iterator[tuple[Node, Node]]:
    """The statement that answers, or that sets the header, and what the header says."""
    displays = {node: target for node in code.nodes(ops.Build) if (target := _listed(node)) is not None}
    for answer in answers(project, code) if displays else ():
        if answer.status in _REDIRECTS:
            yield from ((answer.node, displays[made]) for made in made_of(answer.node) if made in displays)
    settings = [*_by_item(code), *_by_call(code)]
    if settings and _redirects(project, code):
        yield from settings
    yield from _asked_for(project, code)


def _asked_for(project: Project, code: Code) -> Iterator[tuple[Node, Node]]:
    """What a method returns that a framework's view asks where to go (``get_success_url``)."""
    asked = project.models.kinds["redirect-targets"]
    if code.cls is not None and code.function.name in asked:
        known = project.models.kinds["view-classes"]
        ends = code.nodes(ops.Return) if not known.isdisjoint(project.lineage(code.cls.name)) else ()
        yield from ((end, given) for end in ends if (given := _given_back(end)) is not None)


def _given_back(end: Node) -> Node | None:
    op = end.op
    return end.to(op.value) if isinstance(op, ops.Return) and op.value != NONE else None


def _listed(display: Node) -> Node | None:
    """The target in a dict of headers."""
    return next((value for key, value in display.entries() if _is_location(key)), None)


def _is_location(key: Node | None) -> bool:
    return key is not None and (key.text or "").lower() == _HEADER


def _by_item(code: Code) -> Iterator[tuple[Node, Node]]:
    """``response.headers["Location"] = target``."""
    for node in code.nodes(ops.SetItem):
        op = node.op
        if isinstance(op, ops.SetItem) and _is_location(node.to(op.key)):
            yield node, node.to(op.value)


def _by_call(code: Code) -> Iterator[tuple[Node, Node]]:
    """``response.set_header("Location", target)``."""
    for call in code.calls_of(*code.project.models.kinds["header-setters"]):
        target = call.arg(1)
        if target is not None and _is_location(call.arg(0)):
            yield call, target


def _redirects(project: Project, code: Code) -> bool:
    """Whether a body says the status of a redirect somewhere."""
    stated = [answer.status for answer in answers(project, code)]
    return any(status in _REDIRECTS for status in (*stated, *(status.const for _, status in told(project, code))))
