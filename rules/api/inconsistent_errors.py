"""api/inconsistent-errors."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.api.shapes import shapes
from backaudit.project import Project
from backaudit.rule import Finding, Step, rule

# Of fewer errors than these nobody can tell which shape is meant.
_FEW = 3


@rule("api/inconsistent-errors", severity="low", shown="strict", tags=("api",))
def inconsistent_errors(project: Project) -> Iterator[Finding]:
    """One API tells of errors in several shapes.

    A client reads the error under one key. Where half of the routes say `error` and the others `message`, each client
    writes both, and shows nothing where it forgot one.

    Mend: raise one kind of exception everywhere, and make the body in one error handler.

    Given:
        from flask import Flask, jsonify

        app = Flask(__name__)

        @app.get("/tasks/<int:task_id>")
        def show(task_id):
            if task_id not in tasks:
                return jsonify(error="no such task"), 404
            return jsonify(tasks[task_id])

    Bad:
        @app.delete("/tasks/<int:task_id>")
        def drop(task_id):
            if task_id not in tasks:
                return jsonify(message="not found"), 404
            return "", 204

        @app.post("/tasks")
        def add():
            if full():
                return jsonify(error="too many tasks"), 409
            return jsonify(id=1), 201

    Good:
        @app.delete("/tasks/<int:task_id>")
        def drop(task_id):
            if task_id not in tasks:
                return jsonify(error="no such task"), 404
            return "", 204

        @app.post("/tasks")
        def add():
            if full():
                return jsonify(error="too many tasks"), 409
            return jsonify(id=1), 201

    Links:
        https://www.rfc-editor.org/rfc/rfc9457
    """
    found = project.once(shapes)
    if len(found.by_key) < 2 or sum(len(told) for _, told in found.by_key) < _FEW:
        return
    counted = ", ".join(f"`{key}` ({len(told)})" for key, told in found.by_key)
    first = found.by_key[1][1][0]
    yield Finding(
        place=first.place,
        message=f"Errors stand under {len(found.by_key)} keys: {counted}; the commonest is `{found.commonest}`.",
        related=tuple(Step(told[0].place, f"`{key}`, by {told[0].by}") for key, told in found.by_key),
    )
