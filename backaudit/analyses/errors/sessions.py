"""Keys that a visitor's session may not have, read as if it did."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.missing_keys import is_key_known
from backaudit.analyses.errors.requests import showing
from backaudit.backend.access.guards import steps
from backaudit.backend.web.catching import escapes
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import by_handler
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.rule import Finding, assume

_RAISED = "builtins.KeyError"
_UNGUARDED = assume("guard", "nothing that runs before has turned away who has no session")


def findings(project: Project) -> Iterator[Finding]:
    """The first key of the session that each unguarded handler reads without having asked for it, uncaught."""
    for code in project.once(by_handler):
        if code.file.role == "production" and code.function.kind == "function" and not _is_guarded(project, code):
            node = next((node for node in code.nodes(ops.Item) if _may_be_absent(project, node)), None)
            if node is not None:
                yield _finding(project, node)


def _is_guarded(project: Project, code: Code) -> bool:
    return any(
        set(step.kinds) - {"rate-limit"} for route in project.once(by_handler)[code] for step in steps(project, route)
    )


def _may_be_absent(project: Project, node: Node) -> bool:
    op = node.op
    key = node.to(op.key).text if isinstance(op, ops.Item) else None
    base = node.to(op.base) if isinstance(op, ops.Item) else None
    if key is None or base is None or project.models.kinds["visitors-session"].isdisjoint(request_names(project, base)):
        return False
    return not is_key_known(node, base, key) and escapes(project, node, (_RAISED,)) is not None


def _finding(project: Project, node: Node) -> Finding:
    return Finding(
        place=node.place.first_line(),
        message=f"`{node.spelled}` raises KeyError for a visitor whose session is new or has ended: a 500, not a 401.",
        assumed=_UNGUARDED,
        shown="strict",
        request=showing(project, node, (), raises=_RAISED, wanted=(401,)),
    )
