"""validation/nosql-injection."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.documents import document_flows, script_flows
from backaudit.analyses.validation.findings import finding
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("validation/nosql-injection", severity="high", cwe=943, owasp=("A05:2025", "A03:2021"))
def nosql_injection(project: Project) -> Iterator[Finding]:
    """What a client sends becomes an operator of a document store's query.

    JSON carries objects as well as text. Where a query expects a name, `{"$ne": null}` matches everybody, and
    `{"$gt": ""}` matches every password.

    Mend: check the body by a schema that says `str`, or convert the value with `str()` before it goes into the query.

    Given:
        from flask import Flask, request
        from pymongo import MongoClient

        app = Flask(__name__)
        db = MongoClient().shop

    Bad:
        @app.post("/login")
        def login():
            data = request.get_json()
            user = db.users.find_one({"name": data["name"], "token": data["token"]})
            return {"found": user is not None}

    Good:
        @app.post("/login")
        def login():
            data = request.get_json()
            user = db.users.find_one({"name": str(data["name"]), "token": str(data["token"])})
            return {"found": user is not None}

    Links:
        https://owasp.org/www-project-web-security-testing-guide/latest/4-Web_Application_Security_Testing/07-Input_Validation_Testing/05.6-Testing_for_NoSQL_Injection
        https://cwe.mitre.org/data/definitions/943.html
    """
    for flow in script_flows(project):
        yield finding(flow, "part of the JavaScript that the store runs", "is run by the store")
    for flow in document_flows(project):
        yield finding(flow, "part of a query, where it may be an operator,", "is what the store is asked")
