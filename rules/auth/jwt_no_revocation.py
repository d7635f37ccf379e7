"""auth/jwt-no-revocation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.locate import strings
from backaudit.backend.settings import django_setting, settings_named
from backaudit.backend.tokens import signings
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project
from backaudit.project.types import split
from backaudit.rule import Finding, rule

_DAY = 86_400.0
_UNITS = {"weeks": 7 * _DAY, "days": _DAY, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0}
_REVOKES = re.compile(r"black_?list|block_?list|deny_?list|revoke|token_?version|invalidat", re.I)
_LOADERS = ("token_in_blocklist_loader", "token_in_blacklist_loader")
_SETTINGS = ("JWT_ACCESS_TOKEN_EXPIRES", "JWT_REFRESH_TOKEN_EXPIRES")


@rule(
    "auth/jwt-no-revocation",
    severity="medium",
    cwe=613,
    owasp=("A07:2025", "A07:2021", "API2:2023"),
    shown="strict",
)
def jwt_no_revocation(project: Project) -> Iterator[Finding]:
    """Tokens live for a day or longer, and none can be taken back.

    Logging out, changing the password or closing the account leave every issued token valid until it expires.

    Mend: let access tokens live for minutes, keep refresh tokens (or the `jti` of those that were revoked) in a store
    that is asked at each use, or put a version number of the user into the token and count it up.

    Bad:
        import os
        from datetime import datetime, timedelta, timezone

        import jwt

        def issue(user_id):
            claims = {"sub": str(user_id), "exp": datetime.now(timezone.utc) + timedelta(days=30)}
            return jwt.encode(claims, os.environ["JWT_KEY"], algorithm="HS256")

    Good:
        import os
        from datetime import datetime, timedelta, timezone

        import jwt

        def issue(user_id):
            claims = {"sub": str(user_id), "exp": datetime.now(timezone.utc) + timedelta(minutes=15)}
            return jwt.encode(claims, os.environ["JWT_KEY"], algorithm="HS256")

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/JSON_Web_Token_for_Java_Cheat_Sheet.html#no-built-in-token-revocation-by-the-user
    """
    if _revokes(project):
        return
    for place, seconds in _lifetimes(project):
        if seconds >= _DAY:
            yield Finding(
                place=place,
                message=f"Tokens live for {seconds / 3600:g} hours, and nothing in the project can revoke one.",
                confidence="medium",
            )


def _revokes(project: Project) -> bool:
    if any(project.calls_of(name) for name in _LOADERS):
        return True
    apps = django_setting(project, "INSTALLED_APPS")
    if apps is not None and any(_REVOKES.search(name) for name in strings(project, apps.value)):
        return True
    named = [cls.cls.name for cls in project.classes() if cls.file.role == "production"]
    return any(_REVOKES.search(name) for name in named) or any("jti" in s.claims.names for s in project.once(signings))


def _lifetimes(project: Project) -> Iterator[tuple[Place, float]]:
    for signing in project.once(signings):
        call = signing.call
        if project.role(call.code.path) == "production" and "exp" in signing.claims.names:
            found = [seconds for node in _deltas(call.code) if (seconds := _seconds(project, node)) is not None]
            if found:
                yield call.place, max(found)
    for name in _SETTINGS:
        for setting in settings_named(project, name):
            seconds = _seconds(project, project.resolved(setting.value))
            if seconds is not None:
                yield setting.place, seconds


def _deltas(code: Code) -> Iterator[Node]:
    return (node for node in code.nodes(ops.Call) if node.method == "timedelta")


def _seconds(project: Project, call: Node) -> float | None:
    """The length of ``timedelta(...)`` with literal parts."""
    if call.method != "timedelta":
        return None
    parts = [(unit, call.arg(0 if unit == "days" else None, unit)) for unit in _UNITS]
    numbers = [(unit, _number(project, node)) for unit, node in parts if node is not None]
    if not numbers or any(number is None for _, number in numbers):
        return None
    return sum(_UNITS[unit] * number for unit, number in numbers if number is not None)


def _number(project: Project, node: Node, depth: int = 0) -> float | None:
    here = project.resolved(node)
    op = here.op
    if isinstance(op, ops.Const) and isinstance(op.value, (int, float)):
        return float(op.value)
    if isinstance(op, ops.Bin) and op.operator == "*" and depth < 6:
        sides = [_number(project, here.to(side), depth + 1) for side in (op.left, op.right)]
        return sides[0] * sides[1] if sides[0] is not None and sides[1] is not None else None
    if isinstance(op, ops.Attr) and depth < 6:
        for name in project.types(here.to(op.base)):
            cls = project.class_named(split(name)[0])
            if cls is not None and op.name in cls.fields:
                return _number(project, cls.fields[op.name], depth + 1)
    return None
