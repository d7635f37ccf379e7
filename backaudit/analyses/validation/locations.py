"""Where an answer leads the browser by a header that is written by hand (``{"Location": target}``)."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.sinks import Flow, Flows, Sink
from backaudit.backend.web.responses import answers
from backaudit.backend.web.statuses import told
from backaudit.backend.web.written_headers import bodies_with, header_among, set_headers
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
    if code in project.once(_speaking):
        yield from _by_header(project, code)
    yield from _asked_for(project, code)


def _speaking(project: Project) -> frozenset[Code]:
    return frozenset(bodies_with(project, _HEADER))


def _by_header(project: Project, code: Code) -> Iterator[tuple[Node, Node]]:
    displays = {node: target for node in code.nodes(ops.Build) if (target := header_among(node, _HEADER)) is not None}
    for answer in answers(project, code) if displays else ():
        if answer.status in _REDIRECTS:
            yield from ((answer.node, displays[made]) for made in made_of(answer.node) if made in displays)
    settings = [(at, target) for at, name, target in set_headers(code) if name == _HEADER]
    if settings and _redirects(project, code):
        yield from settings


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


def _redirects(project: Project, code: Code) -> bool:
    """Whether a body says the status of a redirect somewhere."""
    stated = [answer.status for answer in answers(project, code)]
    return any(status in _REDIRECTS for status in (*stated, *(status.const for _, status in told(project, code))))
