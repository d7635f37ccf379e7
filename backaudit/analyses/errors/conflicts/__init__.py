"""Writes that a constraint of the table can refuse, and nobody expects it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.errors.conflicts.beforehand import is_asked, is_asked_of_some
from backaudit.analyses.errors.conflicts.changed import changed_rows
from backaudit.analyses.errors.conflicts.combined import combinations
from backaudit.analyses.errors.conflicts.enforced import holds_keys
from backaudit.analyses.errors.conflicts.removals import generic_removals, refused_removals
from backaudit.analyses.errors.conflicts.rows import constructions, written_rows
from backaudit.analyses.errors.conflicts.statements import statements
from backaudit.analyses.errors.conflicts.unset import nullable_fields, unset_columns
from backaudit.analyses.errors.conflicts.writes import Write, exception_told, refused_by
from backaudit.analyses.errors.requests import Asked, Wish, showing, wrong
from backaudit.backend.web.catching import ending, escapes
from backaudit.facts import ops
from backaudit.facts.requests import Request
from backaudit.project import Node, Project
from backaudit.rule import KNOWN, Assumed, Finding, Step, assume

# What holds a form's, or a serializer's, checked values.
_HOLDERS = frozenset({"cleaned_data", "validated_data"})


def findings(project: Project) -> Iterator[Finding]:
    """Each write, and each removal, that a constraint can refuse, neither asked for before nor caught."""
    told: set[Node] = set()
    for write in (*written_rows(project), *changed_rows(project), *statements(project), *combinations(project)):
        path = escapes(project, write.node, refused_by(project)) if write.node not in told else None
        if path is None or not _is_held(project, write) or is_asked(project, write, path):
            continue
        told.add(write.node)
        enforced = (
            KNOWN if write.unique else assume("guard", "the database enforces the foreign key, and no form has asked")
        )
        end = ending(project, write.node, path, "a 500")
        yield msgspec.structs.replace(_finding(write, enforced, end), request=_request(project, write, path))
    yield from refused_removals(project)
    yield from generic_removals(project)
    yield from unset_columns(project)
    yield from nullable_fields(project)


def _is_held(project: Project, write: Write) -> bool:
    """Whether nothing has kept the constraint before: neither the database's silence nor a form's own checks."""
    checked = _checked_key(write)
    if write.unique:
        return not _is_checked_unique(project, write, checked)
    found = bool(checked) and not checked.endswith("_id")  # A form has looked the row up by the key that it was sent.
    return holds_keys(project, write.table) and not found


def _checked_key(write: Write) -> str:
    """The key under which a value stands in what a form or serializer has checked; empty if it does not."""
    value = write.value.origin
    op = value.op
    key = value.to(op.key) if isinstance(op, ops.Item) else value.arg(0) if value.method in ("get", "pop") else None
    base = value.to(op.base) if isinstance(op, ops.Item) else value.receiver
    if key is not None and base is not None and _holds_checked(base.origin):
        return key.text or ""
    spread = _holds_checked(write.origin.node)  # All that was checked goes into the row.
    return str((*write.access, write.column)[0]) if spread else ""


def _holds_checked(node: Node) -> bool:
    """Whether a value is what a form has checked, or what a serializer hands to its own step."""
    op = node.op
    if isinstance(op, ops.Param):
        params = node.code.function.params
        return node.code.cls is not None and op.index < len(params) and params[op.index].name in _HOLDERS
    return isinstance(op, ops.Attr) and op.name in _HOLDERS


def _is_checked_unique(project: Project, write: Write, key: str) -> bool:
    """Whether a form or serializer of the model asks itself whether a value is taken: of fields that it made itself."""
    cls = write.origin.node.code.cls or write.value.code.cls
    if cls is None or not key or not project.inherits(cls.name, *project.models.kinds["checks-unique"]):
        return False
    return not any(key in view.fields for view in project.lineage_views(cls.name))


def _request(project: Project, write: Write, path: tuple[Node, ...]) -> Request | None:
    """A new row twice, a row with what another has, or a reference to none; none where it takes two callers."""
    if write.unique and write.fresh:
        if is_asked_of_some(project, write):
            return None
        wishes: tuple[Wish, ...] = (Wish("twice", "other", write.column),)
    else:
        wishes = wrong(project, "taken" if write.unique else "unknown", write.value, write.access)
        asked = Asked(write.table.model, write.column) if write.unique and write.table.model else None
        wishes = tuple(msgspec.structs.replace(wish, row=asked) for wish in wishes)
    wanted = (409,) if write.unique else (404,)
    return showing(project, write.node, path, wishes, raises=exception_told(project), wanted=wanted)


def _finding(write: Write, assumed: Assumed, end: str) -> Finding:
    what = "is unique" if write.unique else "refers to a row"
    return Finding(
        place=write.node.place.first_line(),
        message=f"`{write.table.name}.{write.column}` {what}, the client chooses it, no one catches the error: {end}.",
        assumed=assumed,
        trace=(
            *write.origin.steps,
            Step(write.node.place.first_line(), "is stored, or refused"),
        ),
    )


__all__ = ["constructions", "findings"]
