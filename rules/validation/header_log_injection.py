"""validation/header-log-injection."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.findings import finding, injections
from backaudit.analyses.validation.logs import logged_arguments
from backaudit.analyses.validation.sinks import Flows, Sink
from backaudit.project import Project
from backaudit.rule import Finding, assume, rule

_LINES = assume("settings", "the handler of the log does not escape ends of lines")


@rule("validation/header-log-injection", severity="low", cwe=(113, 117), owasp=("A09:2025", "A09:2021"), shown="strict")
def header_log_injection(project: Project) -> Iterator[Finding]:
    """What a client sends reaches a log with its line breaks.

    A line break in a name begins a new entry: whoever sends it writes the log, with a time and a level of their own.

    Mend: log `repr` of the value (`%r`), or use a formatter that writes JSON or escapes line breaks.

    Given:
        import logging

        from flask import Flask, request

        app = Flask(__name__)
        logger = logging.getLogger(__name__)

    Bad:
        @app.post("/login")
        def login():
            logger.warning("failed login of " + request.form["name"])
            return "", 401

    Good:
        @app.post("/login")
        def login():
            logger.warning("failed login of %r", request.form["name"])
            return "", 401

    Links:
        https://owasp.org/www-community/attacks/Log_Injection
        https://cwe.mitre.org/data/definitions/117.html
    """
    yield from injections(
        project, "header", becomes="part of a log entry", happens="is logged", judge=lambda flow: _LINES
    )
    flows = Flows(project, "header")
    for call, argument in logged_arguments(project):
        flow = flows.into(Sink(call, argument, "log"))
        if flow is not None:
            yield finding(flow, "part of a log entry", "is logged", _LINES)
