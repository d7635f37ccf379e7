"""validation/path-traversal."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import injections
from backaudit.analyses.validation.sinks import Flow
from backaudit.project import Project
from backaudit.rule import Confidence, Finding, rule


def _judge(flow: Flow) -> Confidence:
    """A placeholder of a route holds no slash: only a folder further up is in reach, or a drive on Windows."""
    return "medium" if flow.origin.what.endswith("(path)") else "high"


@rule("validation/path-traversal", severity="high", cwe=22, owasp=("A01:2025", "A01:2021"))
def path_traversal(project: Project) -> Iterator[Finding]:
    """What a client sends becomes part of a file's path.

    `../` leads out of the folder that was meant, and an absolute path replaces it altogether: `os.path.join` and `/` of
    `pathlib` forget everything before it.

    Mend: choose the file by an id that the server maps to a name. Otherwise resolve the path and check that it still
    lies in the folder (`path.resolve().is_relative_to(base)`), or use `send_from_directory`, `safe_join`,
    `secure_filename`.

    Bad:
        import os

        from flask import Flask, request, send_file

        app = Flask(__name__)

        @app.get("/download")
        def download():
            name = request.args["name"]
            return send_file(os.path.join("/srv/files", name))

    Good:
        from flask import Flask, request, send_from_directory

        app = Flask(__name__)

        @app.get("/download")
        def download():
            return send_from_directory("/srv/files", request.args["name"])

    Good:
        from pathlib import Path

        from fastapi import FastAPI, HTTPException
        from fastapi.responses import FileResponse

        app = FastAPI()
        BASE = Path("/srv/files").resolve()

        @app.get("/download")
        def download(name: str):
            path = (BASE / name).resolve()
            if not path.is_relative_to(BASE):
                raise HTTPException(status_code=404)
            return FileResponse(path)

    Links:
        https://owasp.org/www-community/attacks/Path_Traversal
        https://cwe.mitre.org/data/definitions/22.html
    """
    yield from injections(project, "path", becomes="part of a file's path", happens="is used as a path", judge=_judge)
