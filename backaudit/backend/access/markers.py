"""Literals in a password's place that only mark that there is none: ``"LDAP"``, ``"__NO_CHANGE__"``.

They are told by what is done with them: the project itself puts the literal where it later compares, or what differs
from it is taken and what equals it is left alone, or it names the way by which somebody is let in instead.
"""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.extract.secrets.names import kind_of_name
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Region
from backaudit.facts.place import Span
from backaudit.project import Code, Node, Project
from backaudit.project.code import SERVING
from backaudit.project.operands import operands

Literals = frozenset[tuple[str, Span]]


def markers(project: Project) -> Literals:
    """The places of the literals that are marks and no passwords. Ask with ``project.once(markers)``."""
    compared: dict[str, list[Node]] = {}
    stored: dict[str, list[Node]] = {}
    found: list[Node] = []
    for code in _bodies(project):
        for test, literal, other in _comparisons(code):
            if _is_part(other) or _keeps_the_rest(test, other):
                found.append(literal)
            elif _is_password(_name(other)):
                compared.setdefault(literal.text or "", []).append(literal)
        for literal, beside in _stored(code):
            stored.setdefault(literal.text or "", []).append(literal)
            if any(_names(value, literal.text or "") for value in beside):
                found.append(literal)
    for text in compared.keys() & stored.keys():
        found += (*compared[text], *stored[text])
    return frozenset((node.code.path, node.at) for node in found)


def _bodies(project: Project) -> Iterator[Code]:
    """The bodies of those files in which a literal stands in a password's place."""
    for path in dict.fromkeys(path for path, hit in project.secrets() if hit.kind == "password"):
        file = project.files.get(path)
        if file is not None and project.role(path) in SERVING:
            yield from file.bodies


def is_marker(project: Project, literal: Node) -> bool:
    """Whether a literal (behind its name) only marks that there is no password."""
    known, found = project.constant(literal), project.once(markers)
    return any((node.code.path, node.at) in found for node in (literal.origin, known) if node is not None)


def _is_password(name: str) -> bool:
    return kind_of_name(name) == "password"


def _comparisons(code: Code) -> Iterator[tuple[Node, Node, Node]]:
    for node in code.nodes(ops.Compare):
        op = node.op
        if isinstance(op, ops.Compare) and op.operator in ("==", "!="):
            for one, other in ((op.left, op.right), (op.right, op.left)):
                literal = node.to(one).origin
                if literal.text is not None and isinstance(literal.op, ops.Const):
                    yield node, literal, node.to(other).origin


def _is_part(other: Node) -> bool:
    """Whether only a part of a text is compared: ``given[:2]``."""
    key = other.to(other.op.key).origin.op if isinstance(other.op, ops.Item) else None
    return isinstance(key, ops.Build) and key.kind == "slice"


def _keeps_the_rest(test: Node, other: Node) -> bool:
    """Whether a value that differs is taken, and one that equals is left alone: ``if given != MARK: row.x = given``."""
    op = test.op
    code = test.code
    wanted = "then" if isinstance(op, ops.Compare) and op.operator == "!=" else "else"
    for region in code.body.regions:
        asked = region.kind == wanted and region.test != NONE and code.origin(region.test) == test.value
        if asked and not region.exits and any(_taken(code, other, region)):
            return True
    return False


def _taken(code: Code, other: Node, region: Region) -> Iterator[bool]:
    """Whether each value that a branch keeps is the compared one, or made of it."""
    for op in code.ops[region.first : region.last]:
        if isinstance(op, (ops.SetAttr, ops.SetItem)):
            yield any(_same(part, other) for part in operands(code.node(op.value)))


def _same(one: Node, other: Node) -> bool:
    """Whether two reads are of the same thing: by the value, or as they are spelled."""
    return one.origin == other or (bool(one.spelled) and one.spelled == other.spelled)


def _stored(code: Code) -> Iterator[tuple[Node, list[Node]]]:
    """The literals that are put under a password's name, each with what is put beside them."""
    for node in code.nodes(ops.SetAttr):
        op = node.op
        if isinstance(op, ops.SetAttr) and _is_password(op.name):
            yield from ((literal, []) for literal in _literal(node.to(op.value)))
    for node in code.nodes(ops.Call):
        given = node.keywords()
        for name, value in given.items():
            if _is_password(name):
                yield from ((literal, list(given.values())) for literal in _literal(value))
    for display in code.nodes(ops.Build):
        for key, value in display.entries():
            if _is_password(key.text or ""):
                yield from ((literal, display.elements()) for literal in _literal(value))


def _literal(value: Node) -> Iterator[Node]:
    literal = value.origin
    if literal.text and isinstance(literal.op, ops.Const):
        yield literal


def _names(value: Node, text: str) -> bool:
    """Whether a value is a constant of that name: ``method=Method.LDAP`` beside ``password="LDAP"``."""
    op = value.origin.op
    return isinstance(op, ops.Attr) and op.name.lower() == text.lower()


def _name(other: Node) -> str:
    op = other.op
    if isinstance(op, ops.Attr):
        return op.name
    if isinstance(op, ops.Item):
        return other.to(op.key).text or ""
    return other.spelled
