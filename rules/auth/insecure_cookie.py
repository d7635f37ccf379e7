"""auth/insecure-cookie."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.locate import text_of
from backaudit.backend.settings import is_literally, settings_named
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.rule import Confidence, Finding, Severity, rule

_SESSION = re.compile(r"sess|token|auth|jwt|sid$|^sid|login|remember|credential|access|refresh|user_?id", re.I)
_READ_BY_SCRIPTS = re.compile(r"csrf|xsrf|theme|lang|locale|consent|prefer|flash", re.I)
_STORAGES = (
    "aiohttp_session.redis_storage.RedisStorage", "aiohttp_session.SimpleCookieStorage",
    "aiohttp_session.cookie_storage.EncryptedCookieStorage", "aiohttp_session.nacl_storage.NaClCookieStorage",
    "aiohttp_session.memcached_storage.MemcachedStorage",
)  # fmt: skip
_SETTINGS: tuple[tuple[str, str, Severity], ...] = (
    ("SESSION_COOKIE_HTTPONLY", "scripts can read the session cookie", "high"),
    ("SESSION_COOKIE_SECURE", "the session cookie also goes over plain HTTP", "medium"),
    ("CSRF_COOKIE_SECURE", "the CSRF cookie also goes over plain HTTP", "low"),
    ("REMEMBER_COOKIE_HTTPONLY", "scripts can read the cookie that logs in", "high"),
    ("REMEMBER_COOKIE_SECURE", "the cookie that logs in also goes over plain HTTP", "medium"),
    ("JWT_COOKIE_SECURE", "the token's cookie also goes over plain HTTP", "medium"),
)


@rule(
    "auth/insecure-cookie",
    severity="medium",
    cwe=(614, 1004),
    owasp=("A02:2025", "A05:2021", "API8:2023"),
)
def insecure_cookie(project: Project) -> Iterator[Finding]:
    """A session's or token's cookie is not protected.

    Without `HttpOnly` a single script injected into a page reads the cookie and takes over the session. Without
    `Secure` the browser sends it over plain HTTP as well, where anybody on the way reads it. Without `SameSite` other
    sites can send it along.

    Mend: `set_cookie(..., httponly=True, secure=True, samesite="Lax")`; in settings `SESSION_COOKIE_SECURE = True` and
    leave `SESSION_COOKIE_HTTPONLY` on.

    Bad:
        from fastapi import FastAPI, Response

        app = FastAPI()

        @app.post("/login")
        def login(response: Response):
            response.set_cookie("session_id", new_session())
            return {}

    Good:
        from fastapi import FastAPI, Response

        app = FastAPI()

        @app.post("/login")
        def login(response: Response):
            response.set_cookie("session_id", new_session(), httponly=True, secure=True, samesite="lax")
            return {}

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html#cookies
    """
    for call in project.calls_of("set_cookie"):
        yield from _set(project, call)
    for call in project.calls(*_STORAGES):
        yield from _storage(project, call)
    for name, what, severity in _SETTINGS:
        for setting in settings_named(project, name):
            if is_literally(project, setting.value, False):
                message = f"`{setting.name} = False`: {what}."
                yield Finding(place=setting.place, message=message, severity=severity, confidence=_sure(name))
    yield from _middleware(project)


def _sure(name: str) -> Confidence:
    return "high" if name.endswith("HTTPONLY") else "medium"


def _set(project: Project, call: Node) -> Iterator[Finding]:
    if project.role(call.code.path) != "production" or call.receiver is None:
        return
    op = call.call
    name = text_of(project, call.arg(0, "key") or call.arg(None, "name"))
    value = call.arg(1, "value")
    shown = name or (call.arg(0, "key") or call).spelled
    told = f"{shown} {value.spelled if value is not None else ''}"
    if value is None or value.const == "":  # an empty cookie takes the other away
        return
    if op is None or op.dstar or not _SESSION.search(told) or _READ_BY_SCRIPTS.search(told):
        return
    lacking = [flag for flag in ("httponly", "secure", "samesite") if _off(project, call.arg(None, flag))]
    if "httponly" in lacking or "secure" in lacking:
        named = ", ".join(f"`{flag}`" for flag in lacking)
        yield Finding(
            place=call.place,
            message=f"The cookie `{shown}` is set without {named}.",
            confidence="high" if "httponly" in lacking else "medium",
            scope=call.code.function.qualname,
        )


def _off(project: Project, node: Node | None) -> bool:
    """Whether a flag is absent or literally off; what is computed may be on."""
    if node is None or is_literally(project, node, False):
        return True
    here = project.resolved(node).op
    return isinstance(here, ops.Const) and here.value is None


def _storage(project: Project, call: Node) -> Iterator[Finding]:
    given = call.arg(None, "httponly")
    if given is not None and is_literally(project, given, False) and project.role(call.code.path) == "production":
        secure = call.arg(None, "secure")
        more = "" if secure is not None else ", and nothing makes it `secure`"
        yield Finding(place=call.place, message=f"`httponly=False`: scripts can read the session cookie{more}.")


def _middleware(project: Project) -> Iterator[Finding]:
    """Starlette's sessions: ``https_only`` is off by itself."""
    for call in project.calls_of("add_middleware"):
        target = call.arg(0)
        names = project.names(target) if target is not None else ()
        given = call.arg(None, "https_only")
        off = given is None or given.const is False
        sessions = any(name.endswith("sessions.SessionMiddleware") for name in names)
        if sessions and off and project.role(call.code.path) == "production":
            message = "The session cookie also goes over plain HTTP: `https_only` is not set."
            yield Finding(place=call.place, message=message, shown="strict", confidence="medium")
