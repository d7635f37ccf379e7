"""validation/code-injection."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import finding, injections
from backaudit.analyses.validation.lookups import called_by_name, is_module
from backaudit.analyses.validation.sinks import Flow, Flows, sinks
from backaudit.analyses.validation.written import written
from backaudit.project import Project
from backaudit.rule import KNOWN, Assumed, Finding, assume, rule


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
    names, texts = Flows(project, "name"), Flows(project, "code")
    for sink in sinks(project, "name"):
        flow = names.into(sink)
        if flow is not None:
            yield finding(flow, "the name of what is imported and run", "is imported")
    for sink in called_by_name(project):
        flow = names.into(sink)
        if flow is not None:
            yield finding(flow, "the name of what is called", "is looked up and called", _reach(project, flow))
    for sink in written(project, "code"):
        flow = texts.into(sink)
        if flow is not None:
            yield finding(flow, "part of a file of code", "is written where code is run from")


def _reach(project: Project, flow: Flow) -> Assumed:
    """All of a module can be called, or the methods of one object."""
    looked_in = flow.harm.arg(0) if flow.harm.method == "getattr" else None
    reaches_all = looked_in is None or is_module(project, looked_in)
    return KNOWN if reaches_all else assume("effect", "among the methods of the object are some that harm")
