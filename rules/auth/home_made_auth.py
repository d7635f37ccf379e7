"""auth/home-made-auth."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.believed import Decides, believed
from backaudit.project import Project
from backaudit.rule import Finding, assume, rule

_WORDS: dict[Decides, tuple[str, str]] = {
    "right": (
        "What the caller may do is decided by `{}`, which the client writes.",
        "Ask the user that the session or the verified token names: `current_user.is_admin`.",
    ),
    "identity": (
        "Who the caller is is believed of `{}`, which the client writes and nobody has signed.",
        "Keep it in the framework's session, or sign it and verify it when it comes back (itsdangerous).",
    ),
}


@rule("auth/home-made-auth", severity="high", cwe=287, owasp=("A07:2025", "A07:2021", "API2:2023"), shown="strict")
def home_made_auth(project: Project) -> Iterator[Finding]:
    """What somebody may do is read from what the client sends.

    Cookies, headers and parameters are the client's to write: who sends `role=admin` is an administrator.

    Mend: keep who is logged in on the server (a signed session, a verified token) and look rights up by that user.

    Bad:
        from flask import Flask, abort, request

        app = Flask(__name__)

        @app.get("/admin")
        def admin():
            if request.cookies.get("role") != "admin":
                abort(403)
            return "secrets"

    Good:
        from flask import Flask, abort
        from flask_login import current_user, login_required

        app = Flask(__name__)

        @app.get("/admin")
        @login_required
        def admin():
            if not current_user.is_admin:
                abort(403)
            return "secrets"

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Authorization_Cheat_Sheet.html
    """
    for found in believed(project):
        message, remedy = _WORDS[found.decides]
        yield Finding(
            place=found.at.place,
            message=message.format(found.told),
            remedy=remedy,
            assumed=assume("wrapper", "nothing before it has verified what the client wrote"),
            scope=found.at.code.function.qualname,
        )
