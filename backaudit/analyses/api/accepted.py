"""Work that a handler only hands to a queue, thread or background task: when it answers, nothing of it is done."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.operands import made_of
from backaudit.project.summaries import Summary, summary


class Queued(msgspec.Struct, frozen=True):
    """A call that queues work, in the body asked about; ``is_job``: whether it gives what the queue calls the work."""

    node: Node
    is_job: bool


def queued(project: Project, code: Code) -> tuple[Queued, ...]:
    """What a body queues, itself or by the project's functions that it calls, unless it waits for the result."""
    return project.once(_summary).ask(code)


def _summary(project: Project) -> Summary[Queued]:
    return summary(project, lambda code: _queued(project, code))


def _queued(project: Project, code: Code) -> Iterator[Queued]:
    for call in code.nodes(ops.Call):
        if _queues(project, call):
            found = [Queued(call, True)]
        else:
            callees = (callee for callee in project.callees(call) if callee != code)
            found = [_by_helper(call, callee, one) for callee in callees for one in queued(project, callee)]
        yield from (one for one in found[:1] if not _is_waited_for(one.node))


def _queues(project: Project, call: Node) -> bool:
    if call.func is None:
        return False
    known = project.models.kinds["queues-work"]
    return not known.isdisjoint(project.names(call.func)) or any(map(_is_task, project.callees(call)))


def _is_task(code: Code) -> bool:
    """Whether a plain call of a function only puts it into the queue."""
    tasks = code.project.models.kinds["called-is-enqueued"]
    return any(not tasks.isdisjoint(code.project.names(one.func or one)) for one in code.decorators)


def _by_helper(call: Node, helper: Code, inner: Queued) -> Queued:
    given = any(part.value == inner.node.value for node in helper.returned() for part in made_of(node))
    return Queued(call, inner.is_job and given)


def _is_waited_for(job: Node) -> bool:
    """Whether the body asks for the result: ``job.get()``, ``job()``."""
    later = (call for call in job.code.nodes(ops.Call) if call.value > job.value)
    return any(_asks_for(call, job) for call in later)


def _asks_for(call: Node, job: Node) -> bool:
    receiver = call.receiver
    if receiver is None:
        return call.func is not None and call.func.origin.awaited.value == job.value
    is_asked = call.is_call_of("waits-for-a-job")
    return is_asked and any(part.value == job.value for part in made_of(receiver))


def is_all(project: Project, body: Node) -> bool:
    """Whether an answer holds nothing that was looked up or computed: texts, what came in, a fresh name, the time."""
    calls = (part for part in made_of(body) if isinstance(part.op, ops.Call))
    return not any(_computes(project, call) for call in calls)


def _computes(project: Project, call: Node) -> bool:
    kinds = project.models.kinds
    names = project.names(call.func) if call.func is not None else ()
    is_fresh = not (kinds["clocks"] | kinds["random-texts"]).isdisjoint(names)
    is_answer = any(name in project.models.responses for name in names)
    return not is_fresh and not is_answer and not call.is_call_of("rewrites-a-value")


def names_the_job(jobs: tuple[Queued, ...], body: Node) -> bool:
    """Whether an answer tells by which name the work can be asked for."""
    told = {job.node.value for job in jobs if job.is_job}
    return any(part.value in told for part in made_of(body))
