"""errors/error-detail-leak."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors import leaks
from backaudit.project import Project
from backaudit.rule import Finding, rule


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
    yield from leaks.findings(project)
