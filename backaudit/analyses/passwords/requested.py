"""Whole parts of a request (the form, the body, the query) that bring a password with them."""

from __future__ import annotations

from backaudit.analyses.passwords.omitted import reads_password
from backaudit.backend.web.inputs.reads import checked_data
from backaudit.backend.web.reads import part_read
from backaudit.backend.web.records import CLIENT
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.vocabulary.names import means_password

# So many functions a part is followed through to whoever takes the password out of it.
_DEPTH = 3


def brings_password(project: Project, part: Node) -> bool:
    """Whether a password is taken out of such a part: by the same body, by what it is handed to, or by a schema."""
    if reads_password(part.code):
        return True
    where = part_read(project, part)
    for call in part.code.nodes(ops.Call):
        for argument in (*call.args(), *_spread(call)):
            same = argument.origin == part.origin or (where in CLIENT and part_read(project, argument) == where)
            if same and _takes(project, call, argument, 0):
                return True
    return False


def _spread(call: Node) -> list[Node]:
    op = call.call
    return [call.origin.to(value) for value in op.dstar] if op is not None else []


def _takes(project: Project, call: Node, argument: Node, depth: int) -> bool:
    """Whether what a call is given has its password read, by a schema or by the project's own function."""
    if any(means_password(name) for cls in _made(project, call) for name in cls):
        return True
    if argument in _spread(call):
        return call.method == "create_user"
    for code in () if project.gives_up(depth, _DEPTH, call.place) else project.callees(call):
        for index in range(len(code.function.params)):
            given = project.argument(call, code, index)
            if given is not None and given.origin == argument.origin and _reads_given(project, code, index, depth):
                return True
    return False


def _taken(call: Node) -> tuple[Node, str | None] | None:
    """The mapping and the key of ``data.get("password")`` and ``data.pop("password")``."""
    given = call.call.args if call.call is not None and call.method in ("get", "pop") else ()
    receiver = call.receiver
    return (receiver, call.to(given[0]).text) if given and receiver is not None else None


def _made(project: Project, call: Node) -> list[frozenset[str]]:
    """The fields of the classes that a call makes an object of."""
    classes = project.denoted_classes(call.func) if call.func is not None else ()
    return [frozenset(view.fields) for cls in classes for view in project.lineage_views(cls.name)]


def _reads_given(project: Project, code: Code, index: int, depth: int) -> bool:
    """Whether a function takes a password out of a parameter, or hands that on to one that does."""
    for node in map(code.node, range(len(code.ops))):
        op = node.op
        if isinstance(op, ops.Item):
            base, key = node.to(op.base), node.to(op.key).text
        elif (taken := _taken(node)) is not None:
            base, key = taken
        else:
            continue
        if key is not None and means_password(key) and _is_param(base, index):
            return True
    for call in code.nodes(ops.Call):
        given = (argument for argument in call.args() if _is_param(argument, index))
        if any(_takes(project, call, argument, depth + 1) for argument in given):
            return True
    return False


def _is_param(node: Node, index: int) -> bool:
    op = node.origin.op
    return isinstance(op, ops.Param) and op.index == index


def checked_password(project: Project, node: Node) -> str | None:
    """The password field of the form or serializer whose checked values a value holds."""
    cls = checked_data(project, node)
    for view in project.lineage_views(cls.name) if cls is not None else ():
        name = next(filter(means_password, view.fields), None)
        if name is not None:
            return name
    return None
