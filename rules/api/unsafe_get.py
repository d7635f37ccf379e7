"""api/unsafe-get."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.api.safe import unsafe_gets
from backaudit.project import Project
from backaudit.rule import Finding, Step, capitalized, rule


@rule("api/unsafe-get", severity="medium", cwe=650, owasp=("A06:2025", "A04:2021"), tags=("api",))
def unsafe_get(project: Project) -> Iterator[Finding]:
    """A GET or HEAD changes data.

    Whatever follows links sends GET: a browser's preview, a crawler, a mail scanner, a proxy that asks again,
    `<img src>` on somebody else's page. None of them means to delete a row, and no protection against forged requests
    looks at GET.

    Mend: answer POST, PUT, PATCH or DELETE there, and let pages send a form with a token in place of a link.

    Given:
        from flask import Flask
        from flask_sqlalchemy import SQLAlchemy

        app = Flask(__name__)
        db = SQLAlchemy(app)

        class Task(db.Model):
            id = db.Column(db.Integer, primary_key=True)

    Bad:
        @app.get("/tasks/<int:task_id>/delete")
        def delete_task(task_id):
            db.session.delete(db.get_or_404(Task, task_id))
            db.session.commit()
            return {}

    Good:
        @app.delete("/tasks/<int:task_id>")
        def delete_task(task_id):
            db.session.delete(db.get_or_404(Task, task_id))
            db.session.commit()
            return "", 204

    Links:
        https://www.rfc-editor.org/rfc/rfc9110#name-safe-methods
    """
    for found in project.once(unsafe_gets):
        route = found.route
        yield Finding(
            place=route.handler.place,
            message=f"{capitalized(route.label)} {found.what}: a link is enough.",
            trace=(Step(route.place.first_line(), "the route"), Step(found.place.first_line(), found.what)),
            scope=route.handler.function.qualname,
            shown=None if found.plain else "strict",
        )
