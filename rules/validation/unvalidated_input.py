"""validation/unvalidated-input."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.dead import dead_validators
from backaudit.analyses.validation.raw import raw_stores
from backaudit.project import Project
from backaudit.rule import Finding, Step, assume, capitalized, rule


@rule("validation/unvalidated-input", severity="low", cwe=20, owasp=("A05:2025", "A03:2021"), shown="strict")
def unvalidated_input(project: Project) -> Iterator[Finding]:
    """What a client sends is stored or looked up as it came.

    Nothing asked whether it is text at all, how long it is, whether the amount is above zero. The database may refuse
    it with an error 500, or keep it, and then every reader has to cope with it.

    Mend: check at the door: a schema, a form, a converter in the route, or at least a length and a type.

    Given:
        import sqlite3

        from flask import Flask, abort, request

        app = Flask(__name__)

    Bad:
        @app.post("/expenses")
        def add():
            connection = sqlite3.connect("app.db")
            connection.execute("INSERT INTO expenses (name) VALUES (?)", (request.form["name"],))
            connection.commit()
            return "", 201

    Good:
        @app.post("/expenses")
        def add():
            name = request.form["name"]
            if len(name) > 80:
                abort(422)
            connection = sqlite3.connect("app.db")
            connection.execute("INSERT INTO expenses (name) VALUES (?)", (name,))
            connection.commit()
            return "", 201

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Input_Validation_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/20.html
    """
    for stored in raw_stores(project):
        what = stored.origin.what
        yield Finding(
            place=stored.place.first_line(),
            message=f"{capitalized(what)} and becomes {stored.name}: nothing checks its type, length or form.",
            assumed=assume("caller", "nothing that was called before has judged it"),
            trace=(*stored.origin.steps, Step(stored.at.place, f"becomes {stored.name}")),
        )
    for dead in dead_validators(project):
        name = dead.method.function.name
        yield Finding(
            place=dead.method.place.first_line(),
            message=f"`{name}()` never runs: `{dead.cls.cls.name}` has no field `{dead.field}`.",
            assumed=assume("wrapper", "no other class asks for the method by its name"),
        )
