"""Routes at which credentials can be tried, and what limits how often."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.deeds import words
from backaudit.backend.access.credentials import checks_password, opens_session, takes_code
from backaudit.backend.access.guards import guarded, in_body
from backaudit.backend.deployment.django_settings import django_setting, entry
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import injected_bodies
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.holding import always_raises
from backaudit.project.locate import strings
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.protocols import TAKING

_LOGIN = meaning("routes", "login")
_TOKEN = frozenset({"token", "tokens"})
_NOT = meaning("routes", "no-login")
_OTHERS = meaning("routes", "guessable")
_COUNTS = meaning("access", "counted")


def _serves(route: Route) -> bool:
    """Whether a route of what is deployed may take something; one that refuses all that comes takes nothing."""
    taking = not route.methods or not TAKING.isdisjoint(route.methods)
    return route.handler.file.role == "production" and taking and not always_raises(route.handler)


def _logs_in_by_get(project: Project, route: Route) -> bool:
    """Whether a GET holds a password against the stored one: more than the page that asks for it."""
    known = "GET" in route.methods and not always_raises(route.handler) and bool(words(route) & _LOGIN.words)
    return known and route.handler.file.role == "production" and checks_password(project, route.handler)


def _injected(project: Project, route: Route) -> Iterator[Code]:
    """What is run for the handler's parameters: there a password may be checked before the handler lets in."""
    for index in range(len(route.handler.function.params)):
        yield from injected_bodies(project, route.handler, index)


def limited(route: Route) -> bool:
    """By a guard, or by the handler's own counting."""
    if any(guard.kind == "rate-limit" for guard in route.guards):
        return True
    return any(_COUNTS.holds(node.spelled.lower()) for node in route.handler.nodes(ops.Call))


def is_login(project: Project, route: Route) -> bool:
    if not _serves(route):
        return _logs_in_by_get(project, route)
    found = words(route)
    if found & _NOT.words or found & _OTHERS.words:
        return False
    if found & _LOGIN.words:
        return True
    before = any(checks_password(project, code) for code in _injected(project, route))
    checks = before or checks_password(project, route.handler)
    asked = any(guard.kind == "authenticates" and not in_body(guard) for guard in route.guards)
    if "{" in route.path:
        return False
    if found & _TOKEN:
        return asked or checks
    return checks and (before or not asked) and opens_session(project, route.handler)


def library_logins(project: Project) -> Iterator[Node]:
    """Where a field of a schema is made that is a library's login: ``token_auth = ObtainJSONWebToken.Field()``."""
    for call in project.calls(*sorted(project.models.kinds["login-fields"])):
        if call.code.file.role == "production":
            yield call


def unlimited_others(project: Project) -> tuple[Route, ...]:
    """Registrations, resets and the codes of either, each handler once."""
    open_routes = (route for route in project.once(guarded) if _serves(route) and not limited(route))
    kept = {route.handler: route for route in reversed(tuple(open_routes)) if _guessable(project, route)}
    return tuple(sorted(kept.values(), key=lambda route: route.handler.place))


def _guessable(project: Project, route: Route) -> bool:
    if any(guard.kind == "authenticates" and not in_body(guard) for guard in route.guards):
        return False
    if takes_code(project, route.handler):
        return True
    found = words(route)
    return bool(found & _OTHERS.words) and not found & {"confirm", "verify"}


def limited_everywhere(project: Project) -> bool:
    """Limits that hold for the whole application."""
    known = project.models.kinds.get("rate-limit-apps", frozenset())
    for name in ("INSTALLED_APPS", "MIDDLEWARE"):
        setting = django_setting(project, name)
        if setting is not None and not known.isdisjoint(strings(project, setting.value)):
            return True
    if any(call.arg(None, "default_limits") is not None for call in project.calls_of("Limiter")):
        return True
    wrapped = (call.arg(0) for call in project.calls_of("add_middleware"))
    names = (name for node in filter(None, wrapped) for name in project.names(node))
    return any("ratelimit" in name.lower().replace("_", "") or "slowapi" in name.lower() for name in names)


def throttled(project: Project) -> bool:
    """REST framework's default throttles, which hold for its own views and for no others; not for named views alone."""
    listed = entry(project, "REST_FRAMEWORK", "DEFAULT_THROTTLE_CLASSES")
    return listed is not None and not project.models.kinds["scoped-throttles"].issuperset(strings(project, listed))
