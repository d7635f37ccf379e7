"""Values that somebody signed: what a verified token or signature says is who calls, not what the client chose."""

from __future__ import annotations

from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.operands import operands
from backaudit.project.summaries import Summary, summary

_UNVERIFIED = frozenset({"verify_signature", "verify"})


def is_verified(project: Project, node: Node) -> bool:
    """Whether a value is what a call gives that has checked a signature, in the library or in the project's code."""
    if not isinstance(node.op, ops.Call):
        return False
    func = node.func
    names = project.names(func) if func is not None else ()
    if not project.models.kinds["signed-reads"].isdisjoint(names):
        return not _unchecked(node)
    return any(project.once(_summary).ask(code) for code in project.callees(node))


def _summary(project: Project) -> Summary[str]:
    """For each function something, if it returns what a checked signature covers."""
    return summary(project, lambda code: ["checked"] if _gives(project, code) else [])


def _gives(project: Project, code: Code) -> bool:
    parts = (part for value in code.returned() for part in operands(value))
    return any(is_verified(project, part) for part in parts)


def _unchecked(call: Node) -> bool:
    """``options={"verify_signature": False}``, ``verify=False``."""
    given = [*call.keywords().items()]
    options = call.arg(None, "options")
    if options is not None:
        given += [(key.text or "", value) for key, value in options.entries()]
    return any(name in _UNVERIFIED and value.const is False for name, value in given)
