"""auth/no-rate-limit-login."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.exposure import words
from backaudit.backend.access.credentials import checks_password, opens_session, takes_code
from backaudit.backend.access.guards import guarded, in_body
from backaudit.backend.deployment.settings import django_setting, entry
from backaudit.backend.web.frameworks.django import library_views
from backaudit.backend.web.records import LibraryView, Route
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.project.locate import strings
from backaudit.rule import Finding, Step, rule
from backaudit.vocabulary.meaning import meaning

_LOGIN = meaning("routes", "login")
_TOKEN = frozenset({"token", "tokens"})
_NOT = meaning("routes", "no-login")
_OTHERS = meaning("routes", "guessable")
_COUNTS = meaning("access", "counted")


@rule(
    "auth/no-rate-limit-login",
    severity="medium",
    cwe=307,
    owasp=("A07:2025", "A07:2021", "API2:2023"),
    shown="strict",
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
    if _limited_everywhere(project):
        return
    others = _unlimited_others(project)
    seen: set[Place] = set()
    for route in project.once(guarded):
        if _is_login(project, route) and not _limited(route) and route.handler.place not in seen:
            related = tuple(Step(other.handler.place, "nor is this limited") for other in others) if not seen else ()
            seen.add(route.handler.place)
            yield _finding(route, "takes credentials without a rate limit", related)
    for route in others if not seen else ():
        if route.handler.place not in seen:
            seen.add(route.handler.place)
            yield _finding(route, "can be tried without a rate limit", ())
    yield from _library(project)


def _finding(route: Route, what: str, related: tuple[Step, ...]) -> Finding:
    return Finding(
        place=route.handler.place,
        message=f"{_shown(route)} {what}.",
        remedy=_remedy(route),
        related=related,
        scope=route.handler.function.qualname,
    )


def _shown(route: Route) -> str:
    return f"{'/'.join(route.methods) or 'Any method'} {route.path}"


def _remedy(route: Route) -> str:
    known = {
        "flask": 'Put `@limiter.limit("5/minute")` of Flask-Limiter on it.',
        "fastapi": 'Put `@limiter.limit("5/minute")` of slowapi on it, or depend on `RateLimiter` of fastapi-limiter.',
        "django": "Install django-axes, or put `@ratelimit` of django-ratelimit or `throttle_classes` on it.",
    }
    return known.get(route.framework, "")


def _serves(route: Route) -> bool:
    return route.handler.file.role == "production" and (not route.methods or "POST" in route.methods)


def _limited(route: Route) -> bool:
    """By a guard, or by the handler's own counting."""
    if any(guard.kind == "rate-limit" for guard in route.guards):
        return True
    return any(_COUNTS.holds(node.spelled.lower()) for node in route.handler.nodes(ops.Call))


def _is_login(project: Project, route: Route) -> bool:
    if not _serves(route):
        return False
    found = words(route)
    if found & _NOT.words or found & _OTHERS.words:
        return False
    if found & _LOGIN.words:
        return True
    checks = checks_password(project, route.handler)
    asked = any(guard.kind == "authenticates" and not in_body(guard) for guard in route.guards)
    if found & _TOKEN and "{" not in route.path:
        return asked or checks
    return checks and not asked and "{" not in route.path and opens_session(project, route.handler)


def _unlimited_others(project: Project) -> tuple[Route, ...]:
    """Registrations, resets and the codes of either, each handler once."""
    open_routes = (route for route in project.once(guarded) if _serves(route) and not _limited(route))
    kept = {route.handler: route for route in reversed(tuple(open_routes)) if _guessable(project, route)}
    return tuple(sorted(kept.values(), key=lambda route: route.handler.place))


def _guessable(project: Project, route: Route) -> bool:
    if any(guard.kind == "authenticates" and not in_body(guard) for guard in route.guards):
        return False
    if takes_code(project, route.handler):
        return True
    found = words(route)
    return bool(found & _OTHERS.words) and not found & {"confirm", "verify"}


def _limited_everywhere(project: Project) -> bool:
    """Limits that hold for the whole application."""
    known = project.models.kinds.get("rate-limit-apps", frozenset())
    for name in ("INSTALLED_APPS", "MIDDLEWARE"):
        setting = django_setting(project, name)
        if setting is not None and not known.isdisjoint(strings(project, setting.value)):
            return True
    if any(call.arg(None, "default_limits") is not None for call in project.calls_of("Limiter")):
        return True
    wrapped = (call.arg(0) for call in project.calls_of("add_middleware"))
    names = (name for node in wrapped if node is not None for name in project.names(node))
    return any("ratelimit" in name.lower().replace("_", "") or "slowapi" in name.lower() for name in names)


def _library(project: Project) -> Iterator[Finding]:
    known = project.models.kinds.get("login-views", frozenset())
    seen: set[Place] = set()
    throttled = project.once(_throttled)
    for view in project.once(library_views):
        if throttled and not view.name.startswith("django.contrib."):
            continue
        if view.name in known and view.place not in seen and project.role(view.place.path) == "production":
            seen.add(view.place)
            yield _library_finding(view)


def _throttled(project: Project) -> bool:
    """REST framework's default throttles, which hold for its own views and for no others."""
    listed = entry(project, "REST_FRAMEWORK", "DEFAULT_THROTTLE_CLASSES")
    return listed is not None and bool(strings(project, listed))


def _library_finding(view: LibraryView) -> Finding:
    return Finding(
        place=view.place,
        message=f"{view.path} is the login of `{view.name}`, which has no rate limit of its own.",
        remedy="Install django-axes, or wrap the view with a limit (REST framework: `DEFAULT_THROTTLE_CLASSES`).",
    )
