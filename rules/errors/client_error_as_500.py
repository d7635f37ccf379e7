"""errors/client-error-as-500."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors import (
    attributeless,
    blamed,
    contexts,
    misfits,
    overlong,
    refused,
    rowless,
    said_missing,
    strangers,
    unanswered,
    unbound,
    unhashable,
    unsent,
    unwritable,
)
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("errors/client-error-as-500", severity="medium", cwe=755, owasp=("A10:2025",), tags=("reliability",))
def client_error_as_500(project: Project) -> Iterator[Finding]:
    """The client's mistake is answered as the server's failure.

    A 5xx says: the server is broken, try again later. For what is not there, a duplicate, a bad value or a missing
    right that is untrue: clients retry in vain, monitors raise alarms, and the person never learns what to change.

    Mend: answer 404 for what is not there, 409 for a duplicate, 400 or 422 for a bad value, 401 or 403 for a missing
    right. Raise an exception that the framework turns into that answer, not a bare `ValueError`.

    Bad:
        from fastapi import FastAPI, HTTPException

        app = FastAPI()

        @app.get("/books/{book_id}")
        def book(book_id: int):
            found = find(book_id)
            if found is None:
                raise HTTPException(status_code=500, detail="Book not found")
            return found

    Bad: nobody catches it
        # file: services.py
        def register(email):
            if exists(email):
                raise ValueError("This address is already registered")
            store(email)

        # file: app.py
        from flask import Flask, request
        from services import register

        app = Flask(__name__)

        @app.post("/users")
        def add_user():
            register(request.form["email"])
            return {}, 201

    Good:
        from books import find
        from fastapi import FastAPI, HTTPException

        app = FastAPI()

        @app.get("/books/{book_id}")
        def book(book_id: int):
            found = find(book_id)
            if found is None:
                raise HTTPException(status_code=404, detail="Book not found")
            return found

    Links:
        https://www.rfc-editor.org/rfc/rfc9110#name-status-codes
        https://cheatsheetseries.owasp.org/cheatsheets/Error_Handling_Cheat_Sheet.html
    """
    yield from blamed.findings(project)
    yield from said_missing.findings(project)
    yield from unanswered.findings(project)
    yield from unsent.findings(project)
    yield from refused.findings(project)
    yield from strangers.findings(project)
    yield from rowless.findings(project)
    yield from unwritable.findings(project)
    yield from overlong.findings(project)
    yield from unhashable.findings(project)
    yield from unbound.findings(project)
    yield from attributeless.findings(project)
    yield from contexts.findings(project)
    yield from misfits.findings(project)
