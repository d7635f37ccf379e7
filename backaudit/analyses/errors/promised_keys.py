"""Keys that are surely in what a client sent: a form over it was valid, or whoever calls has asked for them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.missing import alike
from backaudit.backend.web.inputs.mappings import schema_named
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.holding import conditions
from backaudit.project.nodes import Access


def in_valid_form(node: Node, base: Node, key: str) -> bool:
    """Whether ``node`` is only reached with a form valid that is filled from ``base`` and requires the key."""
    code = node.code
    for value, truth in conditions(code, node.value):
        call = code.node(value).awaited
        form = call.receiver if truth and call.is_call_of("form-validations") else None
        if form is not None and _is_filled_from(form.origin, base) and _requires(code.project, form.origin, key):
            return True
    return False


def _is_filled_from(form: Node, base: Node) -> bool:
    given = [*form.args(), *form.keywords().values()]
    project = form.code.project
    if not given:
        own = project.models.kinds["forms-of-the-request"]
        return any(not own.isdisjoint(project.lineage(name)) for name in project.types(form))
    return any(alike(form.code, one.value, base.value) for one in given)


def _requires(project: Project, form: Node, key: str) -> bool:
    known = project.models.words["required-fields"]
    if any(key in known[name].split() for name in _classes(project, form) if name in known):
        return True
    schemas = (schema_named(project, name) for name in project.types(form))
    fields = (schema.field(key) for schema in schemas if schema is not None)
    return any(field is not None and not field.optional for field in fields)


def _classes(project: Project, form: Node) -> Iterator[str]:
    for name in project.types(form):
        yield from project.lineage(name)


def in_callers_words(call: Node, callee: Code, base: Node) -> Iterator[Node]:
    """What ``base`` of the callee is where it is called: ``request.POST`` of the request that is handed over."""
    root, path = callee.root(base.value)
    op = callee.ops[root]
    given = call.code.project.argument(call, callee, op.index) if isinstance(op, ops.Param) else None
    if given is None or given.code is not call.code:
        return
    outer, before = call.code.root(given.value)
    yield from _values_at(call.code, outer, (*before, *path))


def _values_at(code: Code, root: int, path: Access) -> Iterator[Node]:
    for node in (*code.nodes(ops.Attr), *code.nodes(ops.Item)):
        if code.root(node.value) == (root, path):
            yield node


__all__ = ["in_callers_words", "in_valid_form"]
