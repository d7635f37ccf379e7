"""validation/xxe."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.entities import resolves_entities
from backaudit.analyses.validation.findings import injections
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("validation/xxe", severity="high", cwe=611, owasp=("A02:2025", "A05:2021"))
def xxe(project: Project) -> Iterator[Finding]:
    """What a client sends is parsed as XML with entities on.

    An XML document may say that a part of it is to be read from a file or another server. A parser that obeys hands
    over `/etc/passwd`, or asks for addresses that only the server can reach.

    Mend: parse with `defusedxml`, or give lxml a parser with `resolve_entities=False` and `no_network=True`.

    Given:
        from flask import Flask, request
        from lxml import etree

        app = Flask(__name__)

    Bad:
        @app.post("/import")
        def load():
            parser = etree.XMLParser(resolve_entities=True)
            return etree.fromstring(request.data, parser).findtext("name")

    Good:
        @app.post("/import")
        def load():
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            return etree.fromstring(request.data, parser).findtext("name")

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/XML_External_Entity_Prevention_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/611.html
    """
    yield from injections(
        project,
        "xml",
        "xml-if-feature",
        becomes="XML whose entities are resolved",
        happens="is parsed",
        judge=lambda flow: resolves_entities(project, flow),
    )
