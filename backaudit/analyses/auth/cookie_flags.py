"""Which protections the code that sets a cookie leaves off."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

import msgspec

from backaudit.analyses.auth.cookies import decisive
from backaudit.backend.deployment.setting import Setting
from backaudit.backend.deployment.settings import is_literally, settings_of
from backaudit.backend.web.written_headers import bodies_with, set_headers
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.locate import strings, text_of
from backaudit.project.strings import spelled_strings
from backaudit.vocabulary.meaning import meaning

_SESSION = meaning("tokens", "session-cookie")
_READ_BY_SCRIPTS = meaning("tokens", "script-cookie")
_COOKIE_HEADER = "set-cookie"
_FLAG_VALUES = meaning("texts", "flag")
Flag = Literal["httponly", "secure", "samesite"]
_FLAGS: tuple[Flag, ...] = ("httponly", "secure", "samesite")


class SetCookie(msgspec.Struct, frozen=True):
    """A cookie that is set ``at`` a place, the flags that it lacks, and those that are literally off."""

    at: Node
    name: str
    lacking: tuple[str, ...]
    told_off: tuple[str, ...] = ()
    logs_in: bool = True


def set_cookies(project: Project) -> Iterator[SetCookie]:
    """The cookies that calls set, as far as they are for the server alone and say something."""
    for last in sorted(project.models.kinds["sets-cookies"]):
        for call in project.calls_of(last):
            if call.receiver is not None and not project.callees(call):
                yield from _set(project, call, call.arg(1, "value"))
    for call in project.calls(*sorted(project.models.kinds.get("cookie-objects", ()))):
        yield from _set(project, call, call.arg(None, "value"))


def _set(project: Project, call: Node, value: Node | None) -> Iterator[SetCookie]:
    op = call.call
    if project.role(call.code.path) != "production" or value is None or op is None or op.dstar:
        return
    given = call.argument(("key", 0, "name"))
    name = text_of(project, given)
    shown = name or (call.arg(0, "key") or call).spelled
    told = f"{shown} {value.spelled}"
    decides = name in project.once(decisive)
    # An empty cookie takes the other away, a yes or no tells the page something.
    spelled = str(value.const).lower()
    empty = not spelled or (not decides and _FLAG_VALUES.holds(spelled))
    if not empty and not _READ_BY_SCRIPTS.holds(told):
        set_already = project.models.words["cookie-flags"].get(call.method, "").split()
        asked = (flag for flag in _FLAGS if flag not in set_already or call.arg(None, flag) is not None)
        lacking = tuple(flag for flag in asked if _is_off(project, call.arg(None, flag)))
        off = tuple(flag for flag in _FLAGS if _is_literally_off(project, call.arg(None, flag)))
        yield SetCookie(call, shown, lacking, off, decides or _SESSION.holds(told))


def written_cookies(project: Project) -> Iterator[SetCookie]:
    """Cookies that log in, and lack a protection, where they are written as headers or into a jar."""
    for at, name, flags in (*_headers(project), *_jars(project)):
        lacking = tuple(flag for flag in _FLAGS if flag not in flags)
        if _logs_in(project, name) and {"httponly", "secure"} & set(lacking):
            yield SetCookie(at, name, lacking)


def _logs_in(project: Project, name: str) -> bool:
    return name in project.once(decisive) or (_SESSION.holds(name) and not _READ_BY_SCRIPTS.holds(name))


def _headers(project: Project) -> Iterator[tuple[Node, str, Collection[str]]]:
    """``Set-Cookie`` written as a header: where, the cookie's name, the flags that it has."""
    for at, value in _written_headers(project):
        texts = spelled_strings(project, value) if project.role(at.code.path) == "production" else ()
        for text in texts[:1]:
            name, _, rest = text.partition("=")
            yield at, name.strip(), [part.strip().lower().partition("=")[0] for part in rest.split(";")[1:]]


def _written_headers(project: Project) -> Iterator[tuple[Node, Node]]:
    for code in bodies_with(project, _COOKIE_HEADER):
        yield from ((at, value) for at, name, value in set_headers(code) if name == _COOKIE_HEADER)


def _jars(project: Project) -> Iterator[tuple[Node, str, Collection[str]]]:
    """``jar = SimpleCookie(); jar["session"] = sid``."""
    for call in project.calls("http.cookies.SimpleCookie"):
        stores = [node for node in call.code.nodes(ops.SetItem) if project.role(call.code.path) == "production"]
        for node in stores:
            op = node.op
            if isinstance(op, ops.SetItem) and node.to(op.base).origin == call:
                name = node.to(op.key).text or ""
                yield node, name, {flag for other in stores for flag in _morsel(other, call, name)}


def writers(project: Project) -> Iterator[tuple[Node, tuple[str, ...], bool]]:
    """Objects that will set a cookie, the flags that they are told to leave off, and whether none makes it secure."""
    for call in project.calls(*sorted(project.models.kinds.get("cookie-writers", ()))):
        lacking = tuple(flag for flag in ("httponly", "secure") if _is_told_off(project, call, flag))
        if lacking and project.role(call.code.path) == "production":
            yield call, lacking, "secure" not in lacking and _flag(call, "secure") is None


def open_sessions(project: Project) -> Iterator[Node]:
    """Where Starlette's sessions are added, whose ``https_only`` is off by itself."""
    for call in project.calls_of("add_middleware"):
        target = call.arg(0)
        names = project.names(target) if target is not None else ()
        given = call.arg(None, "https_only")
        off = given is None or given.const is False
        sessions = any(name.endswith("sessions.SessionMiddleware") for name in names)
        if sessions and off and project.role(call.code.path) == "production":
            yield call


def carried(project: Project) -> Iterator[tuple[Setting, str]]:
    """Settings that have tokens travel in cookies, and the setting beside them that would make these secure."""
    if settings_of(project, "cookie-settings:location-secure"):
        return
    for setting in settings_of(project, "cookie-settings:location"):
        if "cookies" in strings(project, setting.value):
            yield setting, f"{setting.name.upper().removesuffix('TOKEN_LOCATION')}COOKIE_SECURE"


def _morsel(node: Node, jar: Node, name: str) -> Iterator[str]:
    """The attribute that ``jar[name][attribute] = ...`` sets."""
    op = node.op
    base = node.to(op.base).origin if isinstance(op, ops.SetItem) else node
    inner = base.op
    if not isinstance(op, ops.SetItem) or not isinstance(inner, ops.Item):
        return
    if base.to(inner.base).origin == jar and base.to(inner.key).text == name:
        yield (node.to(op.key).text or "").lower()


def _is_off(project: Project, node: Node | None) -> bool:
    """Whether a flag is absent or literally off; what is computed may be on."""
    return node is None or is_literally(project, node, False) or project.resolved(node).is_none


def _is_literally_off(project: Project, node: Node | None) -> bool:
    return node is not None and is_literally(project, node, False)


def _flag(call: Node, flag: str) -> Node | None:
    return call.argument((flag, f"cookie_{flag}"))


def _is_told_off(project: Project, call: Node, flag: str) -> bool:
    given = _flag(call, flag)
    return given is not None and is_literally(project, given, False)
