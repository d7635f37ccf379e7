"""auth/jwt-no-revocation."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.revocation import revokes
from backaudit.analyses.auth.tokens import DAY, lifetimes
from backaudit.project import Project
from backaudit.rule import Finding, assume, rule


@rule("auth/jwt-no-revocation", severity="medium", cwe=613, owasp=("A07:2025", "A07:2021", "API2:2023"), shown="strict")
def jwt_no_revocation(project: Project) -> Iterator[Finding]:
    """Tokens live for a day or longer, and none can be taken back.

    Logging out, changing the password or closing the account leave every issued token valid until it expires.

    Mend: let access tokens live for minutes, keep refresh tokens (or the `jti` of those that were revoked) in a store
    that is asked at each use, or put a version number of the user into the token and count it up.

    Given:
        import os
        from datetime import datetime, timedelta, timezone

        import jwt

    Bad:
        def issue(user_id):
            claims = {"sub": str(user_id), "exp": datetime.now(timezone.utc) + timedelta(days=30)}
            return jwt.encode(claims, os.environ["JWT_KEY"], algorithm="HS256")

    Good:
        def issue(user_id):
            claims = {"sub": str(user_id), "exp": datetime.now(timezone.utc) + timedelta(minutes=15)}
            return jwt.encode(claims, os.environ["JWT_KEY"], algorithm="HS256")

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/JSON_Web_Token_for_Java_Cheat_Sheet.html#no-built-in-token-revocation-by-the-user
    """
    if revokes(project):
        return
    for place, seconds in project.once(lifetimes):
        if seconds >= DAY:
            yield Finding(
                place=place,
                message=f"Tokens live for {seconds / 3600:g} hours, and nothing in the project can revoke one.",
                assumed=assume("network", "no gateway in front of it revokes tokens"),
            )
