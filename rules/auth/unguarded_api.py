"""auth/unguarded-api."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.unguarded import Touched, Unguarded, unguarded
from backaudit.project import Project
from backaudit.rule import Finding, Step, capitalized, everywhere, rule


@rule("auth/unguarded-api", severity="critical", cwe=306, owasp=("A01:2025", "A07:2025", "A01:2021", "API2:2023"))
def unguarded_api(project: Project) -> Iterator[Finding]:
    """No route of the API asks who is calling.

    The project keeps users, logins or personal data, and every route answers whoever finds it: a login that is
    required nowhere protects nothing. Whoever knows the address reads, changes and deletes all of it.

    Mend: ask by default, once for all routes, and open those few that must be (login, registration, health).

    Given:
        from flask import Flask, abort, request, session
        from flask_sqlalchemy import SQLAlchemy
        from werkzeug.security import check_password_hash

        app = Flask(__name__)
        db = SQLAlchemy(app)

        class User(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            name = db.Column(db.String(40), unique=True)
            password_hash = db.Column(db.String(256))

        class Order(db.Model):
            id = db.Column(db.Integer, primary_key=True)

        @app.post("/login")
        def login():
            user = User.query.filter_by(name=request.form["name"]).first()
            if user is None or not check_password_hash(user.password_hash, request.form["password"]):
                return {}, 401
            session["user_id"] = user.id
            return {}

    Bad:
        @app.delete("/orders/<int:order_id>")
        def drop(order_id):
            Order.query.filter_by(id=order_id).delete()
            db.session.commit()
            return {}, 204

    Good:
        @app.before_request
        def ask():
            if request.endpoint != "login" and "user_id" not in session:
                abort(401)

        @app.delete("/orders/<int:order_id>")
        def drop(order_id):
            Order.query.filter_by(id=order_id).delete()
            db.session.commit()
            return {}, 204

    Links:
        https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/
        https://cheatsheetseries.owasp.org/cheatsheets/Authorization_Cheat_Sheet.html#deny-by-default
    """
    found = project.once(unguarded)
    if found is not None:
        others = (
            Step(item.route.handler.place, f"{capitalized(item.route.label)} {_verb(item)}")
            for item in found.routes[1:]
        )
        yield from everywhere(_finding(found), others)


def _finding(found: Unguarded) -> Finding:
    first = found.first
    framework = first.route.handler.project.models.framework(first.route.framework)
    return Finding(
        place=first.route.handler.place,
        message=_message(found),
        remedy=framework.guards_all or "Ask for the caller in one place that all routes pass.",
        assumed=found.assumed,
        trace=(Step(first.route.place, "the route, without a guard"), Step(first.at, _does(first))),
        scope=first.route.handler.function.qualname,
    )


def _message(found: Unguarded) -> str:
    changing = sum(item.changes for item in found.routes)
    showing = len(found.routes) - changing
    counted = f"{changing} change data" + (f", {showing} show it" if showing else "")
    return (
        f"The project has {found.keeps}, and none of its routes asks who is calling: {counted}; "
        f"{found.first.route.label} {_verb(found.first)} for anybody."
    )


def _verb(item: Touched) -> str:
    what = f"`{item.what}`" if item.what else "data"
    return f"changes {what}" if item.changes else f"shows {what}"


def _does(item: Touched) -> str:
    return "data changes here" if item.changes else "data is read here"
