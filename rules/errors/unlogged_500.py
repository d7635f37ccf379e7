"""errors/unlogged-500."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.catching import answers_in, handlers, logs
from backaudit.backend.web.responses import answering, answers, error_handlers
from backaudit.facts import ops
from backaudit.project import Code, Project
from backaudit.rule import Finding, rule


@rule("errors/unlogged-500", severity="low", cwe=778, owasp=("A09:2021", "A09:2025"), shown="strict")
def unlogged_500(project: Project) -> Iterator[Finding]:
    """A 5xx is answered without logging the cause.

    Whoever has to find out why the server failed has nothing but the client's word. An attack that shows as a row of
    failures goes unseen.

    Mend: log the exception with its traceback (`logger.exception(...)`) before answering, or let it rise to the
    framework's handler, which does.

    Bad:
        from flask import Flask

        app = Flask(__name__)

        @app.get("/report")
        def report():
            try:
                return build()
            except OSError:
                return {"error": "no report today"}, 500

    Good:
        from flask import Flask

        app = Flask(__name__)

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
    final = answering(project)
    for handler in handlers(project):
        if logs(project, handler):
            continue
        for answer in answers_in(project, handler):
            reaches = answer.how == "raise" or handler.code in final
            if reaches and answer.stated and answer.status is not None and 500 <= answer.status < 600:
                yield Finding(
                    place=answer.place.first_line(),
                    message=f"Status {answer.status} is answered, and nothing says what `{handler.label}` caught.",
                )
    for code, caught in project.once(error_handlers):
        if "builtins.Exception" in caught and not _speaks(project, code):
            for answer in answers(project, code):
                if answer.status is not None and answer.status >= 500:
                    yield Finding(
                        place=answer.place.first_line(),
                        message=f"The application's error handler answers {answer.status} and logs nothing.",
                    )


def _speaks(project: Project, code: Code) -> bool:
    kinds = project.models.kinds
    return any(
        not kinds["logs"].isdisjoint(project.names(func)) or call.method in kinds["log-methods"]
        for call in code.nodes(ops.Call)
        if (func := call.func) is not None
    )
