"""validation/untyped-body."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.bodies import Body, is_judged, untyped_bodies
from backaudit.project import Project
from backaudit.rule import KNOWN, Assumed, Finding, assume, rule
from backaudit.vocabulary.meaning import meaning

_SHOWN_KEYS = 5
_OTHERS = meaning("routes", "foreign-body")

_FEW = assume("purpose", "one value is worth a schema")
_BY_HAND = assume("guard", "more is asked of its values than that they are there")
_UNASKED = assume("caller", "nothing that it is handed to judges it")
_FOREIGN = assume("purpose", "its shape is this project's to choose")


@rule("validation/untyped-body", severity="medium", cwe=20, owasp=("A05:2025", "A03:2021", "API3:2023"))
def untyped_body(project: Project) -> Iterator[Finding]:
    """An endpoint takes any JSON object where a schema should say what is allowed.

    Nothing states which fields there are, of which type and how long. Missing keys end as errors 500, wrong types reach
    the database, and the documentation that the framework could generate stays empty.

    Mend: declare the body: a Pydantic model as the parameter's type, a marshmallow schema or a serializer that loads
    the body, a form. Give every field its type and its limits.

    Bad:
        from fastapi import FastAPI

        app = FastAPI()

        @app.post("/users")
        def create_user(payload: dict):
            return save(payload["name"], payload["email"])

    Bad:
        from flask import Flask, request

        app = Flask(__name__)

        @app.post("/users")
        def create_user():
            data = request.get_json()
            return save(data["name"], data["email"])

    Good:
        from fastapi import FastAPI
        from pydantic import BaseModel, EmailStr, Field

        app = FastAPI()

        class NewUser(BaseModel):
            name: str = Field(min_length=1, max_length=80)
            email: EmailStr

        @app.post("/users")
        def create_user(payload: NewUser):
            return save(payload.name, payload.email)

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Input_Validation_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/20.html
    """
    for body in project.once(untyped_bodies):
        if project.role(body.code.path) == "production" and body.is_open and not is_judged(project, body):
            yield _read(body) if body.param is None else _declared(body, body.param.name)


def _declared(body: Body, name: str) -> Finding:
    return Finding(
        place=body.node.place.first_line(),
        message=f"`{body.code.function.name}()` takes its body `{name}` as any JSON object{_keys(body)}.",
        remedy="Declare a Pydantic model and use it as the parameter's type.",
        assumed=_assumed(body, KNOWN),
    )


def _read(body: Body) -> Finding:
    few = len(body.fate.unchecked) < 2 and not body.fate.spread
    by_hand = not body.fate.spread and body.fate.refused.issuperset(body.fate.unchecked)
    what = body.code.function.name or "the module"
    return Finding(
        place=body.node.place.first_line(),
        message=f"`{what}()` reads its body as plain JSON{_keys(body)}, and no schema says what is allowed.",
        assumed=_assumed(body, _FEW if few else _BY_HAND if by_hand else _UNASKED),
    )


def _assumed(body: Body, usual: Assumed) -> Assumed:
    """What others send has no shape that this project could choose; what a login compares needs none."""
    route = body.route.path if body.route is not None else ""
    name = f"{body.code.function.qualname} {route}".lower()
    return _FOREIGN if _OTHERS.holds(name) else usual


def _keys(body: Body) -> str:
    names = [f"`{name}`" for name in sorted(body.fate.keys)]
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN_KEYS} more" if len(names) > _SHOWN_KEYS else ""
    return f" ({', '.join(names[:_SHOWN_KEYS])}{more})"
