"""validation/ldap-xpath-injection."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.expressions import is_meant_whole
from backaudit.analyses.validation.findings import injections
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("validation/ldap-xpath-injection", severity="high", cwe=(90, 643), owasp=("A05:2025", "A03:2021"))
def ldap_xpath_injection(project: Project) -> Iterator[Finding]:
    """What a client sends becomes part of an LDAP filter or an XPath expression.

    `*)(uid=*` in a name makes a filter that matches everybody, and a quotation mark ends the text of an XPath
    expression.

    Mend: escape what goes into a filter (`escape_filter_chars`), and give XPath expressions variables:
    `tree.xpath("//user[@name=$name]", name=name)`.

    Given:
        from flask import Flask, request
        from lxml import etree

        app = Flask(__name__)
        tree = etree.parse("users.xml")

    Bad:
        @app.get("/user")
        def user():
            return str(tree.xpath("//user[@name='" + request.args["name"] + "']"))

    Good:
        @app.get("/user")
        def user():
            return str(tree.xpath("//user[@name=$name]", name=request.args["name"]))

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/LDAP_Injection_Prevention_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/90.html
    """
    yield from injections(project, "ldap", becomes="part of an LDAP query", happens="is searched for")
    yield from injections(
        project, "xpath", becomes="part of an XPath expression", happens="is evaluated", judge=is_meant_whole
    )
