"""errors/unlogged-500."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.mends import logged
from backaudit.analyses.errors.unlogged import unlogged_answers, unlogged_last_answers
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("errors/unlogged-500", severity="low", cwe=778, owasp=("A09:2021", "A09:2025"), shown="strict")
def unlogged_500(project: Project) -> Iterator[Finding]:
    """A 5xx is answered without logging the cause.

    Whoever has to find out why the server failed has nothing but the client's word. An attack that shows as a row of
    failures goes unseen.

    Mend: log the exception with its traceback (`logger.exception(...)`) before answering, or let it rise to the
    framework's handler, which does.

    Given:
        from flask import Flask

        app = Flask(__name__)

    Bad:
        @app.get("/report")
        def report():
            try:
                return build()
            except OSError:
                return {"error": "no report today"}, 500

    Good:
        @app.get("/report")
        def report():
            try:
                return build()
            except OSError:
                app.logger.exception("could not build the report")
                return {"error": "no report today"}, 500

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/778.html
    """
    for answer, handler in unlogged_answers(project):
        yield Finding(
            place=answer.place.first_line(),
            message=f"Status {answer.status} is answered, and nothing says what `{handler.label}` caught.",
            fixes=(logged(handler),),
        )
    for answer in unlogged_last_answers(project):
        yield Finding(
            place=answer.place.first_line(),
            message=f"The application's error handler answers {answer.status} and logs nothing.",
        )
