"""Keys of a request that a form or serializer has asked for before: without them nobody comes further."""

from __future__ import annotations

from backaudit.backend.access.missing import asked
from backaudit.backend.web.inputs.classes import schema_of
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import truth


def is_required_before(project: Project, node: Node, key: str) -> bool:
    """Whether the body of ``node`` had a schema put to the request before that lets nobody leave ``key`` out."""
    before = map(node.code.node, node.code.before(node.value, ops.Call))
    validations = filter(_validates, before)
    return any(_refuses(project, call, node) and _requires(project, call, key) for call in validations)


def _validates(call: Node) -> bool:
    return call.is_call_of("form-validations")


def _refuses(project: Project, call: Node, node: Node) -> bool:
    """Whether who is not valid does not come to ``node``."""
    return truth(project, call.arg(None, "raise_exception")) or asked(node.code, call.value, node.value)


def _requires(project: Project, call: Node, key: str) -> bool:
    receiver = call.receiver
    if receiver is None or _is_partial(receiver):
        return False
    if _is_of_library(project, receiver, key):
        return True
    for cls in project.instances(receiver):
        made = schema_of(project, cls)
        field = made.field(key) if made is not None else None
        if field is not None and not (field.optional or field.omitted or field.read_only):
            return True
    return False


def _is_of_library(project: Project, form: Node, key: str) -> bool:
    """Whether a library's own form asks for the key."""
    known = project.models.words["required-fields"]
    owners = (owner for name in project.types(form) for owner in project.lineage(name))
    return any(key in known[owner].split() for owner in owners if owner in known)


def _is_partial(receiver: Node) -> bool:
    made = receiver.origin
    return made.call is not None and truth(made.code.project, made.arg(None, "partial"))
