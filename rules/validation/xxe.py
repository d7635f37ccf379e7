"""validation/xxe."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import injections
from backaudit.analyses.validation.sinks import Flow
from backaudit.project import Node, Project
from backaudit.project.locate import behind
from backaudit.rule import KNOWN, Assumed, Finding, assume, rule


@rule("validation/xxe", severity="high", cwe=611, owasp=("A02:2025", "A05:2021"))
def xxe(project: Project) -> Iterator[Finding]:
    """What a client sends is parsed as XML with entities on.

    An XML document may say that a part of it is to be read from a file or another server. A parser that obeys hands
    over `/etc/passwd`, or asks for addresses that only the server can reach.

    Mend: parse with `defusedxml`, or give lxml a parser with `resolve_entities=False` and `no_network=True`.

    Bad:
        from flask import Flask, request
        from lxml import etree

        app = Flask(__name__)

        @app.post("/import")
        def load():
            parser = etree.XMLParser(resolve_entities=True)
            return etree.fromstring(request.data, parser).findtext("name")

    Good:
        from flask import Flask, request
        from lxml import etree

        app = Flask(__name__)

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
        judge=lambda flow: _judge(project, flow),
    )


def _judge(project: Project, flow: Flow) -> Assumed | None:
    """lxml resolves entities unless told otherwise; since its version 5 it no longer reads files by itself."""
    if flow.name.startswith("xml."):
        return KNOWN if _asks_for_entities(project, flow.harm) else None
    parser = flow.harm.arg(1, "parser")
    made = project.resolved(parser) if parser is not None else None
    holder = flow.harm if made is None or made.call is None else made
    resolved = holder.arg(None, "resolve_entities")
    if resolved is None:
        return assume("settings", "the installed lxml is older than 5")
    return None if resolved.const in (False, "internal") else KNOWN


def _asks_for_entities(project: Project, parse: Node) -> bool:
    """Whether external entities are switched on for the parser: ``parser.setFeature(feature_external_ges, True)``."""
    given = parse.receiver if parse.method == "parse" and parse.arg(1) is None else None
    parser = parse.arg(1, "parser") or given
    return parser is not None and any(_is_switched_on(project, made) for made in behind(project, parser))


def _is_switched_on(project: Project, parser: Node) -> bool:
    for effect in parser.code.effects.get(parser.value, ()):
        call = parser.to(effect)
        feature, on = call.arg(0), call.arg(1)
        if call.method != "setFeature" or feature is None or on is None or on.const not in (True, 1):
            continue
        if any("external" in name for name in (*project.names(feature), feature.text or "")):
            return True
    return False
