"""Flows as findings: what all injection rules say alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from backaudit.analyses.validation.sinks import Flow, flows
from backaudit.project import Project
from backaudit.project.code import first_line
from backaudit.rule import Confidence, Finding


def injections(
    project: Project,
    kind: str,
    *more: str,
    becomes: str,
    happens: str,
    judge: Callable[[Flow], Confidence | None] = lambda flow: "high",
) -> Iterator[Finding]:
    """A finding per sink of these kinds that client input reaches.

    ``becomes``: what the input turns into, said of it (``part of a command line``); ``happens``: the last step.
    ``judge``: how sure a flow is, None for no finding.
    """
    for flow in flows(project, kind, *more):
        confidence = judge(flow)
        if confidence is not None:
            yield finding(flow, becomes, happens, confidence)


def finding(flow: Flow, becomes: str, happens: str, confidence: Confidence = "high") -> Finding:
    """One flow as a finding at its sink."""
    what = flow.origin.what
    called = f" in `{flow.sink.spelled}`" if flow.sink.spelled else ""
    return Finding(
        place=first_line(flow.sink.place),
        message=f"{what[0].upper()}{what[1:]} and becomes {becomes}{called}.",
        confidence=sureness(flow, confidence),
        trace=flow.trace(happens),
    )


def sureness(flow: Flow, confidence: Confidence = "high") -> Confidence:
    """How sure a flow is by its weakest step: a check that was not understood, a row in a table in between."""
    if flow.doubts:
        return "low"
    return "medium" if confidence == "high" and flow.origin.stored else confidence
