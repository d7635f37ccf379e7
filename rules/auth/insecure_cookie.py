"""auth/insecure-cookie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from backaudit.analyses.auth.cookie_flags import (
    SetCookie,
    carried,
    open_sessions,
    set_cookies,
    writers,
    written_cookies,
)
from backaudit.analyses.auth.mends import FLAGS, flags_on, protected, setting_on, told_on
from backaudit.backend.deployment.setting import Setting
from backaudit.backend.deployment.settings import is_literally, settings_of
from backaudit.backend.deployment.stages import stage_of
from backaudit.facts.place import Place
from backaudit.project import Node, Project
from backaudit.rule import KNOWN, Assumed, Finding, Fix, Severity, assume, rule

_DEVELOPING = ", in development switched off by the environment."
_PLAIN_HTTP = assume("network", "the service can also be asked over plain HTTP")
_OFF: tuple[tuple[str, str, Severity, Assumed], ...] = (
    ("cookie-settings:httponly", "scripts can read the cookie that logs in", "high", KNOWN),
    ("cookie-settings:secure", "the cookie that logs in also goes over plain HTTP", "medium", _PLAIN_HTTP),
    ("cookie-settings:csrf-secure", "the CSRF cookie also goes over plain HTTP", "low", _PLAIN_HTTP),
)


@rule("auth/insecure-cookie", severity="medium", cwe=(614, 1004), owasp=("A02:2025", "A05:2021", "API8:2023"))
def insecure_cookie(project: Project) -> Iterator[Finding]:
    """A session's or token's cookie is not protected.

    Without `HttpOnly` a single script injected into a page reads the cookie and takes over the session. Without
    `Secure` the browser sends it over plain HTTP as well, where anybody on the way reads it. Without `SameSite` other
    sites can send it along.

    Mend: `set_cookie(..., httponly=True, secure=True, samesite="Lax")`; in settings `SESSION_COOKIE_SECURE = True` and
    leave `SESSION_COOKIE_HTTPONLY` on.

    Given:
        from fastapi import FastAPI, Response

        app = FastAPI()

    Bad:
        @app.post("/login")
        def login(response: Response):
            response.set_cookie("session_id", new_session())
            return {}

    Good:
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
        for setting in filter(partial(_serves, project), settings_of(project, kind)):
            if is_literally(project, setting.value, False):
                yield Finding(
                    place=setting.place,
                    message=f"`{setting.name} = False`: {what}.",
                    remedy=f"`{setting.name} = True`{_DEVELOPING}",
                    severity=severity,
                    assumed=assumed,
                    fixes=tuple(setting_on(setting)),
                )
    for cookie in written_cookies(project):
        yield _lacking(cookie, "Write `HttpOnly; Secure; SameSite=Lax` behind it.")
    for setting, secure in carried(project):
        told = f"Tokens travel in cookies and `{secure}` is not set: they also go over plain HTTP."
        yield _plain(setting.place, told, f"`{secure} = True`")
    for call in open_sessions(project):
        told = "The session cookie also goes over plain HTTP: `https_only` is not set."
        yield _plain(call.place, told, "`https_only=True`", shown="strict", fixes=tuple(told_on(call, ["https_only"])))


def _set(cookie: SetCookie) -> Iterator[Finding]:
    if not cookie.logs_in:
        yield from _switched_off(cookie)
    elif "httponly" in cookie.lacking or "secure" in cookie.lacking:
        remedy = "Add " + ", ".join(f"`{flag}={FLAGS[flag]}`" for flag in cookie.lacking) + "."
        yield _lacking(cookie, remedy, flags_on(cookie))


def _switched_off(cookie: SetCookie) -> Iterator[Finding]:
    """A cookie of whatever name whose protection somebody took away by hand."""
    if "secure" in cookie.told_off:
        yield _plain(
            cookie.at.place,
            f"The cookie `{cookie.name}` is told to go over plain HTTP as well: `secure=False`.",
            "Add `secure=True`",
            shown="strict",
            scope=cookie.at.code.function.qualname,
            fixes=tuple(told_on(cookie.at, ["secure"])),
        )


def _lacking(cookie: SetCookie, remedy: str, fixes: Iterable[Fix] = ()) -> Finding:
    return Finding(
        place=cookie.at.place,
        message=f"The cookie `{cookie.name}` is set without {', '.join(f'`{flag}`' for flag in cookie.lacking)}.",
        remedy=remedy,
        assumed=KNOWN if "httponly" in cookie.lacking else _PLAIN_HTTP,
        scope=cookie.at.code.function.qualname,
        fixes=tuple(fixes),
    )


def _writer(call: Node, lacking: Sequence[str], *, plain: bool) -> Finding:
    """An object that will set the cookie, told to leave a protection off."""
    more = ", and nothing makes it `secure`" if plain else ""
    what = "scripts can read the session cookie" if "httponly" in lacking else "the cookie also goes over plain HTTP"
    return Finding(
        place=call.place,
        message=f"`{lacking[0]}=False`: {what}{more}.",
        remedy=f"Leave both flags on{_DEVELOPING}",
        assumed=KNOWN if "httponly" in lacking else _PLAIN_HTTP,
        fixes=tuple(protected(call, lacking)),
    )


def _plain(place: Place, message: str, remedy: str, **more: Any) -> Finding:
    """What lets a cookie go over plain HTTP too."""
    return Finding(place=place, message=message, remedy=f"{remedy}{_DEVELOPING}", assumed=_PLAIN_HTTP, **more)


def _serves(project: Project, setting: Setting) -> bool:
    """Whether a setting is not of a project that stands in a folder of tests."""
    return stage_of(project, setting.place.path) != "test"
