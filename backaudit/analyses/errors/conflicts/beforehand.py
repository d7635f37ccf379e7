"""Whether somebody has asked, before a row is stored, what the constraint asks: is the value free, is the row there?"""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.conflicts.writes import Write, client
from backaudit.backend.access.missing import alike, asked, chain, none_giving, tests
from backaudit.backend.access.tables import fetched_table
from backaudit.backend.web.inputs.applied import applied_to
from backaudit.backend.web.inputs.validators import validators
from backaudit.backend.web.routes import by_handler
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.operands import made_of


def is_asked(project: Project, write: Write, path: tuple[Node, ...]) -> bool:
    """Whether the bodies that make and store the row, or those on the way to them, have looked the value up."""
    entry = path[-1].code if path else write.node.code
    if _asked_of(project, write.made, [write.value], write) or _is_validated(project, write, entry):
        return True
    if write.made.code is write.node.code:
        if _asked_of(project, write.node, [write.value], write):
            return True
    elif write.row is not None and _asked_of(project, write.node, [*_handed(project, write.row)], write):
        return True
    return any(_asked_of(project, call, [*_handed(project, call)], write) for call in path)


def is_asked_of_some(project: Project, write: Write) -> bool:
    """Whether the body asks for the value among some of the rows alone, the caller's own: another's may collide yet."""
    named = write.asked_by - {"id", "pk"}
    for value in write.made.code.before(write.made.value, ops.Call):
        call = write.made.code.node(value)
        columns = set(_columns(call)) if _looks_into(project, call, write) else set()
        if columns & named and not columns <= write.asked_by:
            return True
    return False


def _is_validated(project: Project, write: Write, entry: Code) -> bool:
    """Whether the form that makes the row, or a schema of the request, has a validator that looks into the table."""
    forms = [write.made.code.cls] if write.made.code.cls is not None else []
    applied = (one for route in project.once(by_handler).get(entry, ()) for one in applied_to(project, route))
    schemas = [cls for one in applied if (cls := project.class_named(one.schema.name)) is not None]
    judging = (code for cls in (*forms, *schemas) for code in validators(project, cls))
    return any(_looks_into(project, call, write) for code in judging for call in code.nodes(ops.Call))


def _looks_into(project: Project, call: Node, write: Write) -> bool:
    table = (
        fetched_table(project, call) if call.is_call_of("existence-questions") or call.is_call_of("lookups") else None
    )
    return table is not None and table.name == write.table.name


def _handed(project: Project, call: Node) -> Iterator[Node]:
    """What of a client's a call is given, or the functions of the project that make its arguments."""
    for argument in call.args():
        made = argument.origin.call is not None and project.callees(argument.origin)
        given = [argument, *(argument.origin.args() if made else [])]
        yield from (one for one in given if client(project, one) is not None)


def _asked_of(project: Project, use: Node, values: list[Node], write: Write) -> bool:
    """Whether a body has asked for one of the values before ``use``."""
    code, found = use.code, project.once(none_giving)
    for value in code.before(use.value, ops.Call):
        node = code.node(value)
        if _answers_none(project, node, use) and _concerns(code, node, values):
            return True
        if _tells_whether(project, node) and asked(code, value, use.value) and _concerns(code, node, values):
            return True
        if not isinstance(node.op, ops.Call) or (node not in found and not node.is_call_of("existence-questions")):
            continue
        if node in found and not asked(code, value, use.value):
            continue
        if _is_about(project, write, node, found.get(node, node)) and _concerns(code, node, values):
            return True
    return False


def _answers_none(project: Project, call: Node, use: Node) -> bool:
    """Whether what a function of the project gives is held against None before: it is a look-up, however it is made."""
    known = project.once(none_giving)
    if call in known or not isinstance(call.op, ops.Call) or not project.callees(call):
        return False
    compared = (part for test in tests(call.code, use.value) for part in made_of(call.code.node(test)))
    return any(_is_none_test(part, call) for part in compared)


def _tells_whether(project: Project, call: Node) -> bool:
    """Whether a function of the project says yes or no to whether there is a row: ``return found is None``."""
    bodies = project.callees(call) if isinstance(call.op, ops.Call) else ()
    returned = [value.awaited for code in bodies for value in code.returned()]
    return bool(returned) and all(_is_yes_or_no(project, value) for value in returned)


def _is_yes_or_no(project: Project, value: Node) -> bool:
    op = value.op
    if value.is_call_of("existence-questions"):
        return True
    inner = value.to(op.value) if isinstance(op, ops.Unary) else value.arg(0) if value.method == "bool" else None
    if isinstance(op, ops.Compare) and value.to(op.right).is_none:
        inner = value.to(op.left)
    return inner is not None and inner.awaited in project.once(none_giving)


def _is_none_test(part: Node, call: Node) -> bool:
    op = part.op
    return isinstance(op, ops.Compare) and part.to(op.right).is_none and alike(part.code, op.left, call.value)


def _is_about(project: Project, write: Write, node: Node, lookup: Node) -> bool:
    """Whether a look-up answers what the constraint asks: of a unique column by it alone, since all of its rows count;
    of a reference by the table that it leads to.
    """
    table = fetched_table(project, lookup) or (fetched_table(project, node) if node != lookup else None)
    if not write.unique:
        return table is None or not write.refers_to or table.name.lower() == write.refers_to
    if table is not None and table.name != write.table.name:
        return False
    return {*_columns(node), *_columns(lookup)} <= write.asked_by


def _concerns(code: Code, lookup: Node, values: list[Node]) -> bool:
    """Whether a look-up asks for one of the values, or for a part of the same thing."""
    given = [part for link in chain(lookup) for argument in link.args() for part in _inside(argument)]
    chosen = [value for value in values if not isinstance(value.origin.op, ops.Const)]
    wanted = [part for value in chosen for part in _inside(value)]
    return any(alike(code, one.value, two.value) or _same_root(one, two) for one in given for two in wanted)


def _same_root(one: Node, two: Node) -> bool:
    """``body.email`` or ``body["email"]`` against ``body`` spread out."""
    op = one.origin.op
    return isinstance(op, (ops.Attr, ops.Item)) and alike(one.code, op.base, two.value)


def _inside(node: Node) -> Iterator[Node]:
    op = node.origin.op
    if isinstance(op, ops.Compare):
        yield node.to(op.right)
    elif isinstance(op, ops.Call) and node.method in (
        "dict",
        "model_dump",
        "lower",
        "strip",
        "vars",
        "jsonable_encoder",
    ):
        yield node.receiver or node.arg(0) or node
    else:
        yield node


def _columns(call: Node) -> Iterator[str]:
    """The columns by which a look-up asks."""
    for link in chain(call):
        if link.method in ("filter", "filter_by", "where", "get", "aget", "exclude", "get_or_404", "get_object_or_404"):
            yield from (name.partition("__")[0].lower() for name in link.keywords())
            for argument in link.args():
                op = argument.origin.op
                left = argument.to(op.left).op if isinstance(op, ops.Compare) else None
                if isinstance(left, ops.Attr):
                    yield left.name.lower()
