"""Which handlers take a proof and let in for it: passwords, short codes, keys; told by what they compare."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from backaudit.backend.access.changes import changes
from backaudit.backend.access.sessions import is_http_session
from backaudit.backend.access.statements import SQL_EQUAL, SQL_WHERE, sql_text
from backaudit.backend.access.tables import is_user_table
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.operands import operands
from backaudit.project.summaries import Summary, summary
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import is_password_column, means_password

_CODE = meaning("tokens", "short-code")


def checks_password(project: Project, code: Code) -> bool:
    """Whether a body, or a function of the project that it calls, holds a given password against the stored one."""
    return bool(project.once(_checking).ask(code))


def _checking(project: Project) -> Summary[str]:
    return summary(project, lambda code: ["checks"] if _checks(project, code) else [])


def _checks(project: Project, code: Code) -> bool:
    if any(_compares(node) for node in code.nodes(ops.Compare)):
        return True
    known = project.models.kinds["password-checks"]
    for call in code.nodes(ops.Call):
        if _is_check(project, call, known) or _looks_up(project, call):
            return True
        if any(checks_password(project, c) for c in project.callees(call) if c != code):
            return True
    return False


def _is_check(project: Project, call: Node, known: frozenset[str]) -> bool:
    func = call.func
    names = project.names(func) if func is not None else ()
    if not known.isdisjoint(names):
        return True
    if call.method == "verify" and call.receiver is not None:
        return any(is_given(part) for arg in call.args() for part in operands(arg))
    return call.is_call_of("constant-comparers") and _meet(*call.args()[:2]) if len(call.args()) > 1 else False


def _compares(node: Node) -> bool:
    op = node.op
    return isinstance(op, ops.Compare) and op.operator in ("==", "!=") and _meet(node.to(op.left), node.to(op.right))


def _meet(one: Node, other: Node) -> bool:
    """A password as it was sent, also hashed, on one side, and on the other what was kept."""
    for given, kept in ((one, other), (other, one)):
        told = kept.origin.const is not None or _is_absent(kept) or _is_absent(given)
        if told or not _has_given(given):
            continue
        if not _has_given(kept):
            return True
        if isinstance(kept.origin.op, ops.Attr) and is_password_column(kept.origin.op.name):
            return not _same_source(given, kept)
    return False


def _has_given(node: Node) -> bool:
    return any(is_given(part) for part in operands(node))


def _is_absent(node: Node) -> bool:
    return isinstance(node.origin.op, ops.Const)


def _same_source(one: Node, other: Node) -> bool:
    """``form.password`` beside ``form.password2``: two that were sent, as a confirmation."""
    roots = [node.origin.spelled.partition(".")[0] for node in (one, other)]
    return roots[0] == roots[1]


def is_given(node: Node) -> bool:
    """A value that is called a password: a key of the request, a field, a parameter."""
    op = node.op
    if isinstance(op, ops.Item):
        key = node.to(op.key).text
        return key is not None and means_password(key)
    if isinstance(op, ops.Call):
        key = (first.text if (first := node.arg(0)) is not None else None) or ""
        return node.method in ("get", "pop", "get_argument") and means_password(key)
    if isinstance(op, ops.Attr):
        return means_password(op.name)
    if isinstance(op, ops.Param):
        params = node.code.function.params
        return op.index < len(params) and means_password(params[op.index].name)
    return False


def _looks_up(project: Project, call: Node) -> bool:
    """A row that is asked for by its password."""
    sql = sql_text(project, call)
    where = SQL_WHERE.search(sql) if sql else None
    if where is not None:
        columns = (name.rpartition(".")[2].strip('"`').lower() for name in SQL_EQUAL.findall(where[1]))
        return any(is_password_column(column) for column in columns)
    return call.is_call_of("looks-up-by-columns") and any(is_password_column(name) for name in call.keywords())


# -- what is given for it --------------------------------------------------------------------------------------------


def opens_session(project: Project, code: Code) -> bool:
    """Whether a body stores who was let in, or hands out a token or a cookie for it."""
    return bool(project.once(_opening).ask(code))


def _opening(project: Project) -> Summary[str]:
    return summary(project, lambda code: ["opens"] if any(True for _ in openings(project, code)) else [])


def openings(project: Project, code: Code) -> Iterator[Node]:
    """Where a body lets somebody in, itself or by a function of the project that it calls."""
    for node in code.nodes(ops.SetItem):
        op = node.op
        if isinstance(op, ops.SetItem) and is_http_session(project, node.to(op.base)):
            yield node
    known = project.models.kinds["session-openers"]
    for call in code.nodes(ops.Call):
        func = call.func
        names = project.names(func) if func is not None else ()
        inside = (opens_session(project, callee) for callee in project.callees(call) if callee != code)
        if not known.isdisjoint(names) or _sets_cookie(call) or any(inside):
            yield call


def _sets_cookie(call: Node) -> bool:
    return call.method in ("set_cookie", "set_signed_cookie", "set_secure_cookie")


def takes_code(project: Project, code: Code) -> bool:
    """Whether a body compares what was sent with what it keeps of a person, and then sets a password or lets in."""
    if any(_is_kept_code(node) for node in (*code.nodes(ops.Compare), *code.nodes(ops.Call))):
        lets_in = _sets_password(code) or opens_session(project, code)
        return lets_in or (checks_password(project, code) and bool(changes(project, code)))
    if any(_asks_for_code(call) for call in code.nodes(ops.Call)):
        return any(change.table is not None and is_user_table(change.table) for change in changes(project, code))
    return False


def _sets_password(code: Code) -> bool:
    names = (node.op.name for node in code.nodes(ops.SetAttr) if isinstance(node.op, ops.SetAttr))
    return any(map(is_password_column, names))


def _asks_for_code(call: Node) -> bool:
    """A row that is asked for by a short code."""
    return call.is_call_of("looks-up-by-columns") and any(_CODE.holds(name) for name in call.keywords())


def _is_kept_code(node: Node) -> bool:
    """``row.pin == sent``: a column beside what the request brings."""
    for kept, sent in itertools.permutations(_compared(node), 2):
        column = next((p for p in operands(kept) if isinstance(p.op, ops.Attr)), None)
        if column is not None and any("request" in p.spelled for p in operands(sent)):
            return "request" not in column.spelled
    return False


def _compared(node: Node) -> tuple[Node, ...]:
    """The two values that an operator or a function compares."""
    op = node.op
    if isinstance(op, ops.Compare):
        return (node.to(op.left), node.to(op.right)) if op.operator in ("==", "!=") else ()
    given = node.args() if node.is_call_of("constant-comparers") else []
    return (given[0], given[1]) if len(given) > 1 else ()
