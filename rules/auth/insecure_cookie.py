"""auth/insecure-cookie."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.cookies import decisive
from backaudit.backend.deployment.settings import is_literally, settings_of
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.locate import strings, text_of
from backaudit.project.strings import spelled_strings
from backaudit.rule import KNOWN, Assumed, Finding, Severity, assume, rule
from backaudit.vocabulary.meaning import meaning

_SESSION = meaning("tokens", "session-cookie")
_READ_BY_SCRIPTS = meaning("tokens", "script-cookie")
_FLAG_VALUES = meaning("texts", "flag")
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
    for last in ("set_cookie", "set_signed_cookie"):
        for call in project.calls_of(last):
            if call.receiver is not None:
                yield from _set(project, call, call.arg(1, "value"))
    for call in project.calls(*sorted(project.models.kinds.get("cookie-objects", ()))):
        yield from _set(project, call, call.arg(None, "value"))
    for call in project.calls(*sorted(project.models.kinds.get("cookie-writers", ()))):
        yield from _writer(project, call)
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
    yield from _headers(project)
    yield from _jars(project)
    yield from _carried(project)
    yield from _middleware(project)


def _set(project: Project, call: Node, value: Node | None) -> Iterator[Finding]:
    if project.role(call.code.path) != "production":
        return
    op = call.call
    name = text_of(project, call.arg(0, "key") or call.arg(None, "name"))
    shown = name or (call.arg(0, "key") or call).spelled
    told = f"{shown} {value.spelled if value is not None else ''}"
    decides = name in project.once(decisive)
    if value is None or op is None or op.dstar:
        return
    spelled = str(value.const).lower()
    if not decides and (not spelled or _FLAG_VALUES.holds(spelled)):
        return  # an empty cookie takes the other away, a yes or no tells the page something
    if _READ_BY_SCRIPTS.holds(told):
        return
    if not decides and not _SESSION.holds(told):
        yield from _switched_off(project, call, shown)
        return
    lacking = [flag for flag in ("httponly", "secure", "samesite") if _off(project, call.arg(None, flag))]
    if "httponly" in lacking or "secure" in lacking:
        named = ", ".join(f"`{flag}`" for flag in lacking)
        yield Finding(
            place=call.place,
            message=f"The cookie `{shown}` is set without {named}.",
            remedy="Add " + ", ".join(_FLAGS[flag] for flag in lacking) + ".",
            assumed=KNOWN if "httponly" in lacking else _PLAIN_HTTP,
            scope=call.code.function.qualname,
        )


def _switched_off(project: Project, call: Node, shown: str) -> Iterator[Finding]:
    """A cookie of whatever name whose protection somebody took away by hand."""
    secure = call.arg(None, "secure")
    if secure is not None and is_literally(project, secure, False):
        yield Finding(
            place=call.place,
            message=f"The cookie `{shown}` is told to go over plain HTTP as well: `secure=False`.",
            remedy="Add `secure=True`, in development switched off by the environment.",
            assumed=_PLAIN_HTTP,
            shown="strict",
            scope=call.code.function.qualname,
        )


def _headers(project: Project) -> Iterator[Finding]:
    """``Set-Cookie`` written as a header."""
    for last in ("send_header", "add_header", "set_header", "append", "add", "setdefault"):
        for call in project.calls_of(last):
            name, value = call.arg(0), call.arg(1)
            if name is not None and value is not None and (name.text or "").lower() == "set-cookie":
                yield from _header(project, call, value)
    for code in project.mentioning("headers"):
        for node in code.nodes(ops.SetItem):
            op = node.op
            if isinstance(op, ops.SetItem) and (node.to(op.key).text or "").lower() == "set-cookie":
                yield from _header(project, node, node.to(op.value))


def _header(project: Project, node: Node, value: Node) -> Iterator[Finding]:
    for text in spelled_strings(project, value) if project.role(node.code.path) == "production" else ():
        name, _, rest = text.partition("=")
        flags = [part.strip().lower().partition("=")[0] for part in rest.split(";")[1:]]
        yield from _lacking(project, node, name.strip(), [flag for flag in _FLAGS if flag not in flags])
        return


def _jars(project: Project) -> Iterator[Finding]:
    """``jar = SimpleCookie(); jar["session"] = sid``."""
    for call in project.calls("http.cookies.SimpleCookie"):
        stores = [node for node in call.code.nodes(ops.SetItem) if project.role(call.code.path) == "production"]
        for node in stores:
            op = node.op
            if isinstance(op, ops.SetItem) and node.to(op.base).origin == call:
                name = node.to(op.key).text or ""
                set_ = {flag for other in stores for flag in _morsel(other, call, name)}
                yield from _lacking(project, node, name, [flag for flag in _FLAGS if flag not in set_])


def _morsel(node: Node, jar: Node, name: str) -> Iterator[str]:
    """The attribute that ``jar[name][attribute] = ...`` sets."""
    op = node.op
    base = node.to(op.base).origin if isinstance(op, ops.SetItem) else node
    inner = base.op
    if not isinstance(op, ops.SetItem) or not isinstance(inner, ops.Item):
        return
    if base.to(inner.base).origin == jar and base.to(inner.key).text == name:
        yield (node.to(op.key).text or "").lower()


def _lacking(project: Project, node: Node, name: str, lacking: list[str]) -> Iterator[Finding]:
    decides = name in project.once(decisive) or (_SESSION.holds(name) and not _READ_BY_SCRIPTS.holds(name))
    if decides and {"httponly", "secure"} & set(lacking):
        yield Finding(
            place=node.place,
            message=f"The cookie `{name}` is set without {', '.join(f'`{flag}`' for flag in lacking)}.",
            remedy="Write `HttpOnly; Secure; SameSite=Lax` behind it.",
            assumed=KNOWN if "httponly" in lacking else _PLAIN_HTTP,
            scope=node.code.function.qualname,
        )


def _off(project: Project, node: Node | None) -> bool:
    """Whether a flag is absent or literally off; what is computed may be on."""
    if node is None or is_literally(project, node, False):
        return True
    here = project.resolved(node).op
    return isinstance(here, ops.Const) and here.value is None


def _writer(project: Project, call: Node) -> Iterator[Finding]:
    """An object that will set the cookie, told to leave a protection off."""
    lacking = [flag for flag in ("httponly", "secure") if _told_off(project, call, flag)]
    if not lacking or project.role(call.code.path) != "production":
        return
    more = "" if "secure" in lacking or _flag(call, "secure") is not None else ", and nothing makes it `secure`"
    what = "scripts can read the session cookie" if "httponly" in lacking else "the cookie also goes over plain HTTP"
    yield Finding(
        place=call.place,
        message=f"`{lacking[0]}=False`: {what}{more}.",
        remedy="Leave both flags on, in development switched off by the environment.",
        assumed=KNOWN if "httponly" in lacking else _PLAIN_HTTP,
    )


def _flag(call: Node, flag: str) -> Node | None:
    return call.arg(None, flag) or call.arg(None, f"cookie_{flag}")


def _told_off(project: Project, call: Node, flag: str) -> bool:
    given = _flag(call, flag)
    return given is not None and is_literally(project, given, False)


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
            remedy = "`https_only=True`, in development switched off by the environment."
            yield Finding(place=call.place, message=message, remedy=remedy, shown="strict", assumed=_PLAIN_HTTP)
