"""passwords/password-logged."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.logged import echoed_statements, logged_passwords, traced_statements
from backaudit.backend.data.queries import call_place
from backaudit.project import Project
from backaudit.rule import Finding, Step, capitalized, rule


@rule("passwords/password-logged", severity="high", cwe=532, owasp=("A09:2025", "A09:2021", "API8:2023"))
def password_logged(project: Project) -> Iterator[Finding]:
    """A password is written to a log.

    Logs are kept for long, copied to other systems, and read by many who may not know the password: whoever gets at
    one line of them can log in as that user, or reach the database.

    Mend: log who did what (a user's id, the host of the database), never what proves it. Schemas keep a password as
    `SecretStr`, whose text is masked.

    Given:
        import logging

        from flask import Flask, request

        app = Flask(__name__)
        logger = logging.getLogger(__name__)

    Bad:
        @app.post("/login")
        def login():
            username = request.form["username"]
            password = request.form["password"]
            logger.info("login of %s with %s", username, password)
            return "", 204

    Good:
        @app.post("/login")
        def login():
            logger.info("login of %s", request.form["username"])
            return "", 204

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/532.html
    """
    for logged in logged_passwords(project):
        place = call_place(logged.call)
        how = "printed" if logged.is_printed else "written to the log"
        yield Finding(
            place=place,
            message=f"{capitalized(logged.origin.what)}, and it is {how}.",
            trace=(*logged.origin.steps, Step(place, f"is {how}")),
            shown="strict" if logged.is_hash else None,
            assumed=logged.assumed,
        )
    for call, column in traced_statements(project):
        yield Finding(
            place=call_place(call),
            message=f"Every statement of this connection is written out, with what it binds to `{column}`.",
            remedy="Trace statements without their parameters, and never where passwords are written.",
        )
    for place, column in echoed_statements(project):
        yield Finding(
            place=place,
            message=f"Every statement is logged with what it binds, that of `{column}` among them.",
            remedy="Leave `echo` off where people log in, or add `hide_parameters=True`.",
            shown="strict",
        )
