"""HTML that only administrators send is told in strict scans alone, unless a link can make them send it."""

from __future__ import annotations

import pytest

from backaudit import plugins
from backaudit.testing import scan

LOADED = plugins.load(reraise=True)
RULES = [rule for rule in LOADED.rules if rule.id == "validation/xss"]
APP = """
from functools import wraps

from flask import Flask, abort, render_template, request
from flask_login import current_user

app = Flask(__name__)


def admins_only(view):
    @wraps(view)
    def inner(*args, **kwargs):
        if not current_user.is_admin:
            abort(403)
        return view(*args, **kwargs)

    return inner


@app.route("/preview", methods=["GET", "POST"])
DECORATORdef preview():
    return render_template("page.html", content=request.SOURCE.get("content"))
"""


@pytest.mark.parametrize(
    ("decorator", "source", "confidence"),
    [("@admins_only\n", "form", "low"), ("@admins_only\n", "args", "high"), ("", "form", "high")],
)
def test_who_sends_the_html_decides(decorator: str, source: str, confidence: str) -> None:
    app = APP.replace("DECORATOR", decorator).replace("SOURCE", source)
    files = {"app.py": app, "templates/page.html": "<main>{{ content | safe }}</main>\n"}
    assert [issue.finding.confidence for issue in scan(files, LOADED, RULES).issues] == [confidence]
