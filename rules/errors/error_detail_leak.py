"""errors/error-detail-leak."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.catching import (
    Handler,
    chosen,
    exception_text,
    first_line,
    handler_of,
    handlers,
    last_name,
    reached,
)
from backaudit.backend.responses import answering, answers, error_handlers
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.rule import Confidence, Finding, Step, rule


@rule("errors/error-detail-leak", severity="medium", cwe=209, owasp=("A10:2025", "A05:2021", "API8:2023"))
def error_detail_leak(project: Project) -> Iterator[Finding]:
    """The text of an unexpected exception goes to the client.

    What a database driver, a library or the interpreter says about a failure names tables, columns, statements, hosts
    and paths. It tells an attacker what the server is made of, and a user nothing that helps.

    Mend: log the exception, and answer with a fixed text. Where the client needs to know what it did wrong, catch that
    one exception and say it in your own words.

    Bad:
        from fastapi import FastAPI, HTTPException

        app = FastAPI()

        @app.post("/orders")
        def create_order(order: dict):
            try:
                return save(order)
            except Exception as error:
                raise HTTPException(status_code=400, detail=str(error))

    Bad:
        from flask import Flask
        from sqlalchemy.exc import IntegrityError

        app = Flask(__name__)

        @app.post("/orders")
        def create_order():
            try:
                save()
            except IntegrityError as error:
                return {"message": f"could not save: {error}"}, 409
            return {}, 201

    Good:
        import logging

        from fastapi import FastAPI, HTTPException

        app = FastAPI()
        logger = logging.getLogger(__name__)

        @app.post("/orders")
        def create_order(order: dict):
            try:
                return save(order)
            except OutOfStock as error:
                logger.info("refused: %s", error)
                raise HTTPException(status_code=409, detail="Out of stock")

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Error_Handling_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/209.html
    """
    bodies = dict.fromkeys([handler.code for handler in handlers(project)])
    bodies.update(dict.fromkeys(code for code, _ in project.once(error_handlers)))
    for code in bodies:
        if code.file.role == "production":
            yield from _answered(project, code)
            yield from _shown(project, code)


def _answered(project: Project, code: Code) -> Iterator[Finding]:
    final = code in answering(project)
    told: set[int] = set()
    for answer in answers(project, code):
        if (answer.how == "return" and not final) or answer.value in told or chosen(answer.node):
            continue
        source = next((s for s in (exception_text(project, part) for part in answer.body) if s is not None), None)
        confidence = _judge(project, source) if source is not None else None
        if source is not None and confidence is not None:
            told.add(answer.value)
            yield _finding(project, answer.node, source, confidence, "the answer")


def _shown(project: Project, code: Code) -> Iterator[Finding]:
    """Texts for the next page."""
    kind = project.models.kinds["tells-user"]
    for call in code.nodes(ops.Call):
        names = project.names(call.func) if call.func is not None else ()
        if kind.isdisjoint(names) or chosen(call) or not reached(project, code):
            continue
        source = next((s for s in (exception_text(project, part) for part in call.args()) if s is not None), None)
        confidence = _judge(project, source) if source is not None else None
        if source is not None and confidence is not None:
            yield _finding(project, call, source, "medium", "the next page")


def _judge(project: Project, source: Node) -> Confidence | None:
    handler = handler_of(project, source)
    if handler is None:
        return "high" if _answers_everything(project, source.code) else None
    if isinstance(source.op, ops.Call):
        return "high"
    if chosen(source):
        return None
    if handler.broad:
        return "high"
    return _narrow(project, handler)


def _answers_everything(project: Project, code: Code) -> bool:
    return any(
        code is answering_code and {"Exception", "BaseException"} & set(map(last_name, caught))
        for answering_code, caught in project.once(error_handlers)
    )


def _narrow(project: Project, handler: Handler) -> Confidence | None:
    internal = project.models.kinds["internal-exceptions"]
    for name in handler.caught:
        parts = name.split(".")
        if any(".".join(parts[:size]) in internal for size in range(1, len(parts) + 1)):
            return "medium" if name.startswith("builtins.") else "high"
    return None


def _finding(project: Project, node: Node, source: Node, confidence: Confidence, where: str) -> Finding:
    handler = handler_of(project, source)
    what = "The traceback" if isinstance(source.op, ops.Call) else f"The text of what {_label(handler)} caught"
    steps = (
        [Step(first_line(source.place), "the exception")] if handler is None else [Step(handler.place, handler.label)]
    )
    return Finding(
        place=first_line(node.place),
        message=f"{what} is in {where} that the client gets.",
        confidence=confidence,
        trace=(*steps, Step(first_line(node.place), f"its text goes into {where}")),
    )


def _label(handler: Handler | None) -> str:
    return f"`{handler.label}`" if handler is not None else "the application's error handler"
