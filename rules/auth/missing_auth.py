"""auth/missing-auth."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.exposure import Deed, Exposed, exposed
from backaudit.analyses.auth.open_pages import OpenAdmin, OpenLibrary, open_admin, open_libraries
from backaudit.analyses.auth.unproven import unproven
from backaudit.project import Project
from backaudit.rule import Finding, Step, rule

_DOES: dict[Deed, str] = {
    "changes": "data changes here",
    "reveals": "data is read here",
    "acts": "this is done for whoever calls",
    "shows": "all of it is answered",
}


@rule("auth/missing-auth", severity="critical", cwe=306, owasp=("A01:2025", "A07:2025", "A01:2021", "API5:2023"))
def missing_auth(project: Project) -> Iterator[Finding]:
    """A route that changes or reveals data asks nobody who they are.

    The project has authentication, and neighbouring routes ask for it; this one was forgotten. Anybody on the internet
    can call it.

    Mend: put the guard of its neighbours before it: the dependency, the decorator, the permission class. If the route
    is open on purpose, say so in a suppression's reason. Safest is a default that asks (a router with the dependency,
    `DEFAULT_PERMISSION_CLASSES`, a `before_request`), from which open routes are excepted one by one.

    Given:
        from flask import Flask
        from flask_login import login_required
        from flask_sqlalchemy import SQLAlchemy

        app = Flask(__name__)
        db = SQLAlchemy(app)

        class Task(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            title = db.Column(db.String(80))

        @app.post("/tasks")
        @login_required
        def add_task():
            db.session.add(Task(title="new"))
            db.session.commit()
            return {}, 201

    Bad:
        @app.delete("/tasks/<int:task_id>")
        def delete_task(task_id):
            task = db.session.get(Task, task_id)
            db.session.delete(task)
            db.session.commit()
            return {}, 204

    Good:
        @app.delete("/tasks/<int:task_id>")
        @login_required
        def delete_task(task_id):
            task = db.session.get(Task, task_id)
            db.session.delete(task)
            db.session.commit()
            return {}, 204

    Links:
        https://owasp.org/API-Security/editions/2023/en/0xa5-broken-function-level-authorization/
        https://cheatsheetseries.owasp.org/cheatsheets/Authorization_Cheat_Sheet.html
    """
    for item in project.once(exposed):
        yield _finding(item)
    for admin in project.once(open_admin):
        yield _admin(admin)
    for pages in project.once(open_libraries):
        yield _library(pages)
    for login in unproven(project):
        yield Finding(place=login.place, message=login.message, remedy=login.remedy, scope=login.code.function.qualname)


def _finding(item: Exposed) -> Finding:
    does = [Step(item.at, _DOES.get(item.act, "the caller is needed here"))] if item.at is not None else []
    return Finding(
        place=item.place,
        message=_message(item),
        remedy=_remedy(item),
        assumed=item.assumed,
        trace=(Step(item.route.place, "the route, without a guard"), *does),
        related=tuple(Step(guard.place, f"{other.label} has {guard.name}") for guard, other in item.siblings),
        scope=item.route.handler.function.qualname,
    )


def _message(item: Exposed) -> str:
    routes = dict.fromkeys(route.label for route in item.routes)
    named = ", ".join(list(routes)[:3])
    if item.act == "needs the caller":
        return f"{named} uses `{item.what}` and never asks whether anybody is logged in."
    if item.act == "shows":
        return f"{named} shows the server's own settings to anybody (`{item.what}`): keys and passwords are among them."
    does = item.what if item.act == "acts" else f"{item.act} `{item.what}`" if item.what else f"{item.act} data"
    about = f"{named} {does} for anybody"
    if item.siblings:
        guard, other = item.siblings[0]
        return f"{about}; its sibling {other.label} is guarded by `{guard.name}`."
    return f"{about}; the project has a login, and nothing here asks for it."


def _remedy(item: Exposed) -> str:
    if item.siblings:
        guard = item.siblings[0][0]
        return f"Put `{guard.name}` before it, as on its siblings; or state in a suppression why it is open."
    framework = item.route.handler.project.models.framework(item.route.framework)
    return framework.guards_one or "Add the dependency that loads the current user and answers 401."


def _admin(item: OpenAdmin) -> Finding:
    models = ", ".join(filter(None, item.models))
    about = f" of {models}" if models else ""
    return Finding(
        place=item.place,
        message=f"The administration pages{about} ({item.name}) are open to anybody: no `is_accessible` asks who.",
        remedy="Define `is_accessible(self)` on the view (`current_user.is_authenticated and current_user.is_admin`); "
        "a check on the index page does not cover the others.",
    )


def _library(item: OpenLibrary) -> Finding:
    at = f" at {item.path}" if item.path else ""
    return Finding(
        place=item.place,
        message=f"The pages of `{item.name}`{at} show {item.what} to anybody: the library asks for no login by itself.",
        remedy=f"Close them with {item.closes}, or mount them only in development.",
        assumed=item.assumed,
    )
