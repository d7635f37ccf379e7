"""validation/template-injection."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import finding, injections
from backaudit.analyses.validation.pages import as_rendered
from backaudit.analyses.validation.sinks import Flows
from backaudit.analyses.validation.written import written
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("validation/template-injection", severity="critical", cwe=1336, owasp=("A05:2025", "A03:2021"))
def template_injection(project: Project) -> Iterator[Finding]:
    """What a client sends becomes part of a template's source.

    A template is a program. `{{ … }}` in a name or comment is evaluated on the server, and from there attributes lead
    to every class that is loaded.

    Mend: keep the template constant, in a file, and hand the values over as its context.

    Given:
        from flask import Flask, render_template_string, request

        app = Flask(__name__)

    Bad:
        @app.get("/hello")
        def hello():
            return render_template_string("<h1>Hello " + request.args["name"] + "</h1>")

    Good:
        @app.get("/hello")
        def hello():
            return render_template_string("<h1>Hello {{ name }}</h1>", name=request.args["name"])

    Links:
        https://portswigger.net/web-security/server-side-template-injection
        https://cwe.mitre.org/data/definitions/1336.html
    """
    yield from injections(
        project,
        "template",
        becomes="part of a template's source",
        happens="is rendered as a template",
        judge=as_rendered,
    )
    flows = Flows(project, "template")
    for sink in written(project, "template"):
        flow = flows.into(sink)
        if flow is not None:
            yield finding(flow, "part of a template's file", "is written where templates are read from")
