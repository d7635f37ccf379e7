"""auth/insecure-cookie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backaudit.analyses.auth.cookie_flags import SetCookie, open_sessions, set_cookies, writers, written_cookies
from backaudit.backend.deployment.settings import is_literally, settings_of
from backaudit.project import Node, Project
from backaudit.project.locate import strings
from backaudit.rule import KNOWN, Assumed, Finding, Severity, assume, rule

_FLAGS = {"httponly": "`httponly=True`", "secure": "`secure=True`", "samesite": '`samesite="Lax"`'}
_PLAIN_HTTP = assume("network", "the service can also be asked over plain HTTP")
_OFF: tuple[tuple[str, str, Severity, Assumed], ...] = (
    ("cookie-settings:httponly", "scripts can read the cookie that logs in", "high", KNOWN),
    ("cookie-settings:secure", "the cookie that logs in also goes over plain HTTP", "medium", _PLAIN_HTTP),
    ("cookie-settings:csrf-secure", "the CSRF cookie also goes over plain HTTP", "low", _PLAIN_HTTP),
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
    for cookie in set_cookies(project):
        yield from _set(cookie)
    for call, lacking, plain in writers(project):
        yield _writer(call, lacking, plain=plain)
    for kind, what, severity, assumed in _OFF:
        for setting in settings_of(project, kind):
            if is_literally(project, setting.value, False):
                yield Finding(
                    place=setting.place,
                    message=f"`{setting.name} = False`: {what}.",
                    remedy=f"`{setting.name} = True`, in development switched off by the environment.",
                    severity=severity,
                    assumed=assumed,
                )
    for cookie in written_cookies(project):
        yield _lacking(cookie, "Write `HttpOnly; Secure; SameSite=Lax` behind it.")
    yield from _carried(project)
    yield from map(_middleware, open_sessions(project))


def _set(cookie: SetCookie) -> Iterator[Finding]:
    if not cookie.logs_in:
        yield from _switched_off(cookie)
    elif "httponly" in cookie.lacking or "secure" in cookie.lacking:
        yield _lacking(cookie, "Add " + ", ".join(_FLAGS[flag] for flag in cookie.lacking) + ".")


def _switched_off(cookie: SetCookie) -> Iterator[Finding]:
    """A cookie of whatever name whose protection somebody took away by hand."""
    if "secure" in cookie.told_off:
        yield Finding(
            place=cookie.at.place,
            message=f"The cookie `{cookie.name}` is told to go over plain HTTP as well: `secure=False`.",
            remedy="Add `secure=True`, in development switched off by the environment.",
            assumed=_PLAIN_HTTP,
            shown="strict",
            scope=cookie.at.code.function.qualname,
        )


def _lacking(cookie: SetCookie, remedy: str) -> Finding:
    return Finding(
        place=cookie.at.place,
        message=f"The cookie `{cookie.name}` is set without {', '.join(f'`{flag}`' for flag in cookie.lacking)}.",
        remedy=remedy,
        assumed=KNOWN if "httponly" in cookie.lacking else _PLAIN_HTTP,
        scope=cookie.at.code.function.qualname,
    )


def _writer(call: Node, lacking: Sequence[str], *, plain: bool) -> Finding:
    """An object that will set the cookie, told to leave a protection off."""
    more = ", and nothing makes it `secure`" if plain else ""
    what = "scripts can read the session cookie" if "httponly" in lacking else "the cookie also goes over plain HTTP"
    return Finding(
        place=call.place,
        message=f"`{lacking[0]}=False`: {what}{more}.",
        remedy="Leave both flags on, in development switched off by the environment.",
        assumed=KNOWN if "httponly" in lacking else _PLAIN_HTTP,
    )


def _carried(project: Project) -> Iterator[Finding]:
    """Tokens in cookies, whose extension leaves `Secure` off until it is told."""
    if settings_of(project, "cookie-settings:location-secure"):
        return
    for setting in settings_of(project, "cookie-settings:location"):
        if "cookies" in strings(project, setting.value):
            secure = f"{setting.name.upper().removesuffix('TOKEN_LOCATION')}COOKIE_SECURE"
            yield Finding(
                place=setting.place,
                message=f"Tokens travel in cookies and `{secure}` is not set: they also go over plain HTTP.",
                remedy=f"`{secure} = True`, in development switched off by the environment.",
                assumed=_PLAIN_HTTP,
            )


def _middleware(call: Node) -> Finding:
    return Finding(
        place=call.place,
        message="The session cookie also goes over plain HTTP: `https_only` is not set.",
        remedy="`https_only=True`, in development switched off by the environment.",
        shown="strict",
        assumed=_PLAIN_HTTP,
    )
