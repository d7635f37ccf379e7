"""secrets/hardcoded-secret."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.secrets.credentials import findings
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule(
    "secrets/hardcoded-secret",
    severity="critical",
    cwe=798,
    owasp=("A07:2025", "A07:2021", "API2:2023"),
    local=True,
    needs=(),
)
def hardcoded_secret(project: Project) -> Iterator[Finding]:
    """A key, token or password is written in the code.

    Whoever can read the repository has the credential: every developer, fork, build machine and backup, and everybody
    on the day the repository becomes public. It stays in the history after it is deleted, and it cannot be
    changed without a release.

    Mend: rotate it first, since the old one must count as known. Then read the new one from the environment or a secret
    store, without a default; name it in `.env.example` and keep `.env` out of git.

    Bad:
        EMAIL_HOST = "smtp.example.org"
        EMAIL_HOST_PASSWORD = "kX9vTq2LmWzR7pYc"

    Bad: a word opens the session just as well
        from flask import Flask

        app = Flask(__name__)
        app.config["SECRET_KEY"] = "dev"

    Good:
        import os

        EMAIL_HOST = "smtp.example.org"
        EMAIL_HOST_PASSWORD = os.environ["EMAIL_HOST_PASSWORD"]

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html
        https://12factor.net/config
    """
    yield from findings(project, "hardcoded-secret")
