"""errors/blanket-500."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.blanket import acts, error_answers, has_siblings, lost_errors, tells_apart, wraps_unknown
from backaudit.analyses.errors.requests import of_answer
from backaudit.backend.web.catching import Handler, handlers, logs, reached
from backaudit.backend.web.responses import answering
from backaudit.project import Node, Project
from backaudit.rule import KNOWN, Assumed, Finding, Step, assume, rule

_ON_PURPOSE = assume("purpose", "this is not the one place for what nobody expected")

# Codes that say what failed: a part that this server depends on.
_TELLING = frozenset((502, 503, 504))


@rule("errors/blanket-500", severity="medium", cwe=755, owasp=("A10:2025", "API8:2023"), tags=("reliability",))
def blanket_500(project: Project) -> Iterator[Finding]:
    """A catch-all answers one status whatever went wrong.

    An `except Exception` around a handler's work turns a missing row, a bad value, a duplicate and a bug into the same
    answer. Clients cannot tell their own mistakes from the server's, retries and alerts go wrong, the cause is gone.

    Mend: catch the narrow exceptions that you expect, answer each with its own 4xx code, and let the rest reach the
    framework's one error handler, which logs it and answers 500.

    Given:
        from fastapi import FastAPI, HTTPException

        app = FastAPI()

    Bad:
        @app.get("/reports/{report_id}")
        def report(report_id: int):
            try:
                return load_report(report_id)
            except Exception:
                raise HTTPException(status_code=500, detail="Something went wrong")

    Bad: the 404 never arrives
        @app.get("/reports/{report_id}")
        def report(report_id: int):
            try:
                found = load_report(report_id)
                if found is None:
                    raise HTTPException(status_code=404, detail="No such report")
                return found
            except Exception as error:
                logger.exception("report failed")
                raise HTTPException(status_code=500, detail="Something went wrong") from error

    Good:
        @app.get("/reports/{report_id}")
        def report(report_id: int):
            try:
                return load_report(report_id)
            except ReportMissing as error:
                raise HTTPException(status_code=404, detail="No such report") from error

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Error_Handling_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/755.html
    """
    for handler in handlers(project):
        if handler.broad:
            yield from _judge(project, handler)


def _judge(project: Project, handler: Handler) -> Iterator[Finding]:
    given = error_answers(project, handler)
    if not given or len({answer.status for answer in given}) > 1 or tells_apart(handler):
        return
    status = given[0].status
    assert status is not None
    lost = lost_errors(project, handler, status)
    assumed = _assumed(project, handler, status, lost)
    if assumed is None:
        return
    steps = [Step(node.place, text) for node, text in lost]
    yield Finding(
        place=handler.place,
        message=_message(handler, status, lost),
        assumed=assumed,
        trace=(*steps, Step(given[0].place, f"every failure is answered {status} here")) if steps else (),
        request=of_answer(project, given[0].node, status),
    )


def _message(handler: Handler, status: int, lost: list[tuple[Node, str]]) -> str:
    if lost:
        node, text = lost[0]
        where = f"what line {node.at.line} says: {text}"
        return f"This {handler.label} answers {status} for everything, and so swallows {where}."
    return f"This {handler.label} answers {status} whatever went wrong, the client's mistakes and bugs alike."


def _assumed(project: Project, handler: Handler, status: int, lost: list[tuple[Node, str]]) -> Assumed | None:
    logged = logs(project, handler)
    central = wraps_unknown(handler)
    if lost:
        return assume("wrapper", "what is wrapped raises what it would answer by itself") if central else KNOWN
    if status in _TELLING or (logged and (central or has_siblings(project, handler))):
        return None
    if central or logged or (status < 500 and not acts(project, handler)):
        # One place for what nobody expected, or a cause that is at least written down: worth a look, no more.
        return _ON_PURPOSE
    if status < 500:
        return assume("effect", "what is done here can fail by the server's fault")
    if handler.code in answering(project) or reached(project, handler.code):
        return KNOWN
    return assume("wrapper", f"`{handler.code.function.name}` answers requests")
