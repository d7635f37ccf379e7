"""auth/missing-role-check."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.roles import Unranked, unranked
from backaudit.project import Project
from backaudit.rule import Finding, Step, capitalized, rule


@rule("auth/missing-role-check", severity="high", cwe=(862, 285), owasp=("A01:2025", "A01:2021", "API5:2023"))
def missing_role_check(project: Project) -> Iterator[Finding]:
    """A route asks only who is calling where it should ask what the caller may do.

    Its siblings ask for a role before they touch the same rows, or it lets anybody who is logged in write the column
    that says what a person may do. Every account can then do what only a few should, by calling the address.

    Mend: put the check of its siblings before it; let only those with the right write roles.

    Given:
        from flask import Flask, abort
        from flask_login import current_user, login_required
        from flask_sqlalchemy import SQLAlchemy

        app = Flask(__name__)
        db = SQLAlchemy(app)

        class Price(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            cents = db.Column(db.Integer)

        @app.post("/prices/<int:price_id>")
        @login_required
        def change(price_id):
            if not current_user.is_admin:
                abort(403)
            Price.query.filter_by(id=price_id).update({"cents": 100})
            db.session.commit()
            return {}

    Bad:
        @app.delete("/prices/<int:price_id>")
        @login_required
        def drop(price_id):
            Price.query.filter_by(id=price_id).delete()
            db.session.commit()
            return {}, 204

    Good:
        @app.delete("/prices/<int:price_id>")
        @login_required
        def drop(price_id):
            if not current_user.is_admin:
                abort(403)
            Price.query.filter_by(id=price_id).delete()
            db.session.commit()
            return {}, 204

    Links:
        https://owasp.org/API-Security/editions/2023/en/0xa5-broken-function-level-authorization/
    """
    for item in project.once(unranked):
        yield Finding(
            place=item.place,
            message=_message(item),
            remedy=_remedy(item),
            assumed=item.assumed,
            trace=(
                Step(item.route.place, "the route is open to every user who is logged in"),
                Step(item.at, "the row changes here"),
            ),
            related=tuple(
                Step(guard.place, f"{capitalized(other.label)} has {guard.name}") for guard, other in item.siblings
            ),
            scope=item.route.handler.function.qualname,
        )


def _message(item: Unranked) -> str:
    if item.column:
        who = "anybody who is logged in"
        return f"{capitalized(item.route.label)}: {who} writes `{item.column}` of a `{item.what}`, and so gives rights."
    guard, other = item.siblings[0]
    return (
        f"{capitalized(item.route.label)} changes `{item.what}` for everybody who is logged in; "
        f"its sibling {other.label} asks for a role (`{guard.name}`)."
    )


def _remedy(item: Unranked) -> str:
    if item.column:
        return f"Ask for the caller's own role first, and answer 403 to those who may not give `{item.column}`."
    guard = item.siblings[0][0]
    named = guard.name != "a check in the body"
    return f"Put `{guard.name}` before it as well." if named else "Make the same check of the role before the change."
