"""validation/path-traversal."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import finding
from backaudit.analyses.validation.placeholders import is_segment
from backaudit.analyses.validation.saved import unfiltered
from backaudit.analyses.validation.sinks import Flow, Flows, flows, sinks
from backaudit.flow.trace import Origin
from backaudit.project import Node, Project
from backaudit.rule import KNOWN, Assumed, Finding, Step, assume, rule

_ONE_SEGMENT = assume("reach", "`..` comes through as a part of the address, and one folder up is something to read")


def _judge(flow: Flow) -> Assumed:
    """A placeholder of a route that holds no slash: only a folder further up is in reach, or a drive on Windows."""
    return _ONE_SEGMENT if is_segment(flow.origin.node) else KNOWN


@rule("validation/path-traversal", severity="high", cwe=22, owasp=("A01:2025", "A01:2021"))
def path_traversal(project: Project) -> Iterator[Finding]:
    """What a client sends becomes part of a file's path.

    `../` leads out of the folder that was meant, and an absolute path replaces it altogether: `os.path.join` and `/` of
    `pathlib` forget everything before it.

    Mend: choose the file by an id that the server maps to a name. Otherwise resolve the path and check that it still
    lies in the folder (`path.resolve().is_relative_to(base)`), or use `send_from_directory`, `safe_join`,
    `secure_filename`. Unpack a tar archive with `filter="data"`.

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
    told = set()
    for flow in flows(project, "path"):
        told.add(flow.sink.code)
        yield finding(flow, "part of a file's path", "is used as a path", _judge(flow))
    for call, origin in unfiltered(project):
        yield _unpacked(call, origin)
    probed = Flows(project, "path")
    for probe in sinks(project, "path-probe"):
        seen = probed.into(probe) if probe.call.code not in told else None
        if seen is not None:
            yield finding(
                seen,
                "part of a file's path",
                "tells whether a file is there",
                assume("purpose", "whether the file is there is worth knowing"),
            )


def _unpacked(call: Node, origin: Origin) -> Finding:
    return Finding(
        place=call.place.first_line(),
        message=f"A client sends the archive, and the names in it decide where `{call.spelled}` writes.",
        assumed=assume("effect", "the installed Python does not filter by itself"),
        trace=(*origin.steps, Step(call.place, 'is unpacked without `filter="data"`')),
    )
