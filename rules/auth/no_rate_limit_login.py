"""auth/no-rate-limit-login."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.attempts import (
    is_login,
    library_logins,
    limited,
    limited_everywhere,
    throttled,
    unlimited_others,
)
from backaudit.backend.access.guards import acting
from backaudit.backend.web.frameworks.django import library_views
from backaudit.backend.web.records import LibraryView, Route
from backaudit.distinct import distinct
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.rule import Finding, Step, capitalized, everywhere, rule

_COUNTED = "Count the tries of an account and of an address in a shared store, and refuse further ones for a while."


@rule(
    "auth/no-rate-limit-login", severity="medium", cwe=307, owasp=("A07:2025", "A07:2021", "API2:2023"), shown="strict"
)
def no_rate_limit_login(project: Project) -> Iterator[Finding]:
    """A login may be tried as often as one likes.

    Lists of leaked passwords are tried on every login that answers. Without a limit a small machine tries millions a
    day.

    Mend: limit by address and by account: `@limiter.limit("5/minute")` (Flask-Limiter, slowapi), `throttle_scope` or
    `DEFAULT_THROTTLE_CLASSES` (REST framework), django-axes or django-ratelimit (Django). Count failures in a shared
    store, not in the process.

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

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html#login-throttling
    """
    if limited_everywhere(project):
        return
    others = unlimited_others(project)
    seen: set[Place] = set()
    for route in project.once(acting):
        if is_login(project, route) and not limited(route) and route.handler.place not in seen:
            beside = [Step(other.handler.place, "nor is this limited") for other in others if not seen]
            seen.add(route.handler.place)
            yield from everywhere(_finding(route, "takes credentials without a rate limit"), beside)
    for route in others if not seen else ():
        if route.handler.place not in seen:
            seen.add(route.handler.place)
            yield _finding(route, "can be tried without a rate limit")
    yield from _library(project)
    for call in distinct(library_logins(project), lambda call: call.code.cls or call.code):
        yield Finding(
            place=call.place,
            message=f"`{call.spelled}` is a login of its library, which limits nothing.",
            remedy=_COUNTED,
        )


def _finding(route: Route, what: str) -> Finding:
    return Finding(
        place=route.handler.place,
        message=f"{capitalized(route.label)} {what}.",
        remedy=_remedy(route),
        scope=route.handler.function.qualname,
    )


def _remedy(route: Route) -> str:
    return route.handler.project.models.framework(route.framework).limits_logins or _COUNTED


def _library(project: Project) -> Iterator[Finding]:
    views = (view for view in project.once(library_views) if _takes_logins(project, view))
    return map(_library_finding, distinct(views, lambda view: view.place))


def _takes_logins(project: Project, view: LibraryView) -> bool:
    """Whether a library's view logs in, unlimited by what limits all views (which Django's own do not ask)."""
    if project.once(throttled) and not view.name.startswith(tuple(project.models.kinds["beside-throttles"])):
        return False
    return view.name in project.models.kinds["login-views"] and project.role(view.place.path) == "production"


def _library_finding(view: LibraryView) -> Finding:
    return Finding(
        place=view.place,
        message=f"{view.path} is the login of `{view.name}`, which has no rate limit of its own.",
        remedy="Install django-axes, or wrap the view with a limit (REST framework: `DEFAULT_THROTTLE_CLASSES`).",
    )
