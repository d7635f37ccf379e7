"""auth/jwt-no-expiry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.settings import is_literally, settings_named
from backaudit.backend.tokens import signings
from backaudit.project import Project
from backaudit.rule import Finding, rule

_PERSON = re.compile(r"^(sub|user|username|user_?id|uid|id|email|identity|name|role|account\w*|login|usuario\w*)$")
_EXTENSIONS = ("flask_jwt_extended.create_access_token", "flask_jwt_extended.create_refresh_token")
_SETTINGS = ("JWT_ACCESS_TOKEN_EXPIRES", "JWT_REFRESH_TOKEN_EXPIRES", "AUTHJWT_ACCESS_TOKEN_EXPIRES")


@rule(
    "auth/jwt-no-expiry",
    severity="high",
    cwe=613,
    owasp=("A07:2025", "A07:2021", "API2:2023"),
)
def jwt_no_expiry(project: Project) -> Iterator[Finding]:
    """A token is signed without an expiry.

    A signed token is believed until it expires. Without `exp` that is for ever: a token that was once read from a log,
    a browser's storage or a stolen laptop opens the account years later, and changing the password does not help.

    Mend: add `exp` to the claims (`datetime.now(timezone.utc) + timedelta(minutes=15)`), and issue a new token by a
    refresh token that can be revoked.

    Bad:
        import os

        import jwt

        def issue(user_id):
            return jwt.encode({"sub": str(user_id)}, os.environ["JWT_KEY"], algorithm="HS256")

    Good:
        import os
        from datetime import datetime, timedelta, timezone

        import jwt

        def issue(user_id):
            claims = {"sub": str(user_id), "exp": datetime.now(timezone.utc) + timedelta(minutes=15)}
            return jwt.encode(claims, os.environ["JWT_KEY"], algorithm="HS256")

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/JSON_Web_Token_for_Java_Cheat_Sheet.html
    """
    for signing in project.once(signings):
        claims = signing.claims
        if project.role(signing.call.code.path) not in ("production", "script") or not claims.whole:
            continue
        if "exp" not in claims.names:
            person = any(_PERSON.match(name) for name in claims.names)
            shown = ", ".join(f"`{name}`" for name in sorted(claims.names)) or "nothing"
            yield Finding(
                place=signing.call.place,
                message=f"The token carries {shown} and no `exp`: it is valid for ever.",
                confidence="high" if person else "low",
                scope=signing.call.code.function.qualname,
            )
    yield from _extensions(project)


def _extensions(project: Project) -> Iterator[Finding]:
    for call in project.calls(*_EXTENSIONS):
        delta = call.arg(None, "expires_delta")
        if delta is not None and delta.const is False and project.role(call.code.path) == "production":
            yield Finding(place=call.place, message="`expires_delta=False` makes a token that never expires.")
    for name in _SETTINGS:
        for setting in settings_named(project, name):
            if is_literally(project, setting.value, False):
                yield Finding(place=setting.place, message=f"`{setting.name} = False`: tokens never expire.")
