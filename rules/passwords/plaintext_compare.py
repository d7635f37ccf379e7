"""passwords/plaintext-compare."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from backaudit.analyses.passwords.compared import asked_by_password, compared_in_sql, comparisons, given_beside
from backaudit.analyses.passwords.held import given, held, is_written
from backaudit.analyses.passwords.label import is_unproven
from backaudit.backend.data.queries import call_place
from backaudit.facts import ops
from backaudit.flow.trace import Origin
from backaudit.project import Node, Project
from backaudit.rule import Finding, Step, capitalized, rule


@rule("passwords/plaintext-compare", severity="critical", cwe=256, owasp=("A04:2025", "A02:2021", "API2:2023"))
def plaintext_compare(project: Project) -> Iterator[Finding]:
    """A given password is compared with the stored one as text.

    The comparison can only succeed if the store holds passwords as they were typed: whoever reads it has them all. In a
    query's WHERE the password also stands in the database's logs.

    Mend: load the user by name, and let the function that belongs to the hash verify the password
    (`PasswordHasher.verify`, `bcrypt.checkpw`, `check_password_hash`, Django's `authenticate` or `check_password`).

    Given:
        from flask import Flask, request
        from flask_sqlalchemy import SQLAlchemy
        from werkzeug.security import check_password_hash

        app = Flask(__name__)
        db = SQLAlchemy(app)

    Bad:
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
    for at, one, two in comparisons(project):
        found = _between(project, at, one, two)
        if found is not None:
            yield found
    for call, column, origin in asked_by_password(project):
        yield _finding(call, origin, f"The query looks for a row whose `{column}` is the password that was given.")
    for call, column, origin in compared_in_sql(project):
        yield _finding(call, origin, f"The query compares `{column}` with the password that was given.")


def _between(project: Project, at: Node, one: Node, two: Node) -> Finding | None:
    sides = ((one, two), (two, one))
    literal = next((typed for written, typed in sides if is_written(project, written)), None)
    if literal is not None:
        origin = given(project, literal, (), at.value)
        return _with_literal(project, at, origin, literal) if origin is not None else None
    if any(isinstance(side.origin.op, ops.Const) for side in (one, two)):
        return None
    for stored, typed in sides:
        kept = held(project, stored)
        origin = given_beside(project, kept, typed, at.value) if kept is not None else None
        if origin is not None:
            name = _shown(stored) or "the stored password"
            return _finding(at, origin, f"{name} is compared with the password that was given, as text.", kept)
    return None


def _with_literal(project: Project, at: Node, origin: Origin, typed: Node) -> Finding:
    # Whoever runs a command on the server is let in already.
    unproven = is_unproven(project, origin.node) or project.role(at.code.path) == "script"
    given_as = _shown(typed) or "the password that was given"
    message = f"{given_as} is compared with a password that is written in the code, as text."
    finding = _finding(at, origin, message)
    remedy = "Keep the hash of it outside of the code, and let the function that belongs to the hash verify."
    return replace(finding, remedy=remedy, shown="strict" if unproven else None)


def _shown(node: Node) -> str:
    return f"`{node.spelled}`" if node.spelled else ""


def _finding(at: Node, origin: Origin, message: str, kept: Origin | None = None) -> Finding:
    place = call_place(at) if at.call is not None else at.place
    return Finding(
        place=place,
        message=capitalized(message),
        trace=(*origin.steps, Step(place, "is compared with the stored password as text")),
        related=(Step(kept.node.place, kept.what),) if kept is not None else (),
    )
