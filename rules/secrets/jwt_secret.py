"""secrets/jwt-secret."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.secrets.credentials import findings
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule(
    "secrets/jwt-secret",
    severity="critical",
    cwe=321,
    owasp=("A04:2025", "A02:2021", "API2:2023"),
    local=True,
    needs=(),
)
def jwt_secret(project: Project) -> Iterator[Finding]:
    """The key that signs tokens is a literal.

    Whoever knows the key can make a token for any user, administrators included, and the server will believe it. A key
    in the code is known to everybody who has ever seen the code.

    Mend: make a new one (`python -c "import secrets; print(secrets.token_urlsafe(48))"`) and read it from the
    environment, without a default. All tokens signed with the old key become invalid, which is the point.

    Bad:
        import jwt

        def issue(user_id):
            return jwt.encode({"sub": user_id}, "correct-horse", algorithm="HS256")

    Bad: the key is in another file
        # file: config.py
        SIGNING = "vN3kX9vTq2LmWzR7pYc4"
        # file: tokens.py
        import jwt

        from config import SIGNING

        def read(token):
            return jwt.decode(token, SIGNING, algorithms=["HS256"])

    Good:
        import os

        import jwt

        SECRET = os.environ["JWT_SECRET"]

        def issue(user_id):
            return jwt.encode({"sub": user_id}, SECRET, algorithm="HS256")

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/JSON_Web_Token_for_Java_Cheat_Sheet.html
    """
    yield from findings(project, "jwt-secret")
