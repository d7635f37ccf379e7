"""What a body does beside reading and writing rows: to files, processes and whole stores, itself or by its helpers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from backaudit.backend.web.responses import answers
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.operands import operands
from backaudit.project.summaries import Summary, summary

_PREFIX = "acts:"
_WRITES = frozenset("wax+")
_WALK = 9


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
    for call in code.nodes(ops.Call):
        does = _deed(project, call)
        if does:
            yield Act(call, does)
        else:
            for callee in project.callees(call):
                inner = acts(project, callee) if callee != code else ()
                yield from (Act(call, act.does) for act in inner[:1])


def _deed(project: Project, call: Node) -> str:
    """What a library's call does to the world, empty for nothing."""
    if call.func is None:
        return ""
    known = project.once(_known)
    anyones = (f"*.{call.method}",) if call.receiver is not None else ()
    does = next((known[name] for name in (*project.names(call.func), *anyones) if name in known), "")
    opens = call.method == "open" and _opens_for_writing(call)
    return does or ("writes files" if opens else "")


def _known(project: Project) -> Mapping[str, str]:
    groups = project.models.kinds.items()
    return {name: kind.removeprefix(_PREFIX) for kind, names in groups if kind.startswith(_PREFIX) for name in names}


def _opens_for_writing(call: Node) -> bool:
    of_path = call.receiver is not None and call.func is not None and "pathlib" in " ".join(call.func.spelled.split())
    mode = call.arg(0 if of_path else 1, "mode")
    return mode is not None and bool(_WRITES & set(mode.text or ""))


def insides_shown(project: Project, code: Code) -> Node | None:
    """The environment or configuration of the server that a body answers with as a whole."""
    known = project.models.kinds["insides"]
    for answer in answers(project, code):
        for body in answer.body:
            for part in operands(body, _WALK):
                if _is_whole(project, part, known):
                    return part
    return None


def _is_whole(project: Project, node: Node, known: frozenset[str]) -> bool:
    """Whether a value is all of such an object, not one entry of it."""
    if not isinstance(node.op, ops.Call):
        return False
    receiver = node.receiver
    given = [*node.args(), *([receiver] if receiver is not None and node.is_call_of("gives-whole") else [])]
    inside = any(not known.isdisjoint({*project.names(arg), *project.names(arg.origin)}) for arg in given)
    return inside and node.is_call_of("gives-whole")
