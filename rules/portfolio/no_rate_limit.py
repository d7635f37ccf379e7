"""portfolio/no-rate-limit."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.findings import lacking
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("portfolio/no-rate-limit", severity="low", shown="strict", tags=("portfolio",), about_files=True)
def no_rate_limit(project: Project) -> Iterator[Finding]:
    """A login, registration or reset may be tried as often as one likes.

    Lists of leaked passwords are tried on every login that answers, and a registration without a limit fills the
    table. Of a portfolio project it is asked as the first sign of care.

    Mend: limit by address and by account: slowapi, Flask-Limiter, REST framework's throttles, django-axes.

    Bad:
        from flask import Flask, request, session
        from werkzeug.security import check_password_hash

        app = Flask(__name__)

        @app.post("/login")
        def login():
            user = find(request.form["name"])
            if user and check_password_hash(user.hash, request.form["password"]):
                session["user_id"] = user.id
                return {}
            return {}, 401

    Good:
        from flask import Flask, request, session
        from flask_limiter import Limiter
        from werkzeug.security import check_password_hash

        app = Flask(__name__)
        limiter = Limiter(lambda: request.remote_addr, app=app)

        @app.post("/login")
        @limiter.limit("5 per minute")
        def login():
            user = find(request.form["name"])
            if user and check_password_hash(user.hash, request.form["password"]):
                session["user_id"] = user.id
                return {}
            return {}, 401
    """
    yield from lacking(project, "limits")
