"""validation/trust-boundary."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.client_input import ClientInput
from backaudit.backend.web.reads import request_names
from backaudit.facts import ops
from backaudit.flow.trace import Trace
from backaudit.project import Node, Project
from backaudit.project.code import operands
from backaudit.project.holding import conditions
from backaudit.rule import Finding, Step, assume, rule


@rule("validation/trust-boundary", severity="low", cwe=501, owasp=("A06:2025", "A04:2021"), shown="strict")
def trust_boundary(project: Project) -> Iterator[Finding]:
    """What a client sends is put into the session unchecked.

    What stands in the session is taken for the server's own knowledge later on. A name, role or price that went in
    without a check is trusted from then on.

    Mend: put into the session what the server knows: the id of the user who logged in, a choice from a fixed set.

    Bad:
        from flask import Flask, request, session

        app = Flask(__name__)

        @app.post("/plan")
        def choose():
            session["plan"] = request.form["plan"]
            return "", 204

    Good:
        from flask import Flask, abort, request, session

        app = Flask(__name__)
        PLANS = {"free", "team"}

        @app.post("/plan")
        def choose():
            plan = request.form["plan"]
            if plan not in PLANS:
                abort(422)
            session["plan"] = plan
            return "", 204

    Links:
        https://cwe.mitre.org/data/definitions/501.html
    """
    for store, value, role in _stores(project):
        trace = Trace(project, ClientInput(project, "store"))
        origin = next(trace.origins(value, (), store.value), None)
        counts = origin is not None and project.role(store.code.path) == "production"
        if origin is not None and counts and not _was_found(store, value):
            what = origin.what
            yield Finding(
                place=store.place.first_line(),
                message=f"{what[0].upper()}{what[1:]} and is {role} the session without a check.",
                assumed=assume("caller", "nothing that was called before has judged it"),
                trace=(*origin.steps, Step(store.place, f"is {role} the session")),
            )


def _stores(project: Project) -> Iterator[tuple[Node, Node, str]]:
    """``session[key] = value``: the store, the value or the key, and what that becomes."""
    sessions = project.models.kinds["visitors-session"]
    for code in project.mentioning("session"):
        for node in code.nodes(ops.SetItem):
            op = node.op
            if isinstance(op, ops.SetItem) and not sessions.isdisjoint(request_names(project, node.to(op.base).origin)):
                yield node, node.to(op.value), "kept in"
                yield node, node.to(op.key), "a key of"


def _was_found(store: Node, value: Node) -> bool:
    """Whether the value was asked for in a query before, and the branch holds only where something was found."""
    code = store.code
    found = [test for test, truth in conditions(code, store.value) if _says_found(code.node(test), truth)]
    mine = value.origin.value
    before = code.ops[: min(found, default=0)]
    asked = (op for op in before if isinstance(op, (ops.Build, ops.Call, ops.Compare)))
    return any(mine in {code.origin(each) for each in operands(op) if each >= 0} for op in asked)


def _says_found(test: Node, truth: bool) -> bool:
    op = test.op
    if not isinstance(op, ops.Compare):
        return truth and _is_result(test)
    positive = truth == (op.operator not in ("is", "==", "not in"))
    return positive and any(_is_result(test.to(side)) for side in (op.left, op.right))


def _is_result(node: Node) -> bool:
    made = node.origin
    made = made.awaited
    return isinstance(made.op, ops.Call) and made.method not in ("get", "getlist", "strip", "len", "str")
