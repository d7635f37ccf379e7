"""validation/header-log-injection."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.analyses.validation.findings import finding, injections
from backaudit.analyses.validation.sinks import Sink, flow_into
from backaudit.project import Node, Project
from backaudit.rule import Finding, assume, rule

_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-+ #0]*(?:\d+|\*)?(?:\.\d+)?([a-zA-Z])")

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
    for call, argument in _arguments(project):
        flow = flow_into(project, "header", Sink(call, argument, "log"))
        if flow is not None:
            yield finding(flow, "part of a log entry", "is logged", _LINES)


def _arguments(project: Project) -> Iterator[tuple[Node, Node]]:
    """What fills the placeholders of a log call's text; ``%r`` shows line breaks as what they are."""
    for name in sorted(project.models.sinks.get("header", {})):
        for call in project.calls(name):
            text = call.arg(0)
            shape = text.text if text is not None else None
            if shape is None or project.role(call.code.path) != "production":
                continue
            given = call.call.args[1:] if call.call is not None else ()
            ways = _PLACEHOLDER.findall(shape)
            for at, value in enumerate(given):
                if at >= len(ways) or ways[at] in "sS":
                    yield call, call.origin.to(value)
