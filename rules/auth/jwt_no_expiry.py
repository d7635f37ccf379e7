"""auth/jwt-no-expiry."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.tokens import DAY, issues, lifetime_given, lifetimes, serves, signings, token_settings
from backaudit.backend.deployment.settings import is_literally
from backaudit.project import Project
from backaudit.rule import KNOWN, Finding, assume, rule
from backaudit.vocabulary.meaning import meaning

_PERSON = meaning("people", "person-claim")
_FOR_EVER = 5 * 365 * DAY


@rule("auth/jwt-no-expiry", severity="high", cwe=613, owasp=("A07:2025", "A07:2021", "API2:2023"))
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
        if not serves(signing.call) or not claims.whole:
            continue
        if "exp" not in claims.names:
            person = any(_PERSON.holds(name) for name in claims.names)
            shown = ", ".join(f"`{name}`" for name in sorted(claims.names)) or "nothing"
            yield Finding(
                place=signing.call.place,
                message=f"The token carries {shown} and no `exp`: it is valid for ever.",
                remedy='Add `"exp": datetime.now(timezone.utc) + timedelta(minutes=15)` to the claims.',
                assumed=KNOWN if person else assume("purpose", "the token stands for a person"),
                scope=signing.call.code.function.qualname,
            )
    yield from _extensions(project)


def _extensions(project: Project) -> Iterator[Finding]:
    """What libraries are told that build the claims themselves."""
    for call in project.once(issues):
        given = lifetime_given(call)
        if given is not None and given.const is False and project.role(call.code.path) == "production":
            told = next(name for name in ("expires_delta", "expires_time") if call.arg(None, name) is not None)
            yield Finding(
                place=call.place,
                message=f"`{told}=False` makes a token that never expires.",
                remedy=f"Leave `{told}` out (the setting holds then), or give `timedelta(minutes=15)`.",
                scope=call.code.function.qualname,
            )
    for setting in token_settings(project, "lifetime"):
        if is_literally(project, setting.value, False):
            yield Finding(
                place=setting.place,
                message=f"`{setting.name} = False`: tokens never expire.",
                remedy=f"`{setting.name} = timedelta(minutes=15)`.",
            )
    for place, seconds in project.once(lifetimes):
        if seconds >= _FOR_EVER:
            message = f"Tokens are valid for {seconds / DAY / 365:.0f} years: as good as for ever."
            yield Finding(place=place, message=message, remedy="Give access tokens minutes, refresh tokens days.")
