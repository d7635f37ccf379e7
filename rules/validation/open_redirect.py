"""validation/open-redirect."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import finding, injections
from backaudit.analyses.validation.locations import written_locations
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("validation/open-redirect", severity="medium", cwe=601, owasp=("A01:2025", "A01:2021"))
def open_redirect(project: Project) -> Iterator[Finding]:
    """What a client sends decides where the browser is led.

    A link to a site that people trust ends on one that looks the same and asks for their password.

    Mend: redirect to routes by name (`url_for`, `reverse`), or check that the target is a path on this site:
    `url_has_allowed_host_and_scheme` in Django, no scheme and no host after `urlsplit` elsewhere.

    Bad:
        from flask import Flask, redirect, request

        app = Flask(__name__)

        @app.post("/login")
        def login():
            return redirect(request.args.get("next", "/"))

    Good:
        from urllib.parse import urlsplit

        from flask import Flask, redirect, request

        app = Flask(__name__)

        @app.post("/login")
        def login():
            target = request.args.get("next", "/")
            if urlsplit(target).netloc != "":
                target = "/"
            return redirect(target)

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Unvalidated_Redirects_and_Forwards_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/601.html
    """
    becomes, happens = "the target of a redirect", "is where the browser is sent"
    yield from injections(project, "redirect", becomes=becomes, happens=happens)
    for flow in written_locations(project):
        yield finding(flow, becomes, happens)
