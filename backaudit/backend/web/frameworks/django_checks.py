"""What ``manage.py check --deploy`` says of settings, told from their text.

The ids, conditions and defaults are Django's (``django.core.checks.security``). A check whose answer hangs on a value
that cannot be told says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from backaudit.backend.deployment.django_settings import SettingsModule
from backaudit.backend.deployment.settings_values import UNKNOWN, Listed, setting_value
from backaudit.project import Node, Project

_OPENER_POLICIES = frozenset(("same-origin", "same-origin-allow-popups", "unsafe-none"))
_REFERRER_POLICIES = frozenset(
    (
        "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin",
        "strict-origin", "strict-origin-when-cross-origin", "unsafe-url",
    )
)  # fmt: skip


class DeployCheck(msgspec.Struct, frozen=True):
    """One warning: Django's ``id``, the setting, what is wrong, and the setting's value if it is set."""

    id: str
    setting: str
    fault: str
    node: Node | None


class _Settings:
    """The values of one settings module."""

    def __init__(self, project: Project, module: SettingsModule) -> None:
        self.project, self.module = project, module
        kinds = project.models.kinds
        self.security, self.frames = min(kinds["header-middleware"]), min(kinds["frame-middleware"])
        self.csrf, self.sessions = min(kinds["csrf-middleware"]), min(kinds["session-middleware"])
        self.sessions_app = min(kinds["session-apps"])

    def __getitem__(self, name: str) -> object:
        return setting_value(self.project, self.module, name, self._default(name))

    def _default(self, name: str) -> object:
        default = self.project.models.settings[name].default
        return Listed(frozenset(default)) if isinstance(default, tuple) else default

    def runs(self, middleware: str) -> bool:
        return self.lists("MIDDLEWARE", middleware) is True

    def lists(self, name: str, item: str) -> object:
        value = self[name]
        return value.has(item) if isinstance(value, Listed) else UNKNOWN

    def is_not_true(self, name: str) -> bool:
        """Whether it is surely anything but True."""
        value = self[name]
        return value is not UNKNOWN and value is not True

    def is_falsy(self, name: str) -> bool:
        value = self[name]
        return value.filled is False if isinstance(value, Listed) else value is not UNKNOWN and not value


def deploy_checks(project: Project, module: SettingsModule) -> tuple[DeployCheck, ...]:
    """What Django would say of this module, in the order of its ids."""
    settings = _Settings(project, module)
    said = [found for check in _CHECKS for found in check(settings)]
    return tuple(
        DeployCheck(f"security.{number}", name, fault, module.names.get(name))
        for number, name, fault in sorted(said, key=lambda found: (found[0][1:], found[1]))
    )


_Said = Iterator[tuple[str, str, str]]


def _middleware(settings: _Settings) -> _Said:
    absent = [
        item
        for item in (settings.security, settings.frames, settings.csrf)
        if settings.lists("MIDDLEWARE", item) is False
    ]
    if settings.security in absent:
        yield "W001", "MIDDLEWARE", "SecurityMiddleware is missing, so none of its headers is sent"
    if settings.frames in absent:
        yield "W002", "MIDDLEWARE", "XFrameOptionsMiddleware is missing, so other sites may frame the pages"
    if settings.csrf in absent:
        yield "W003", "MIDDLEWARE", "CsrfViewMiddleware is missing"


def _transport(settings: _Settings) -> _Said:
    if not settings.runs(settings.security):
        return
    if settings.is_falsy("SECURE_HSTS_SECONDS"):
        yield "W004", "SECURE_HSTS_SECONDS", "browsers are not told to use HTTPS only"
    elif settings["SECURE_HSTS_SECONDS"] is not UNKNOWN:
        if settings.is_not_true("SECURE_HSTS_INCLUDE_SUBDOMAINS"):
            yield "W005", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "subdomains may still be reached over plain HTTP"
        if settings.is_not_true("SECURE_HSTS_PRELOAD"):
            yield "W021", "SECURE_HSTS_PRELOAD", "browsers cannot know the site by their preload list"
    if settings.is_not_true("SECURE_SSL_REDIRECT"):
        yield "W008", "SECURE_SSL_REDIRECT", "plain HTTP is not redirected"


def _headers(settings: _Settings) -> _Said:
    if settings.runs(settings.frames) and settings["X_FRAME_OPTIONS"] not in (UNKNOWN, "DENY"):
        yield "W019", "X_FRAME_OPTIONS", "pages may be framed"
    if not settings.runs(settings.security):
        return
    if settings.is_not_true("SECURE_CONTENT_TYPE_NOSNIFF"):
        yield "W006", "SECURE_CONTENT_TYPE_NOSNIFF", "browsers may guess content types"
    yield from _referrer(settings["SECURE_REFERRER_POLICY"])
    opener = settings["SECURE_CROSS_ORIGIN_OPENER_POLICY"]
    if opener is not UNKNOWN and opener is not None and opener not in _OPENER_POLICIES:
        yield "E024", "SECURE_CROSS_ORIGIN_OPENER_POLICY", "the value is none that browsers know"


def _referrer(policy: object) -> _Said:
    if policy is None:
        yield "W022", "SECURE_REFERRER_POLICY", "addresses of pages are told to other sites"
        return
    named = policy.sure if isinstance(policy, Listed) else frozenset()
    if isinstance(policy, str):
        named = frozenset(part.strip() for part in policy.split(","))
    if not named <= _REFERRER_POLICIES:
        yield "E023", "SECURE_REFERRER_POLICY", "the value is none that browsers know"


def _cookies(settings: _Settings) -> _Said:
    places = (settings.lists("INSTALLED_APPS", settings.sessions_app), settings.lists("MIDDLEWARE", settings.sessions))
    for name, ids, fault in (
        ("SESSION_COOKIE_SECURE", ("W010", "W011", "W012"), "the session cookie also goes over plain HTTP"),
        ("SESSION_COOKIE_HTTPONLY", ("W013", "W014", "W015"), "scripts can read the session cookie"),
    ):
        if settings.is_not_true(name) and UNKNOWN not in places and any(places):
            yield ids[2] if all(places) else ids[0] if places[0] else ids[1], name, fault
    in_cookie = settings["CSRF_USE_SESSIONS"]
    kept_in_cookie = in_cookie is not UNKNOWN and not in_cookie and settings.runs(settings.csrf)
    if kept_in_cookie and settings.is_not_true("CSRF_COOKIE_SECURE"):
        yield "W016", "CSRF_COOKIE_SECURE", "the CSRF cookie also goes over plain HTTP"


def _rest(settings: _Settings) -> _Said:
    if settings["DEBUG"] is not UNKNOWN and settings["DEBUG"]:
        yield "W018", "DEBUG", "debug mode is on"
    if settings.is_falsy("ALLOWED_HOSTS"):
        yield "W020", "ALLOWED_HOSTS", "no host is allowed, so nothing is answered"
    key = settings["SECRET_KEY"]
    if isinstance(key, str) and _is_weak(key):
        yield "W009", "SECRET_KEY", "the key is short or generated as insecure"
    former = settings["SECRET_KEY_FALLBACKS"]
    if isinstance(former, Listed) and any(_is_weak(key) for key in former.sure):
        yield "W025", "SECRET_KEY_FALLBACKS", "a former key is short or generated as insecure"


def _is_weak(key: str) -> bool:
    return len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure-")


_CHECKS: tuple[Callable[[_Settings], _Said], ...] = (_middleware, _transport, _headers, _cookies, _rest)
