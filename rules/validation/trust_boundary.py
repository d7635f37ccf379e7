"""validation/trust-boundary."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.boundary import kept_in_session
from backaudit.project import Project
from backaudit.rule import Finding, Step, assume, capitalized, rule


@rule("validation/trust-boundary", severity="low", cwe=501, owasp=("A06:2025", "A04:2021"), shown="strict")
def trust_boundary(project: Project) -> Iterator[Finding]:
    """What a client sends is put into the session unchecked.

    What stands in the session is taken for the server's own knowledge later on. A name, role or price that went in
    without a check is trusted from then on.

    Mend: put into the session what the server knows: the id of the user who logged in, a choice from a fixed set.

    Bad:
        from flask import Flask, request, session

        app = Flask(__name__)

        @app.post("/plan")
        def choose():
            session["plan"] = request.form["plan"]
            return "", 204

    Good:
        from flask import Flask, abort, request, session

        app = Flask(__name__)
        PLANS = {"free", "team"}

        @app.post("/plan")
        def choose():
            plan = request.form["plan"]
            if plan not in PLANS:
                abort(422)
            session["plan"] = plan
            return "", 204

    Links:
        https://cwe.mitre.org/data/definitions/501.html
    """
    for kept in kept_in_session(project):
        yield Finding(
            place=kept.store.place.first_line(),
            message=f"{capitalized(kept.origin.what)} and is {kept.role} the session without a check.",
            assumed=assume("caller", "nothing that was called before has judged it"),
            trace=(*kept.origin.steps, Step(kept.store.place, f"is {kept.role} the session")),
        )
