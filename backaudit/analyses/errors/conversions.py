"""Conversions of what a client sent that can raise, and are caught by nobody."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.callers import unasked_by
from backaudit.analyses.errors.parsed_before import is_parsed_before
from backaudit.analyses.errors.requests import Wish, showing, wrong
from backaudit.analyses.errors.senders import unread as by_role
from backaudit.analyses.errors.vouched import is_vouched
from backaudit.backend.web.catching import ending, entry_of, escapes
from backaudit.backend.web.request_names import request_names
from backaudit.facts import ops
from backaudit.flow.client import client_origin
from backaudit.flow.trace import Origin
from backaudit.project import Node, Project
from backaudit.rule import KNOWN, Assumed, Finding, Step


def findings(project: Project) -> Iterator[Finding]:
    """Each conversion that can raise on what a client sent, uncaught."""
    yield from _conversions(project)
    yield from _decodings(project)


def _conversions(project: Project) -> Iterator[Finding]:
    lookups = project.models.kinds["raising-lookups"]
    elsewhere = lookups | project.models.kinds["takes-a-body"] | set(project.models.sinks["url"])
    raises = {name: found for name, found in project.models.raises.items() if name not in elsewhere}
    for call in project.calls(*sorted(raises)):
        names = project.names(call.func) if call.func is not None else ()
        exceptions = next((raises[name] for name in names if name in raises), ())
        if call.code.file.role != "production" or not exceptions:
            continue
        argument = call.arg(0) or next((given for given in call.args() if client_origin(project, given)), None)
        path = escapes(project, call, exceptions[:1])
        if path is None:
            continue
        if argument is None:
            entry = path[-1].code if path else call.code
            if "Request" in " ".join(names) and not is_parsed_before(project, entry):
                broken = (Wish("malformed", "body"),)
                yield unread(call, f"`{call.method}()` raises on a malformed body", None, exceptions, path, broken)
            continue
        origin = client_origin(project, argument, texts=True)
        if origin is not None and not is_vouched(project, argument, call):
            what = f"`{call.method}()` raises on what it cannot read"
            yield unread(call, what, origin, exceptions, path, wrong(project, "malformed", argument))


def _decodings(project: Project) -> Iterator[Finding]:
    """``request.get_data().decode()``: bytes that are no text."""
    raised = ("builtins.UnicodeDecodeError",)
    for call in project.calls_of("decode"):
        receiver = call.receiver
        lenient = call.arg(1, "errors")
        if receiver is None or lenient is not None or call.code.file.role != "production":
            continue
        if project.models.kinds["raw-bodies"].isdisjoint(request_names(project, _awaited(receiver))):
            continue
        path = escapes(project, call, raised)
        if path is not None:
            origin = client_origin(project, receiver)
            yield unread(call, f"`{call.method}()` raises on what is no text", origin, raised, path, ())


def _awaited(node: Node) -> Node:
    op = node.origin.op
    return node.origin.to(op.value).origin if isinstance(op, ops.Await) else node.origin


def unread(
    call: Node,
    what: str,
    origin: Origin | None,
    exceptions: tuple[str, ...],
    path: tuple[Node, ...],
    wishes: tuple[Wish, ...],
) -> Finding:
    """What is told of a text that cannot be read as it is."""
    name = exceptions[0].rpartition(".")[2]
    steps = origin.steps if origin is not None else ()
    end = ending(call.code.project, call, path, "the client's mistake ends as a 500")
    return Finding(
        place=call.place.first_line(),
        message=f"{what} ({name}), and no one catches it: {end}.",
        assumed=unasked_by(path) + _sender(call, origin, path),
        trace=(*steps, Step(call.place.first_line(), f"is converted here, or raises {name}")),
        request=showing(call.code.project, call, path, wishes, raises=name),
    )


def _sender(call: Node, origin: Origin | None, path: tuple[Node, ...]) -> Assumed:
    return by_role(call.code.project, origin.node, entry_of(call, path)) if origin is not None else KNOWN
