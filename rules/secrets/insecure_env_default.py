"""secrets/insecure-env-default."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.secrets.credentials import findings
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule(
    "secrets/insecure-env-default",
    severity="high",
    cwe=1188,
    owasp=("A02:2025", "A05:2021", "API8:2023"),
    local=True,
    needs=(),
)
def insecure_env_default(project: Project) -> Iterator[Finding]:
    """A secret read from the environment falls back to a literal.

    The day the variable is missing (a new server, a typing error, a lost file) nothing fails: the application starts
    with the key that stands in the repository, and everybody can forge its sessions and tokens.

    Mend: leave the default out. A missing secret has to stop the start.

    Bad:
        import os

        SECRET_KEY = os.getenv("SECRET_KEY", "change-me")

    Bad: with "or"
        import os

        SECRET_KEY = os.environ.get("SECRET_KEY") or "you-will-never-guess"

    Bad: a settings class
        from pydantic_settings import BaseSettings

        class Settings(BaseSettings):
            jwt_secret_key: str = "super-secret"

    Good:
        import os

        SECRET_KEY = os.environ["SECRET_KEY"]

    Good: a random one is nobody's secret
        import os
        import secrets

        SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_hex(32)

    Links:
        https://cwe.mitre.org/data/definitions/1188.html
    """
    yield from findings(project, "insecure-env-default")
