"""Endpoints whole: everything that a client sends, what runs before the answer, and which statuses there are."""

from __future__ import annotations

from backaudit.backend.endpoints import endpoints
from backaudit.backend.web.records import Endpoint, Input, Limits
from tests.projects import project

FASTAPI = """
    from enum import Enum
    from typing import Annotated, Literal
    from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Path, Query, Request
    from pydantic import BaseModel

    class Kind(str, Enum):
        a = "x"
        b = "y"

    class Item(BaseModel):
        name: str

    class Pages:
        def __init__(self, page: int = Query(1, ge=1, le=10)): ...

    async def current(authorization: Annotated[str, Header()]):
        if not authorization:
            raise HTTPException(401)

    app = FastAPI(dependencies=[Depends(current)])

    @app.post("/i/{item_id}", status_code=201, response_model=list[Item], responses={404: {"model": Item}})
    def make(request: Request, item: Item, kind: Kind, item_id: int = Path(gt=0), sort: Literal["a", "b"] = "a",
             p: Pages = Depends(), x_token: str = Header(alias="X-T"), s: str = Cookie(None),
             n: Annotated[str | None, Query(max_length=5, pattern="^a")] = None):
        if request.query_params.get("strict"):
            raise HTTPException(status_code=409)
        return []
    """
FLASK = """
    from flask import Blueprint, Flask, abort, jsonify, request
    from flask_restful import Api, Resource, reqparse
    from webargs import fields, validate
    from webargs.flaskparser import use_args

    app = Flask(__name__)
    api = Api(app)
    bp = Blueprint("b", __name__, url_prefix="/b")

    @app.before_request
    def check():
        if not request.headers.get("X-Key"):
            abort(401)

    def page():
        return int(request.args.get("page", 1))

    @bp.route("/x/<int(min=1):n>/<any(a,b):k>", methods=["GET", "POST"])
    def x(n, k):
        data = request.get_json() or {}
        title, text = data["title"], data.get("text", "none")
        picture = request.files["picture"]
        p = page()
        if not title:
            return jsonify(error=1), 400
        return jsonify({}), 201

    class R(Resource):
        def post(self):
            parser = reqparse.RequestParser()
            parser.add_argument("name", type=str, required=True, location="form")
            parser.add_argument("age", type=int, default=3, choices=(1, 2, 3))
            return parser.parse_args()

    @bp.get("/w")
    @use_args({"q": fields.Int(required=True, validate=validate.Range(min=1, max=4))}, location="query")
    def w(args):
        return "x"

    api.add_resource(R, "/r")
    app.register_blueprint(bp)
    """


def endpoint(text: str, handler: str) -> Endpoint:
    return next(e for e in project(text).once(endpoints) if e.route.handler.function.name == handler)


def sent(found: Endpoint) -> dict[str, Input]:
    return {f"{item.where} {item.name}": item for item in found.inputs}


def test_what_a_typed_handler_declares_has_its_name_on_the_wire_default_and_limits() -> None:
    inputs = sent(endpoint(FASTAPI, "make"))
    assert sorted(inputs) == [
        "body item", "cookie s", "header X-T", "header authorization", "path item_id", "query kind", "query n",
        "query page", "query sort", "query strict",
    ]  # fmt: skip
    assert inputs["path item_id"].limits == Limits(minimum=0, exclusive_minimum=True)
    assert inputs["query page"].limits == Limits(minimum=1, maximum=10)
    assert inputs["query n"].limits == Limits(max_length=5, pattern="^a")
    assert inputs["query kind"].limits.choices == ("x", "y")
    assert inputs["query sort"].limits.choices == ("a", "b")
    assert (inputs["query sort"].default, inputs["query page"].default) == ("a", 1)
    assert (inputs["body item"].schema, inputs["body item"].whole) == ("app.Item", True)
    assert [key for key, item in inputs.items() if item.required] == [
        "path item_id", "body item", "query kind", "header X-T", "header authorization"
    ]  # fmt: skip


def test_declared_and_returned_statuses_and_the_response_model() -> None:
    found = endpoint(FASTAPI, "make")
    assert (found.declared, found.returned, found.response) == ((201, 404), (201, 401, 409), ("list[app.Item]",))
    assert endpoint(FLASK, "x").returned == (201, 400, 401)


def test_what_a_body_reads_of_the_request_is_input_also_through_helpers() -> None:
    inputs = sent(endpoint(FLASK, "x"))
    assert sorted(inputs) == [
        "body text", "body title", "file picture", "path k", "path n", "query page",
    ]  # fmt: skip
    assert (inputs["query page"].types, inputs["query page"].default) == (("builtins.int",), 1)
    assert (inputs["body title"].required, inputs["body text"].required) == (True, False)
    assert inputs["path n"].limits == Limits(minimum=1)
    assert inputs["path k"].limits.choices == ("a", "b")


def test_parsers_declare_their_arguments() -> None:
    parsed = sent(endpoint(FLASK, "post"))
    assert parsed["form name"].required
    assert (parsed["body age"].default, parsed["body age"].limits.choices) == (3, ("1", "2", "3"))
    used = sent(endpoint(FLASK, "w"))
    assert list(used) == ["query q"]
    assert used["query q"].limits == Limits(minimum=1, maximum=4)


def test_steps_run_in_order_and_say_whom_they_turn_away() -> None:
    found = endpoint(FLASK, "w")
    assert [(s.how, s.name, s.kinds) for s in found.steps] == [
        ("hook", "check", ("authenticates",)),
        ("decorator", "use_args", ()),
    ]
    found = endpoint(FASTAPI, "make")
    assert [(s.how, s.name, s.kinds) for s in found.steps][:1] == [("dependency", "current", ("authenticates",))]
