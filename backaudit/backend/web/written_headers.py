"""Headers that code writes by their names, whatever they are sent with."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.code import SERVING


def bodies_with(project: Project, *names: str) -> Iterator[Code]:
    """The serving bodies that have one of these headers' names as a text; ``names`` in small letters, of the kind
    ``deciding-headers``.
    """
    found = project.once(_bodies_by_header)
    yield from dict.fromkeys(code for name in names for code in found.get(name, ()))


def _bodies_by_header(project: Project) -> dict[str, list[Code]]:
    known = project.models.kinds["deciding-headers"]
    found: dict[str, list[Code]] = {}
    for path in sorted(project.files):
        file = project.files[path]
        for code in file.bodies if file.role in SERVING else ():
            for name in known.intersection(_texts(code)):
                found.setdefault(name, []).append(code)
    return found


def _texts(code: Code) -> Iterator[str]:
    constants = (op.value for op in code.ops if isinstance(op, ops.Const))
    return (value.lower() for value in constants if isinstance(value, str))


def set_headers(code: Code) -> Iterator[tuple[Node, str, Node]]:
    """Where a body sets what may be a header, its name in small letters, and its value.

    An item that is set (``answer.headers["Location"] = target``), a call of what sets one, or of what sets several.
    """
    for node in code.nodes(ops.SetItem):
        op = node.op
        if isinstance(op, ops.SetItem):
            yield node, _name(node.to(op.key)), node.to(op.value)
    for call in code.nodes(ops.Call):
        given = call.args()
        if len(given) >= 2 and call.is_call_of("header-setters"):
            yield call, _name(given[0]), given[1]
        elif given and call.is_call_of("header-updates"):
            yield from ((value, _name(name), value) for name, value in given[0].origin.entries())


def header_among(display: Node, name: str) -> Node | None:
    """The value of a header in a dict of them that is written out; ``name`` in small letters."""
    return next((value for key, value in display.entries() if _name(key) == name), None)


def _name(node: Node) -> str:
    return (node.text or "").lower()
