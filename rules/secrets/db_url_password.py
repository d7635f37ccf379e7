"""secrets/db-url-password."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.secrets.credentials import findings
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule(
    "secrets/db-url-password",
    severity="critical",
    cwe=798,
    owasp=("A07:2025", "A07:2021", "API2:2023"),
    local=True,
    needs=(),
)
def db_url_password(project: Project) -> Iterator[Finding]:
    """A database URL carries its password.

    The URL says everything: where the database is, as whom to log in, and with what. Whoever reads the repository reads
    the data.

    Mend: change the database password, and read the whole URL from the environment, without a default.

    Bad:
        from sqlalchemy import create_engine

        engine = create_engine("postgresql://shop:kX9vTq2LmWzR7@db.internal/shop")

    Good:
        import os

        from sqlalchemy import create_engine

        engine = create_engine(os.environ["DATABASE_URL"])

    Good: a file has no password
        from sqlalchemy import create_engine

        engine = create_engine("sqlite:///shop.db")

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Database_Security_Cheat_Sheet.html
    """
    yield from findings(project, "db-url-password")
