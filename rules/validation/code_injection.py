"""validation/code-injection."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import injections
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("validation/code-injection", severity="critical", cwe=94, owasp=("A05:2025", "A03:2021"))
def code_injection(project: Project) -> Iterator[Finding]:
    """What a client sends is evaluated as code.

    `eval` and `exec` run whatever text they get with all that the server may do. Taking builtins away does not help:
    any object leads back to them.

    Mend: parse what you expect (`ast.literal_eval`, `json.loads`, a small grammar), or look the name up in a
    dictionary of the functions that a client may choose from.

    Bad:
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/calculate")
        def calculate(expression: str):
            return {"result": eval(expression)}

    Good:
        import operator

        from fastapi import FastAPI, HTTPException

        app = FastAPI()
        OPERATORS = {"add": operator.add, "sub": operator.sub}

        @app.get("/calculate")
        def calculate(name: str, left: float, right: float):
            if name not in OPERATORS:
                raise HTTPException(status_code=422, detail="unknown operator")
            return {"result": OPERATORS[name](left, right)}

    Links:
        https://cwe.mitre.org/data/definitions/94.html
    """
    yield from injections(project, "code", becomes="code", happens="is evaluated as code")
