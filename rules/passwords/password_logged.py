"""passwords/password-logged."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.logged import (
    Logged,
    LoggedHash,
    echoed_statements,
    is_nothing,
    log_calls,
    traced_statements,
)
from backaudit.backend.data.queries import call_place
from backaudit.facts import ops
from backaudit.flow.trace import Trace
from backaudit.project import Node, Project
from backaudit.rule import Finding, Shown, Step, rule


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
    for call, arguments in log_calls(project):
        yield from _of_call(project, call, arguments)
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


def _of_call(project: Project, call: Node, arguments: tuple[Node, ...]) -> Iterator[Finding]:
    goals: tuple[tuple[Logged | LoggedHash, Shown | None], ...]
    goals = ((Logged(project), None), (LoggedHash(project), "strict"))
    for goal, shown in goals:
        for argument in arguments:
            ways = Trace(project, goal).origins(argument, (), call.value)
            origin = next((way for way in ways if not _is_nothing(call, argument)), None)
            if origin is not None:
                place = call_place(call)
                how = "printed" if call.method in ("print", "pprint", "ic", "pp") else "written to the log"
                yield Finding(
                    place=place,
                    message=f"{_upper(origin.what)}, and it is {how}.",
                    trace=(*origin.steps, Step(place, f"is {how}")),
                    shown=shown,
                )
                return


def _is_nothing(call: Node, argument: Node) -> bool:
    """Whether all that an argument is made of is known to be empty at the call."""
    op = argument.origin.op
    if isinstance(op, ops.Build) and op.kind == "fstring":
        fields = [argument.origin.to(item).op for item in op.items]
        values = [argument.origin.to(field.value) for field in fields if isinstance(field, ops.Format)]
        return bool(values) and all(is_nothing(call, value) for value in values)
    return is_nothing(call, argument)


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]
