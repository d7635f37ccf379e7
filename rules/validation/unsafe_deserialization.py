"""validation/unsafe-deserialization."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import injections
from backaudit.analyses.validation.mends import loaded_safely
from backaudit.analyses.validation.sinks import Flow
from backaudit.project import Node, Project
from backaudit.rule import KNOWN, Assumed, Finding, assume, rule


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
        judge=lambda flow: _judge(project, flow),
        mend=loaded_safely,
    )


def _judge(project: Project, flow: Flow) -> Assumed | None:
    call = flow.harm
    if flow.name.startswith("yaml."):
        return _by_loader(project, call)
    if flow.name.startswith("numpy."):
        return KNOWN if _is_on(call, "allow_pickle") else None
    if flow.name.startswith("torch."):
        return None if _is_on(call, "weights_only") else KNOWN
    return KNOWN


def _by_loader(project: Project, call: Node) -> Assumed | None:
    loader = call.arg(1, "Loader")
    names = _lineage(project, loader) if loader is not None else []
    if any("Safe" in name or "BaseLoader" in name for name in names):
        return None
    old = any("FullLoader" in name for name in names)
    return assume("purpose", "the installed PyYAML is an old one") if old else KNOWN


def _is_on(call: Node, switch: str) -> bool:
    given = call.arg(None, switch)
    return given is not None and given.const is True


def _lineage(project: Project, loader: Node) -> list[str]:
    """The names of a loader's class, and of those that it is derived from."""
    own = (name for cls in project.denoted_classes(loader) for name in project.lineage(cls.name))
    return [*project.names(loader), *own]
