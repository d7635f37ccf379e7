"""validation/template-injection."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import finding, injections
from backaudit.analyses.validation.sinks import Flow, flow_into
from backaudit.analyses.validation.written import written
from backaudit.facts import ops
from backaudit.project import Project
from backaudit.rule import KNOWN, Assumed, Finding, rule


@rule("validation/template-injection", severity="critical", cwe=1336, owasp=("A05:2025", "A03:2021"))
def template_injection(project: Project) -> Iterator[Finding]:
    """What a client sends becomes part of a template's source.

    A template is a program. `{{ … }}` in a name or comment is evaluated on the server, and from there attributes lead
    to every class that is loaded.

    Mend: keep the template constant, in a file, and hand the values over as its context.

    Bad:
        from flask import Flask, render_template_string, request

        app = Flask(__name__)

        @app.get("/hello")
        def hello():
            return render_template_string("<h1>Hello " + request.args["name"] + "</h1>")

    Good:
        from flask import Flask, render_template_string, request

        app = Flask(__name__)

        @app.get("/hello")
        def hello():
            return render_template_string("<h1>Hello {{ name }}</h1>", name=request.args["name"])

    Links:
        https://portswigger.net/web-security/server-side-template-injection
        https://cwe.mitre.org/data/definitions/1336.html
    """
    yield from injections(
        project, "template", becomes="part of a template's source", happens="is rendered as a template", judge=_judge
    )
    for sink in written(project, "template"):
        flow = flow_into(project, "template", sink)
        if flow is not None:
            yield finding(flow, "part of a template's file", "is written where templates are read from")


def _judge(flow: Flow) -> Assumed | None:
    """A template that is compiled and dropped was only tried for its syntax."""
    made = flow.harm
    if not flow.name.endswith(("Template", ".from_string")):
        return KNOWN
    dropped = any(isinstance(op, ops.Discard) and made.code.origin(op.value) == made.value for op in made.code.ops)
    return None if dropped else KNOWN
