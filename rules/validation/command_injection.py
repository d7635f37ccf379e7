"""validation/command-injection."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.commands import command_sinks
from backaudit.analyses.validation.findings import finding
from backaudit.analyses.validation.sinks import Flows
from backaudit.project import Project
from backaudit.rule import Finding, rule


@rule("validation/command-injection", severity="critical", cwe=78, owasp=("A05:2025", "A03:2021"))
def command_injection(project: Project) -> Iterator[Finding]:
    """What a client sends becomes part of a command line.

    A shell reads `;`, `|` and `$(…)` wherever they stand. Whoever may put text into a command line may run programs of
    their own on the server.

    Mend: use a library instead of a program. Where a program must be run, give its arguments as a list without
    `shell=True`, and accept only the values that you expect.

    Given:
        import subprocess

        from flask import Flask, request

        app = Flask(__name__)

    Bad:
        @app.get("/ping")
        def ping():
            host = request.args["host"]
            return subprocess.check_output(f"ping -c 1 {host}", shell=True)

    Good:
        @app.get("/ping")
        def ping():
            host = request.args["host"]
            return subprocess.check_output(["ping", "-c", "1", "--", host])

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/OS_Command_Injection_Defense_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/78.html
    """
    flows = Flows(project, "command")
    for sink in command_sinks(project):
        flow = flows.into(sink)
        if flow is not None:
            yield finding(flow, "part of the command line", "is run as a command")
