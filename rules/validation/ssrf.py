"""validation/ssrf."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import injections
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("validation/ssrf", severity="high", cwe=918, owasp=("A01:2025", "A10:2021", "API7:2023"))
def ssrf(project: Project) -> Iterator[Finding]:
    """What a client sends decides which server this one asks.

    From inside, the cloud's metadata service, the database's port and the neighbours' admin pages are in reach. The
    answer, an error or only the time it takes tell the client what is there.

    Mend: fix scheme and host in the code and let the client choose the rest, or accept only hosts of a list. Resolve
    the name and refuse private addresses where any host must be allowed; do not follow redirects.

    Given:
        import requests
        from flask import Flask, request

        app = Flask(__name__)

    Bad:
        @app.get("/preview")
        def preview():
            return requests.get(request.args["url"], timeout=5).text

    Good:
        @app.get("/weather")
        def weather():
            city = request.args["city"]
            return requests.get(f"https://api.weather.example/v1/{city}", timeout=5).json()

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/918.html
    """
    yield from injections(project, "url", becomes="the address of a request", happens="is requested by the server")
