"""errors/unhandled-parse."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors import columns, divisions, objects, parsing, sessions, unsent, validators
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("errors/unhandled-parse", severity="medium", cwe=(755, 248), owasp=("A10:2025",), tags=("reliability",))
def unhandled_parse(project: Project) -> Iterator[Finding]:
    """Converting or indexing request data can raise, and ends as a 500.

    A client may leave a key out, or send a word where a number belongs. If `int(...)`, `json.loads(...)` or
    `data["key"]` meets that unguarded, the client's slip is reported as the server's failure.

    Mend: let the framework convert (typed parameters, a schema, a form or serializer), or catch the error and answer
    400.

    Given:
        from flask import Flask, request

        app = Flask(__name__)

    Bad:
        @app.get("/items")
        def items():
            page = int(request.args.get("page", "1"))
            return {"items": load(page)}

    Bad:
        @app.post("/items")
        def add_item():
            data = request.get_json()
            return {"id": store(data["name"])}, 201

    Good:
        @app.get("/items")
        def items():
            page = request.args.get("page", 1, type=int)
            return {"items": load(page)}

    Good: a missing key of a form is answered 400
        @app.post("/items")
        def add_item():
            return {"id": store(request.form["name"])}, 201

    Links:
        https://cwe.mitre.org/data/definitions/248.html
        https://cheatsheetseries.owasp.org/cheatsheets/Input_Validation_Cheat_Sheet.html
    """
    yield from parsing.findings(project)
    yield from columns.findings(project)
    yield from divisions.findings(project)
    yield from validators.findings(project)
    yield from objects.findings(project)
    yield from sessions.findings(project)
    yield from unsent.attributes(project)
