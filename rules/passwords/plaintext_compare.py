"""passwords/plaintext-compare."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from backaudit.analyses.passwords.held import chosen, given, held, is_written
from backaudit.analyses.passwords.label import is_unproven
from backaudit.analyses.passwords.stores import looked_up, speaks_of_passwords
from backaudit.backend.data.queries import call_place
from backaudit.facts import ops
from backaudit.flow.parameters import bound, sql_parameters
from backaudit.flow.trace import Origin
from backaudit.project import Code, Node, Project
from backaudit.project.code import SERVING
from backaudit.rule import Finding, Step, rule
from backaudit.vocabulary.names import is_password_column, means_person


@rule("passwords/plaintext-compare", severity="critical", cwe=256, owasp=("A04:2025", "A02:2021", "API2:2023"))
def plaintext_compare(project: Project) -> Iterator[Finding]:
    """A given password is compared with the stored one as text.

    The comparison can only succeed if the store holds passwords as they were typed: whoever reads it has them all. In a
    query's WHERE the password also stands in the database's logs.

    Mend: load the user by name, and let the function that belongs to the hash verify the password
    (`PasswordHasher.verify`, `bcrypt.checkpw`, `check_password_hash`, Django's `authenticate` or `check_password`).

    Bad:
        from flask import Flask, request
        from flask_sqlalchemy import SQLAlchemy

        app = Flask(__name__)
        db = SQLAlchemy(app)

        class User(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            name = db.Column(db.String(80))
            password = db.Column(db.String(128))

        @app.post("/login")
        def login():
            user = User.query.filter_by(name=request.form["name"]).first()
            if user and user.password == request.form["password"]:
                return {"id": user.id}
            return {"error": "wrong name or password"}, 401

    Good:
        from flask import Flask, request
        from flask_sqlalchemy import SQLAlchemy
        from werkzeug.security import check_password_hash

        app = Flask(__name__)
        db = SQLAlchemy(app)

        class User(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            name = db.Column(db.String(80))
            password_hash = db.Column(db.String(256))

        @app.post("/login")
        def login():
            user = User.query.filter_by(name=request.form["name"]).first()
            if user and check_password_hash(user.password_hash, request.form["password"]):
                return {"id": user.id}
            return {"error": "wrong name or password"}, 401

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
        https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html
    """
    yield from _comparisons(project)
    yield from _comparing_calls(project)
    yield from _filters(project)
    yield from _in_sql(project)


def _comparisons(project: Project) -> Iterator[Finding]:
    for code in _bodies(project):
        for node in code.nodes(ops.Compare):
            op = node.op
            assert isinstance(op, ops.Compare)
            if op.operator in ("==", "!="):
                yield from _between(project, node, node.to(op.left), node.to(op.right))


def _bodies(project: Project) -> dict[Code, None]:
    """Bodies that have to do with both passwords and what is stored."""
    found = dict.fromkeys(project.mentioned(lambda name: is_password_column(name) or means_person(name)))
    fetches = sorted(project.models.kinds["fetched"])
    found.update((code, None) for name in fetches for code in project.calling(name))
    found.update((code, None) for code in project.once(_given_passwords))
    return {code: None for code in found if project.role(code.path) in SERVING and speaks_of_passwords(code)}


def _given_passwords(project: Project) -> tuple[Code, ...]:
    """Functions that are handed a password."""
    return tuple(
        file.code(index)
        for file in project.files.values()
        for index, function in enumerate(file.facts.functions)
        if any(is_password_column(param.name) for param in function.params)
    )


def _comparing_calls(project: Project) -> Iterator[Finding]:
    for call in project.calls(*sorted(project.models.kinds.get("password-comparers", ()))):
        if project.role(call.code.path) in SERVING:
            one, two = call.arg(0), call.arg(1)
            if one is not None and two is not None:
                yield from _between(project, call, one, two)


def _between(project: Project, at: Node, one: Node, two: Node) -> Iterator[Finding]:
    for written, typed in ((one, two), (two, one)):
        if is_written(project, written):
            origin = given(project, typed, (), at.value)
            if origin is not None:
                unproven = is_unproven(project, origin.node)
                yield _with_literal(at, origin, _shown(typed) or "the password that was given", unproven)
            return
    if isinstance(one.origin.op, ops.Const) or isinstance(two.origin.op, ops.Const):
        return
    for stored, typed in ((one, two), (two, one)):
        kept = held(project, stored)
        if kept is None or held(project, typed) is not None:
            continue
        origin = given(project, typed, (), at.value) or chosen(project, typed, kept, at.value)
        if origin is not None:
            name = _shown(stored) or "the stored password"
            yield _finding(at, origin, f"{name} is compared with the password that was given, as text.", kept)
            return


def _with_literal(at: Node, origin: Origin, given_as: str, unproven: bool) -> Finding:
    message = f"{given_as} is compared with a password that is written in the code, as text."
    finding = _finding(at, origin, message)
    remedy = "Keep the hash of it outside of the code, and let the function that belongs to the hash verify."
    return replace(finding, remedy=remedy, shown="strict" if unproven else None)


def _shown(node: Node) -> str:
    return f"`{node.spelled}`" if node.spelled else ""


def _filters(project: Project) -> Iterator[Finding]:
    """Passwords among the conditions of a query by keyword or document."""
    for call, column, value, access in looked_up(project):
        origin = given(project, value, access, call.value)
        if origin is not None and held(project, value) is None:
            yield _finding(call, origin, f"The query looks for a row whose `{column}` is the password that was given.")


def _in_sql(project: Project) -> Iterator[Finding]:
    seen = set()
    for call, parameter in sql_parameters(project):
        if parameter.use != "compared" or not is_password_column(parameter.column) or call in seen:
            continue
        for value, access in bound(call, parameter):
            origin = given(project, value, access, call.value)
            if origin is not None:
                seen.add(call)
                table = f"`{parameter.table}.{parameter.column}`" if parameter.table else f"`{parameter.column}`"
                yield _finding(call, origin, f"The query compares {table} with the password that was given.")
                break


def _finding(at: Node, origin: Origin, message: str, kept: Origin | None = None) -> Finding:
    place = call_place(at) if at.call is not None else at.place
    return Finding(
        place=place,
        message=message[0].upper() + message[1:],
        trace=(*origin.steps, Step(place, "is compared with the stored password as text")),
        related=(Step(kept.node.place, kept.what),) if kept is not None else (),
    )
