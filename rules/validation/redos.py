"""validation/redos."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.backtracking import Backtracking, backtracking
from backaudit.analyses.validation.findings import assumed_of
from backaudit.analyses.validation.matches import Match, judged_fields, matches
from backaudit.analyses.validation.sinks import Flow, Flows
from backaudit.project import Node, Project
from backaudit.rule import KNOWN, Assumed, Finding, Step, assume, capitalized, rule


@rule("validation/redos", severity="medium", cwe=1333, owasp=("A06:2025", "A04:2021"))
def redos(project: Project) -> Iterator[Finding]:
    """A text of a client's is matched against a pattern that can take forever.

    Where a pattern can read the same text in many ways, a text that does not match in the end makes it try all of them:
    thirty signs are enough for minutes. One request then holds a worker, and a few hold the server.

    Mend: limit the length before matching. Write the pattern so that each sign can be read in one way: no repetition
    in a repetition over the same signs, a separator that is not optional. Or use an engine that does not backtrack
    (`re2`).

    Given:
        import re

        from flask import Flask, request

        app = Flask(__name__)

    Bad:
        @app.post("/names")
        def add():
            if not re.match(r"^(\\w+\\s?)*$", request.form["name"]):
                return "bad name", 422
            return "", 201

    Good:
        @app.post("/names")
        def add():
            if not re.match(r"^\\w+(\\s\\w+)*$", request.form["name"]):
                return "bad name", 422
            return "", 201

    Links:
        https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS
        https://cwe.mitre.org/data/definitions/1333.html
    """
    flows = Flows(project, "pattern")
    for match in matches(project):
        found = backtracking(match.pattern, whole=match.whole)
        flow = flows.into(match.sink) if found.is_slow else None
        if flow is not None:
            yield _finding(match, found, flow)
    for validator, pattern in judged_fields(project):
        found = backtracking(pattern, whole=False)
        if found.is_slow:
            yield _of_field(validator, found, pattern)


def _cost(found: Backtracking) -> Assumed:
    return KNOWN if found.exponential else assume("network", "no proxy bounds the length of what is sent")


def _finding(match: Match, found: Backtracking, flow: Flow) -> Finding:
    what = flow.origin.what
    return Finding(
        place=flow.sink.place.first_line(),
        message=f"{capitalized(what)} and is matched, whatever its length, against `{match.pattern}`: {found.cost}.",
        assumed=(*assumed_of(flow), *_cost(found)),
        trace=flow.trace(f"is matched against `{match.pattern}`"),
    )


def _of_field(validator: Node, found: Backtracking, pattern: str) -> Finding:
    return Finding(
        place=validator.place.first_line(),
        message=f"A field of any length is matched against `{pattern}`: {found.cost}.",
        assumed=_cost(found),
        trace=(Step(validator.place, f"is matched against `{pattern}`"),),
    )
