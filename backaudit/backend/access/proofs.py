"""Conditions that ask for a proof of who calls: a session, a shared secret, a signature, by what they do."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.sessions import is_http_session
from backaudit.backend.access.tables import touched_table
from backaudit.backend.web.params import injection, is_declared_header
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import injected_code
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.locate import conditions
from backaudit.project.operands import operands
from backaudit.vocabulary.meaning import meaning

_KNOWN = frozenset({"is_authenticated", "is_anonymous"})
_PERSON = meaning("people", "named-in-session")


def proves(project: Project, test: Node) -> bool:
    """Whether a condition, or one of those that it joins, asks who is calling."""
    return any(_proves(project, single) for single in conditions(test))


def _proves(project: Project, test: Node) -> bool:
    op = test.op
    if isinstance(op, ops.Compare):
        sides = (test.to(op.left), test.to(op.right))
        return any(_of_session(project, side) for side in sides) or _shared_secret(project, *sides) or _known(test)
    if _known(test) or _of_session(project, test):
        return True
    return _signed(project, test) or _judged(project, test)


def _known(test: Node) -> bool:
    return any(isinstance(part.op, ops.Attr) and part.op.name in _KNOWN for part in operands(test))


def _of_session(project: Project, node: Node) -> bool:
    """``"user" in session``, ``session.get("user")``: the session, or an entry that says who."""
    here = node.origin
    if is_http_session(project, here):
        return True
    op = here.op
    entry = here.to(op.key) if isinstance(op, ops.Item) else here.arg(0) if here.method == "get" else None
    base = here.to(op.base) if isinstance(op, ops.Item) else here.receiver
    named = entry is not None and base is not None and is_http_session(project, base)
    return named and entry is not None and (entry.text is None or _PERSON.holds(entry.text))


def _shared_secret(project: Project, one: Node, other: Node) -> bool:
    """A header of the request beside what the server holds, which no literal on the spot is."""
    for given, held in ((one, other), (other, one)):
        if _is_sent(project, given) and not _is_sent(project, held) and not _is_plain(held):
            return True
    return False


def asks_for_secret(project: Project, code: Code) -> bool:
    """Whether a body holds what is sent against a secret of the server's own, which is no one's account."""
    return any(
        _is_sent(project, given) and _is_own(project, held)
        for one, other in _compared(project, code)
        for given, held in ((one, other), (other, one))
    )


def _compared(project: Project, code: Code) -> Iterator[tuple[Node, Node]]:
    """What a body compares, by an operator or by a library's function for secrets."""
    for node in code.nodes(ops.Compare):
        op = node.op
        if isinstance(op, ops.Compare) and op.operator in ("==", "!="):
            yield node.to(op.left), node.to(op.right)
    known = project.models.kinds["constant-comparers"] | project.models.kinds["signature-checks"]
    for call in code.nodes(ops.Call):
        given = call.args()
        if len(given) == 2 and not known.isdisjoint((call.method, *project.names(call.func or call))):
            yield given[0], given[1]


def _is_own(project: Project, held: Node) -> bool:
    """Whether a value is the server's own, and neither sent nor of a row."""
    if _is_sent(project, held) or _is_plain(held):
        return False
    parts = list(operands(held))
    if any(isinstance(part.origin.op, ops.Param) for part in parts):
        return False
    return not any(touched_table(project, part) for part in parts)


def _judged(project: Project, test: Node) -> bool:
    """Whether a condition is what a function, or a store, said of a header that can carry a proof."""
    about_text = project.models.kinds["checks-a-text"] | project.models.kinds["checks-a-value"]
    for part in operands(test):
        asks = isinstance(part.op, ops.Call) and part.method not in about_text and not _is_header(project, part)
        if asks and any(_is_sent(project, given) for given in part.args()):
            return True
    return False


def _is_plain(node: Node) -> bool:
    return isinstance(node.origin.op, ops.Const) or not any(
        isinstance(part.op, (ops.Name, ops.Attr, ops.Import, ops.Param)) for part in operands(node)
    )


def _is_sent(project: Project, node: Node) -> bool:
    """Whether a value is made of a header that can carry a proof."""
    open_headers, reads = project.models.kinds["descriptive-headers"], project.models.kinds["header-reads"]
    read = False
    for part in operands(node):
        op = part.op
        if isinstance(op, ops.Const) and str(op.value).lower() in open_headers:
            return False
        read = read or (isinstance(op, ops.Attr) and op.name in reads) or _is_header(project, part)
        read = read or (isinstance(op, ops.Param) and _is_handed_header(project, part.code, op.index))
    return read


def _is_handed_header(project: Project, code: Code, index: int) -> bool:
    """Whether a parameter is a header of the request, or is injected by what only reads one."""
    if is_declared_header(project, code, index):
        return True
    target = injection(project, code, index) if index < len(code.function.params) else None
    if target is None:
        return False
    readers = project.models.kinds["guards:reads-only"]
    if not readers.isdisjoint(project.types(project.resolved(target))):
        return True
    return any(project.solved(_gives_sent, inner) for inner in injected_code(project, target))


def _gives_sent(project: Project, code: Code) -> Iterator[bool]:
    """True if a function gives a header that can carry a proof, or a part of one."""
    if any(_is_sent(project, value) for value in code.returned()):
        yield True


def _is_header(project: Project, node: Node) -> bool:
    if not isinstance(node.op, (ops.Call, ops.Attr)):
        return False
    said = (project.models.sources.get(name) for name in request_names(project, node))
    return any(where == "a header" for where in said)


def _signed(project: Project, test: Node) -> bool:
    """Whether a condition is the outcome of a check of a signature, made here or by the project's own function."""
    known = project.models.kinds["signature-checks"]
    for part in operands(test):
        func = part.func if isinstance(part.op, ops.Call) else None
        if func is None:
            continue
        if not known.isdisjoint(project.names(func)) and not _is_password(part):
            return len(part.args()) > 1 or part.receiver is not None
        if any(project.solved(_answers_signed, code) for code in project.callees(part)):
            return True
    return False


def _is_password(call: Node) -> bool:
    return "pass" in call.spelled.lower() or any("passw" in part.spelled.lower() for part in call.args())


def _answers_signed(project: Project, code: Code) -> Iterator[bool]:
    """True if what a function answers with depends on a check of a signature, however far down that is made."""
    if any(_signed(project, test) for test in _deciding(code)):
        yield True


def _deciding(code: Code) -> Iterator[Node]:
    yield from code.returned()
    for region in code.body.regions:
        if region.kind == "then" and region.exits and region.test >= 0:
            yield code.node(region.test)
