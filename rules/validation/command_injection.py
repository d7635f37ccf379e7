"""validation/command-injection."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import finding
from backaudit.analyses.validation.sinks import Sink, flow_into, sinks
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.rule import Finding, rule


@rule("validation/command-injection", severity="critical", cwe=78, owasp=("A05:2025", "A03:2021"))
def command_injection(project: Project) -> Iterator[Finding]:
    """What a client sends becomes part of a command line.

    A shell reads `;`, `|` and `$(…)` wherever they stand. Whoever may put text into a command line may run programs of
    their own on the server.

    Mend: use a library instead of a program. Where a program must be run, give its arguments as a list without
    `shell=True`, and accept only the values that you expect.

    Bad:
        import subprocess

        from flask import Flask, request

        app = Flask(__name__)

        @app.get("/ping")
        def ping():
            host = request.args["host"]
            return subprocess.check_output(f"ping -c 1 {host}", shell=True)

    Good:
        import subprocess

        from flask import Flask, request

        app = Flask(__name__)

        @app.get("/ping")
        def ping():
            host = request.args["host"]
            return subprocess.check_output(["ping", "-c", "1", "--", host])

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/OS_Command_Injection_Defense_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/78.html
    """
    for sink in (*sinks(project, "command"), *_with_shell(project)):
        flow = flow_into(project, "command", sink)
        if flow is not None:
            yield finding(flow, "part of the command line", "is run as a command")


_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "cmd", "cmd.exe", "powershell", "powershell.exe", "pwsh"})
_EXECUTE = frozenset({"-c", "/c", "/C", "-lc", "-Command"})


def _with_shell(project: Project) -> Iterator[Sink]:
    """Of what runs programs: the command lines that a shell reads, and the program's own name."""
    for sink in sinks(project, "command-if-shell"):
        argument = sink.argument.origin
        shell = sink.call.arg(None, "shell")
        items = [argument.to(item) for item in argument.op.items] if isinstance(argument.op, ops.Build) else []
        if shell is not None and shell.const is not False and shell.const is not None:
            first = _is_list(argument) and items
            yield Sink(sink.call, items[0], sink.name) if first else sink
        elif _is_list(argument) and items:
            line = _shell_line(items)
            yield Sink(sink.call, line if line is not None else items[0], sink.name)


def _is_list(node: Node) -> bool:
    return isinstance(node.op, ops.Build) and node.op.kind in ("list", "tuple")


def _shell_line(items: list[Node]) -> Node | None:
    """Of ``["sh", "-c", line]``: the line."""
    program = (items[0].text or "").rpartition("/")[2]
    option = items[1].text if len(items) > 2 else None
    return items[2] if program in _SHELLS and option in _EXECUTE else None
