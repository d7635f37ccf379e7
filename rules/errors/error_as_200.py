"""errors/error-as-200."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors import disguised, enveloped, nothing
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("errors/error-as-200", severity="medium", cwe=755, owasp=("A10:2025",), tags=("reliability",))
def error_as_200(project: Project) -> Iterator[Finding]:
    """A failure is answered with a 2xx status.

    Clients, proxies, caches, monitors and retries go by the status. An error hidden in the body of a 200 counts as
    success for all of them: nobody is alerted, the failure may be cached, and every client has to know this one API's
    way of saying no.

    Mend: give the answer the status that says what happened: 400 for a bad value, 401 or 403, 404 for what is not
    there, 409 for a conflict, 500 for the server's own failures.

    Bad:
        from flask import Flask, jsonify

        app = Flask(__name__)

        @app.get("/users/<int:user_id>")
        def user(user_id):
            found = find(user_id)
            if found is None:
                return jsonify({"error": "no such user"})
            return jsonify(found)

    Bad: FastAPI makes a list of the pair
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/users/{user_id}")
        def user(user_id: int):
            found = find(user_id)
            if found is None:
                return {"message": "no such user"}, 404
            return found

    Good:
        from flask import Flask, jsonify

        app = Flask(__name__)

        @app.get("/users/<int:user_id>")
        def user(user_id):
            found = find(user_id)
            if found is None:
                return jsonify({"error": "no such user"}), 404
            return jsonify(found)

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html
        https://www.rfc-editor.org/rfc/rfc9110#name-status-codes
    """
    yield from disguised.findings(project)
    yield from enveloped.findings(project)
    yield from nothing.findings(project)
