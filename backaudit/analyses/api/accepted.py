"""Work that a handler only hands to a queue, thread or background task: when it answers, nothing of it is done."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.access.changes import Change, changes
from backaudit.backend.web.records import Route
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.operands import made_of
from backaudit.project.summaries import Summary, summary
from backaudit.vocabulary.names import noun_of


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
    """Whether the body asks for the result: ``job.get()``, ``job()``, ``while not job.is_finished``."""
    code = job.code
    later = (call for call in code.nodes(ops.Call) if call.value > job.value)
    loops = (code.node(region.test) for region in code.body.regions if region.kind == "loop" and region.test >= 0)
    return any(_asks_for(call, job) for call in later) or any(_is_made_of(test, job) for test in loops)


def _is_made_of(value: Node, job: Node) -> bool:
    return any(part.value == job.value for part in made_of(value))


def _asks_for(call: Node, job: Node) -> bool:
    receiver = call.receiver
    if receiver is None:
        return call.func is not None and call.func.origin.awaited.value == job.value
    return call.is_call_of("waits-for-a-job") and _is_made_of(receiver, job)


def names_the_job(jobs: tuple[Queued, ...], bodies: list[Node]) -> bool:
    """Whether an answer tells by which name the work can be asked for."""
    told = {job.node for job in jobs if job.is_job}
    return any(part in told for body in bodies for part in made_of(body))


def is_all(project: Project, route: Route, jobs: tuple[Queued, ...], bodies: list[Node]) -> bool:
    """Whether queueing is all that a route does: it changes nothing else, and shows nothing that it looked up.

    A row that stands for the work, and that the work is given, belongs to it.
    """
    handler = route.handler
    queueing = {job.node for job in jobs}
    given = {part for job in jobs for part in _told(job.node)}
    own: set[Node] = set()
    for change in changes(project, handler):
        row = {change.node, *(made for made in map(_origin, change.node.args()) if made.call is not None)}
        stands_for_it = change.how == "insert" and change.node not in queueing and not given.isdisjoint(row)
        if not stands_for_it or names_what_is_made(route, change):
            return False
        own |= row
    calls = [call for body in bodies for call in _calls(body)]
    is_shown = all(body.code == handler for body in bodies)
    return is_shown and not any(call not in own and _computes(project, call) for call in calls)


def _origin(node: Node) -> Node:
    return node.origin


def _told(call: Node) -> Iterator[Node]:
    """What the work is given."""
    for argument in (*call.args(), *call.keywords().values()):
        yield from made_of(argument)


def names_what_is_made(route: Route, change: Change) -> bool:
    """Whether the path says that it is this that is made: then the row is what was asked for, and not the work."""
    parts = [part for part in route.path.split("/") if part and "{" not in part]
    return bool(parts) and noun_of(parts[-1]) == noun_of(change.name)


def _calls(body: Node) -> Iterator[Node]:
    return (part for part in made_of(body) if isinstance(part.op, ops.Call))


def _computes(project: Project, call: Node) -> bool:
    kinds = project.models.kinds
    names = project.names(call.func) if call.func is not None else ()
    is_fresh = not (kinds["clocks"] | kinds["random-texts"]).isdisjoint(names)
    is_answer = any(name in project.models.responses for name in names)
    return not is_fresh and not is_answer and not call.is_call_of("rewrites-a-value")
