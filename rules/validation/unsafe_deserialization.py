"""validation/unsafe-deserialization."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import injections
from backaudit.analyses.validation.mends import loaded_safely
from backaudit.analyses.validation.unpacking import runs_what_it_unpacks
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("validation/unsafe-deserialization", severity="critical", cwe=502, owasp=("A08:2025", "A08:2021"))
def unsafe_deserialization(project: Project) -> Iterator[Finding]:
    """What a client sends is unpacked by something that can run code.

    A pickle is a program that builds objects: loading one runs whatever its author wrote into it. YAML's full
    loaders, `marshal`, `jsonpickle` and `shelve` are no better.

    Mend: exchange JSON, checked by a schema. Use `yaml.safe_load`. Where a pickle must travel through a client, sign
    it.

    Bad:
        import base64
        import pickle

        from flask import Flask, request

        app = Flask(__name__)

        @app.post("/cart")
        def cart():
            return pickle.loads(base64.b64decode(request.cookies["cart"]))

    Good:
        import json

        from flask import Flask, request

        app = Flask(__name__)

        @app.post("/cart")
        def cart():
            return json.loads(request.cookies["cart"])

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Deserialization_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/502.html
    """
    kinds = ("deserialize", "deserialize-unless")
    yield from injections(
        project,
        *kinds,
        becomes="what is unpacked",
        happens="is unpacked",
        judge=lambda flow: runs_what_it_unpacks(project, flow),
        mend=loaded_safely,
    )
