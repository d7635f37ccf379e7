"""What a body does beside reading and writing rows: to files, processes and whole stores, itself or by its helpers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from backaudit.backend.web.responses import answers
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.locate import argument_of, strings
from backaudit.project.operands import operands, same
from backaudit.project.summaries import Summary, by_calls, summary
from backaudit.vocabulary.meaning import meaning

_PREFIX = "acts:"
_DELETES = "deletes files"
_WRITES = frozenset("wax+")
_LOG = meaning("passwords", "log-owner")


class Act(msgspec.Struct, frozen=True):
    """A call that acts, in the body asked about; ``does`` says what, as in "writes files"."""

    node: Node
    does: str


def acts(project: Project, code: Code) -> tuple[Act, ...]:
    """The acts of a body and of the project's functions that it calls, as calls in that body."""
    return project.once(_summary).ask(code)


def _summary(project: Project) -> Summary[Act]:
    return summary(project, lambda code: _acts(project, code))


def _acts(project: Project, code: Code) -> Iterator[Act]:
    def own(call: Node) -> Act | None:
        does = _deed(project, call)
        cleans_up = does == _DELETES and _made_itself(call)
        return Act(call, "" if cleans_up else does) if does else None

    def inner(call: Node, callee: Code) -> Iterator[Act]:
        return (Act(call, act.does) for act in acts(project, callee)[:1])

    return filter(lambda act: act.does, by_calls(code, own, inner))


def _deed(project: Project, call: Node) -> str:
    """What a library's call does to the world, empty for nothing."""
    if call.func is None:
        return ""
    known = project.once(_known)
    anyones = (f"*.{call.method}",) if call.receiver is not None else ()
    does = next((known[name] for name in (*project.names(call.func), *anyones) if name in known), "")
    opens = call.method == "open" and _opens_for_writing(call)
    return does or ("writes files" if opens else "")


def _made_itself(call: Node) -> bool:
    """Whether a body deletes a file that it has made itself: its lock, or what it keeps for a while."""
    file = _file_of(call)
    if file is None:
        return False
    makers = call.code.project.models.kinds["makes-files"]
    others = (other for other in call.code.nodes(ops.Call) if other.value < call.value)
    makes = (_file_of(other) for other in others if other.method in makers)
    return any(other is not None and same(call.code, other.value, file.value) for other in makes)


def _file_of(call: Node) -> Node | None:
    """The path that a call is about: its receiver, if it is one, or its first argument."""
    receiver, first = call.receiver, call.arg(0)
    if receiver is not None and not isinstance(receiver.origin.op, (ops.Import, ops.Name)):
        return receiver
    return first


def _known(project: Project) -> Mapping[str, str]:
    groups = project.models.kinds.items()
    return {name: kind.removeprefix(_PREFIX) for kind, names in groups if kind.startswith(_PREFIX) for name in names}


def _opens_for_writing(call: Node) -> bool:
    of_path = call.receiver is not None and call.func is not None and "pathlib" in " ".join(call.func.spelled.split())
    mode = call.arg(0 if of_path else 1, "mode")
    return mode is not None and bool(_WRITES & set(mode.text or ""))


def insides_shown(project: Project, code: Code) -> Node | None:
    """The environment, the configuration or a log of the server that a body answers with as a whole."""
    known = project.models.kinds["insides"]
    for answer in answers(project, code):
        for body in answer.body:
            for part in operands(body):
                if _is_whole(project, part, known) or _is_log(project, part):
                    return part
    return None


def _is_log(project: Project, node: Node) -> bool:
    """Whether a call opens, or sends, a log file whose name the code gives."""
    func = node.func if isinstance(node.op, ops.Call) else None
    table = project.models.sinks["path"]
    named = [name for name in project.names(func) if name in table] if func is not None else []
    for path in (argument_of(node, which) for name in named for which in table[name]):
        inner = path.origin.arg(0) if path is not None else None
        if any(_LOG.holds(text) for text in (*strings(project, path), *strings(project, inner))):
            return True
    return False


def _is_whole(project: Project, node: Node, known: frozenset[str]) -> bool:
    """Whether a value is all of such an object, not one entry of it."""
    if not isinstance(node.op, ops.Call):
        return False
    receiver = node.receiver
    given = [*node.args(), *([receiver] if receiver is not None and node.is_call_of("gives-whole") else [])]
    inside = any(not known.isdisjoint({*project.names(arg), *project.names(arg.origin)}) for arg in given)
    return inside and node.is_call_of("gives-whole")
