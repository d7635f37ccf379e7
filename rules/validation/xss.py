"""validation/xss."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import finding, injections
from backaudit.analyses.validation.handmade import handmade_pages
from backaudit.analyses.validation.markup import Shown, escaping_off, returned_html, shown_unescaped
from backaudit.analyses.validation.pages import as_page, supposed
from backaudit.analyses.validation.rendering import rendered_unescaped
from backaudit.project import Node, Project
from backaudit.rule import KNOWN, Finding, Step, assume, capitalized, rule


@rule("validation/xss", severity="high", cwe=79, owasp=("A05:2025", "A03:2021"))
def xss(project: Project) -> Iterator[Finding]:
    """What a client sends becomes part of a page without escaping.

    A script in a name, a comment or a link runs in the browsers of others, with their sessions: it reads what they see
    and acts as they would.

    Mend: let the template escape: no `safe`, no `autoescape` off, no `Markup` around values. Where users may write
    HTML, clean it with an allow-list (`nh3`, `bleach`) when it comes in. Answer data as JSON.

    Bad:
        from flask import Flask, request

        app = Flask(__name__)

        @app.get("/hello")
        def hello():
            return f"<h1>Hello {request.args['name']}</h1>"

    Bad:
        # file: shop/views.py
        from django.http import HttpResponse

        def search(request):
            return HttpResponse("<p>Nothing found for " + request.GET["q"] + "</p>")

    Good:
        from flask import Flask, render_template, request

        app = Flask(__name__)

        @app.get("/hello")
        def hello():
            return render_template("hello.html", name=request.args["name"])

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/79.html
    """
    yield from injections(project, "html", becomes="HTML without escaping", happens="is sent as HTML", judge=as_page)
    for flow in returned_html(project):
        yield finding(flow, f"part of the HTML that `{flow.sink.code.function.name}()` returns", "is sent as HTML")
    for flow in handmade_pages(project):
        yield finding(flow, "part of a page that is written by hand", "is sent as HTML")
    for flow in rendered_unescaped(project):
        yield finding(flow, "part of a page whose templates escape nothing", "is printed as it is")
    yield from map(_setting, project.once(escaping_off))
    for shown in shown_unescaped(project):
        yield _template(project, shown)


def _setting(node: Node) -> Finding:
    any_text = node.code.project.models.kinds["renders-any-text"]
    of_web = any_text.isdisjoint(node.code.project.names(node.func or node))
    return Finding(
        place=node.place.first_line(),
        message="Escaping is turned off for all templates: whatever they print becomes part of the page as it is.",
        assumed=KNOWN if of_web else assume("purpose", "the templates are pages"),
    )


def _template(project: Project, shown: Shown) -> Finding:
    what = shown.what
    what_for = "escaping" if shown.printed.raw else "the escaping that it needs"
    steps = shown.origin.steps if shown.origin is not None else ()
    return Finding(
        place=shown.printed.place,
        message=f"{capitalized(what)}, and is printed without {what_for} because of {shown.why}.",
        assumed=supposed(project, shown),
        trace=(*steps, Step(shown.printed.place, "is printed without escaping")),
        related=tuple(Step(place, "is printed without escaping, too") for place in shown.others),
    )
