"""errors/blanket-500."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.catching import Handler, ancestry, answers_in, handlers, handlers_in, logs, reached
from backaudit.backend.web.responses import Answer, answering, answers
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.code import last_name
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

    Bad:
        from fastapi import FastAPI, HTTPException

        app = FastAPI()

        @app.get("/reports/{report_id}")
        def report(report_id: int):
            try:
                return load_report(report_id)
            except Exception:
                raise HTTPException(status_code=500, detail="Something went wrong")

    Bad: the 404 never arrives
        from fastapi import FastAPI, HTTPException

        app = FastAPI()

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
        from fastapi import FastAPI, HTTPException

        app = FastAPI()

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
    given = _answers(project, handler)
    if not given or len({answer.status for answer in given}) > 1 or _tells_apart(handler):
        return
    status = given[0].status
    assert status is not None
    lost = _lost(project, handler, status)
    assumed = _assumed(project, handler, status, lost)
    if assumed is None:
        return
    steps = [Step(node.place, text) for node, text in lost]
    yield Finding(
        place=handler.place,
        message=_message(handler, status, lost),
        assumed=assumed,
        trace=(*steps, Step(given[0].place, f"every failure is answered {status} here")) if steps else (),
    )


def _message(handler: Handler, status: int, lost: list[tuple[Node, str]]) -> str:
    if lost:
        node, text = lost[0]
        where = f"what line {node.at.line} says: {text}"
        return f"This {handler.label} answers {status} for everything, and so swallows {where}."
    return f"This {handler.label} answers {status} whatever went wrong, the client's mistakes and bugs alike."


def _answers(project: Project, handler: Handler) -> list[Answer]:
    """The handler's error answers, empty if one of its answers is no error."""
    final = handler.code in answering(project)
    found = [a for a in answers_in(project, handler) if a.how == "raise" or final]
    return found if all(a.status is not None and a.status >= 400 for a in found) else []


def _tells_apart(handler: Handler) -> bool:
    """Whether the handler looks at what it caught, or passes some of it on."""
    for node in handler.nodes():
        op = node.op
        if isinstance(op, ops.Call) and node.method in ("isinstance", "hasattr", "getattr", "issubclass"):
            return True
        if isinstance(op, ops.Raise) and (op.exception < 0 or node.to(op.exception).origin == handler.exception):
            return True
    return False


def _assumed(project: Project, handler: Handler, status: int, lost: list[tuple[Node, str]]) -> Assumed | None:
    logged = logs(project, handler)
    central = _wraps_unknown(handler)
    if lost:
        return assume("wrapper", "what is wrapped raises what it would answer by itself") if central else KNOWN
    if status in _TELLING:
        return None
    if logged and (central or status < 500 or _has_siblings(project, handler)):
        return None
    if central or logged:
        # One place for what nobody expected, or a cause that is at least written down: worth a look, no more.
        return _ON_PURPOSE
    if status < 500:
        return (
            assume("effect", "what is done here can fail by the server's fault")
            if _acts(project, handler)
            else _ON_PURPOSE
        )
    if handler.code in answering(project) or reached(project, handler.code):
        return KNOWN
    return assume("wrapper", f"`{handler.code.function.name}` answers requests")


def _has_siblings(project: Project, handler: Handler) -> bool:
    """Whether other handlers of the same try take what was expected."""
    group = handler.region.group
    return any(other.region.group == group and other != handler for other in handlers_in(project, handler.code))


def _acts(project: Project, handler: Handler) -> bool:
    acting = project.models.kinds["acting-methods"]
    return any(node.method in acting for node in handler.tried() if isinstance(node.op, ops.Call))


def _wraps_unknown(handler: Handler) -> bool:
    """Whether the block calls a function it was given: a decorator or a middleware, the one place for a catch-all."""
    return any(_is_given(handler, node) for node in handler.tried())


def _is_given(handler: Handler, node: Node) -> bool:
    op = node.op
    func = node.to(op.func).origin.op if isinstance(op, ops.Call) else None
    if isinstance(func, ops.Param):
        return func.index > 0 or handler.code.cls is None
    if isinstance(func, ops.Attr):
        return func.name in ("get_response", "dispatch", "full_dispatch_request")
    outer = handler.code.enclosing
    return isinstance(func, ops.Name) and outer is not None and func.name in {p.name for p in outer.function.params}


def _lost(project: Project, handler: Handler, status: int) -> list[tuple[Node, str]]:
    """Client errors that the block raises and this handler takes: where, and what they would have answered."""
    found: list[tuple[Node, str]] = []
    inside = {node.value for node in handler.tried()}
    for answer in answers(project, handler.code):
        if answer.value in inside and _is_lost(project, handler, answer, status):
            found.append((answer.node, f"{answer.status} by {last_name(answer.maker)}"))
    for node in handler.tried():
        if isinstance(node.op, ops.Call):
            found += _lost_in_call(project, handler, node, status)
    return sorted(found, key=lambda pair: pair[0].value)


def _is_lost(project: Project, handler: Handler, answer: Answer, status: int) -> bool:
    if answer.how != "raise" or answer.status is None or not 400 <= answer.status < 500 or answer.status == status:
        return False
    names = ancestry(project, answer.maker) | {"HTTPException", "HttpException"}
    groups = {region.group for region in handler.code.regions_of(answer.value) if region.kind == "try"}
    rivals = (rival for rival in handlers_in(project, handler.code) if rival.region.first < handler.region.first)
    return not any(
        rival.region.group in groups and not names.isdisjoint(map(last_name, rival.caught)) for rival in rivals
    )


def _lost_in_call(project: Project, handler: Handler, call: Node, status: int) -> Iterator[tuple[Node, str]]:
    names = project.names(call.func) if call.func is not None else ()
    if not project.models.kinds["answers-404"].isdisjoint(names):
        maker = Answer(call, "raise", 404, True, (), "fastapi.HTTPException")
        if _is_lost(project, handler, maker, status):
            yield call, f"404 from {call.method}"
        return
    for code in project.callees(call):
        for answer in answers(project, code):
            moved = Answer(call, answer.how, answer.status, answer.stated, (), answer.maker)
            if not _caught_inside(project, answer) and _is_lost(project, handler, moved, status):
                yield call, f"{answer.status} from {code.function.name}"
                return


def _caught_inside(project: Project, answer: Answer) -> bool:
    return any(region.kind == "try" for region in answer.node.code.regions_of(answer.value))
