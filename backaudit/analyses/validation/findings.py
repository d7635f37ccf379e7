"""Flows as findings: what all injection rules say alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from backaudit.analyses.validation.sinks import Flow, flows
from backaudit.evidence import Assumption
from backaudit.facts import ops
from backaudit.project import ClassView, Node, Project
from backaudit.rule import KNOWN, Assumed, Finding, Fix, assume, capitalized


def injections(
    project: Project,
    kind: str,
    *more: str,
    becomes: str,
    happens: str,
    judge: Callable[[Flow], Assumed | None] = lambda flow: KNOWN,
    mend: Callable[[Flow], Iterable[Fix]] = lambda flow: (),
) -> Iterator[Finding]:
    """A finding per sink of these kinds that client input reaches.

    ``becomes``: what the input turns into, said of it (``part of a command line``); ``happens``: the last step.
    ``judge``: what is supposed beside the flow itself, None for no finding. ``mend``: its fixes.
    """
    for flow in flows(project, kind, *more):
        more_assumed = judge(flow)
        if more_assumed is not None:
            found = finding(flow, becomes, happens, more_assumed)
            yield msgspec.structs.replace(found, fixes=tuple(mend(flow)))


def finding(flow: Flow, becomes: str, happens: str, assumed: Assumed = KNOWN) -> Finding:
    """One flow as a finding at its sink."""
    what = flow.origin.what
    called = f" in `{flow.sink.spelled}`" if flow.sink.spelled else ""
    return Finding(
        place=flow.sink.place.first_line(),
        message=f"{capitalized(what)} and becomes {becomes}{called}.",
        assumed=(*assumed_of(flow), *_receiver(flow), *assumed),
        trace=flow.trace(happens),
    )


def _receiver(flow: Flow) -> Assumed:
    """What is supposed of an object that is known by the name of its method alone."""
    receiver = flow.harm.receiver
    own = _derived(receiver) if receiver is not None else None
    if own is not None:
        return assume("guard", f"`{own.cls.name}`, which the project makes of a library's class, does not check it")
    if receiver is None or not flow.name.startswith("*.") or receiver.code.project.types(receiver):
        return KNOWN
    return assume("receiver", f"`{receiver.spelled or 'the object'}` does by `{flow.harm.method}` what others do by it")


def _derived(receiver: Node) -> ClassView | None:
    """The project's own class of an object that is made somewhere to do what a library's does, with more to it."""
    if isinstance(receiver.origin.op, ops.Param):
        return None  # ``self`` in the class itself: a handler that answers
    found = receiver.code.project.instances(receiver)
    return next((cls for cls in found if cls.methods), None)


def _supposed(check: Node) -> str:
    """What is supposed of a check that was not read, or of a collection in which the value was found."""
    if check.call is not None:
        return f"`{check.spelled}` does not make it harmless"
    return f"what `{check.spelled}` holds is not harmless"


def assumed_of(flow: Flow) -> Assumed:
    """What is supposed of a flow: of the checks that were not understood, and of a row in a table in between."""
    unread = [Assumption("guard", _supposed(check)) for check in flow.doubts]
    stored = assume("stored", "what the row holds was put there as it came") if flow.origin.stored else KNOWN
    return (*unread, *stored)
