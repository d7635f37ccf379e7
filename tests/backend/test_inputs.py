"""Input schemas: fields, types and limits of every library's, and the routes that really apply them."""

from __future__ import annotations

import json
import subprocess
import sys
from textwrap import dedent
from typing import Any

import pytest

from backaudit.backend.web.inputs.applied import applied
from backaudit.backend.web.inputs.classes import schema_of
from backaudit.backend.web.inputs.records import Field, InputSchema, Shape
from backaudit.backend.web.routes import routes
from backaudit.project import Project
from tests.projects import project


def schema(linked: Project, name: str) -> InputSchema:
    cls = linked.class_named(name)
    assert cls is not None, name
    found = schema_of(linked, cls)
    assert found is not None, name
    return found


def said(shape: Shape) -> str:
    """A shape in a line, as the tests read it."""
    words: list[object] = [
        "|".join(said(part) for part in shape.either) or shape.schema.rpartition(".")[2] or shape.kind
    ]
    words += [f"[{said(shape.items)}]"] if shape.items is not None else []
    words += [shape.format] if shape.format else []
    words += [f"{name}={value}" for name, value in shape.limits]
    words += [f"in {list(shape.choices)}"] if shape.choices else []
    words += ["null"] if shape.nullable else []
    return " ".join(map(str, words))


def fields(linked: Project, name: str) -> dict[str, str]:
    return {field.name: _field(field) for field in schema(linked, name).fields}


def _field(field: Field) -> str:
    flags = [
        *(["optional"] if field.optional else []),
        *([f"= {field.default!r}"] if field.default is not None else []),
        *(["read"] if field.read_only else []),
        *(["write"] if field.write_only else []),
        *(["checked"] if field.validated else []),
    ]
    return " ".join([said(field.shape), *flags])


def routed(linked: Project) -> dict[str, list[str]]:
    """The schemas of each handler, as ``where:title``."""
    found = linked.once(applied)
    return {
        route.handler.function.name: sorted(f"{one.where}:{one.schema.title}" for one in found.get(route, ()))
        for route in linked.once(routes)
    }


PYDANTIC = """
    from datetime import datetime
    from decimal import Decimal
    from enum import Enum, IntEnum
    from typing import Annotated, Any, Dict, List, Literal, Optional, Union
    from uuid import UUID

    from pydantic import BaseModel, Field, PositiveInt, conint, conlist, constr, field_validator

    class Color(str, Enum):
        RED = "red"
        BLUE = "blue"

    class Level(IntEnum):
        LOW = 1
        HIGH = 2

    Title = Annotated[str, Field(min_length=1, max_length=50)]
    LIMIT = 10 * 2

    class Part(BaseModel):
        count: int = 3

    class Base(BaseModel):
        model_config = {"extra": "forbid"}
        title: Title

    class Item(Base):
        note: str | None = None
        tags: list[str] = Field(default_factory=list, max_length=5)
        color: Color = Color.RED
        level: Level
        parts: Optional[List[Part]] = None
        kind: Literal["a", "b"] = "a"
        price: float = Field(..., gt=0, le=1000)
        when: datetime
        code: constr(max_length=LIMIT, pattern=r"^[a-z]+$")
        share: conint(ge=0, le=100)
        few: conlist(int, max_length=3)
        size: PositiveInt = 1
        later: "Part"
        either: Union[int, str]
        free: Any = None
        table: Dict[str, int] = {}
        ident: UUID
        cost: Annotated[int, Field(ge=1)] = 1
        url: str = Field(alias="webAddress", max_length=200)

        @field_validator("note")
        def judge(cls, value):
            return value
    """


def test_pydantic() -> None:
    linked = project({"m.py": PYDANTIC})
    assert schema(linked, "m.Item").extra == "forbid"
    assert fields(linked, "m.Item") == {
        "title": "string minLength=1 maxLength=50",
        "note": "string null optional checked",
        "tags": "array [string] maxItems=5 optional",
        "color": "string in ['red', 'blue'] optional = 'red'",
        "level": "integer in [1, 2]",
        "parts": "array [Part] null optional",
        "kind": "string in ['a', 'b'] optional = 'a'",
        "price": "number maximum=1000 exclusiveMinimum=0",
        "when": "string date-time",
        "code": "string maxLength=20 pattern=^[a-z]+$",
        "share": "integer minimum=0 maximum=100",
        "few": "array [integer] maxItems=3",
        "size": "integer exclusiveMinimum=0 optional = 1",
        "later": "Part",
        "either": "integer|string",
        "free": "any optional",
        "table": "object [integer] optional",
        "ident": "string uuid",
        "cost": "integer minimum=1 optional = 1",
        "webAddress": "string maxLength=200",
    }


def test_pydantic_itself_says_the_same() -> None:
    """The keywords of JSON Schema that pydantic gives for the very same classes."""
    program = dedent(PYDANTIC) + "\nimport json\nprint(json.dumps(Item.model_json_schema()))\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    truth = json.loads(done.stdout)
    found = schema(project({"m.py": PYDANTIC}), "m.Item")
    assert [field.name for field in found.fields] == list(truth["properties"])
    assert {field.name for field in found.fields if not field.optional} == set(truth["required"])
    for field in found.fields:
        told = _flat(truth["properties"][field.name], truth["$defs"])
        assert dict(field.shape.limits) == {name: value for name, value in told.items() if name in _LIMITS}, field.name
        assert field.shape.format == told.get("format", ""), field.name
        assert list(field.shape.choices) == told.get("enum", []), field.name


_LIMITS = (
    "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems",
    "maxItems",
)  # fmt: skip


def _flat(given: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """A property with its reference looked up and its ``null`` left out."""
    rest = [part for part in given.get("anyOf", []) if part.get("type") != "null"]
    if len(rest) == 1:
        given = rest[0]
    ref = given.get("$ref", "").rpartition("/")[2]
    return {**given, **(defs[ref] if ref and "enum" in defs[ref] else {})}


def test_pydantic_one_lets_what_may_be_none_out() -> None:
    source = "from typing import Optional\nfrom pydantic import BaseModel\nclass A(BaseModel):\n    x: Optional[int]\n"
    assert fields(project({"m.py": source}), "m.A") == {"x": "integer null"}
    pinned = project({"m.py": source, "requirements.txt": "fastapi\npydantic==1.10.2\n"})
    assert fields(pinned, "m.A") == {"x": "integer null optional"}


def test_secrets_are_no_defaults() -> None:
    source = """
        from pydantic import BaseModel
        class Login(BaseModel):
            name: str = "admin"
            password: str = "hV7#kq2Lm!pX9z"
        """
    assert fields(project({"m.py": source}), "m.Login") == {
        "name": "string optional = 'admin'",
        "password": "string optional",
    }


def test_other_annotated_classes() -> None:
    linked = project(
        {
            "m.py": """
        import attr, msgspec
        from attrs import define, field, validators
        from dataclasses import dataclass, field as dfield
        from typing import Annotated, ClassVar, NotRequired, TypedDict
        from sqlmodel import SQLModel, Field, Relationship

        @dataclass
        class D:
            n: int
            tags: list[str] = dfield(default_factory=list)
            known: ClassVar[int] = 1

        class T(TypedDict):
            a: str
            b: NotRequired[int]

        @define
        class A:
            name: str = field(validator=validators.max_len(20))
            age: int = 0

        @attr.s
        class O:
            x = attr.ib(default=3)

        class M(msgspec.Struct, forbid_unknown_fields=True):
            name: Annotated[str, msgspec.Meta(max_length=5)]
            size: int = 1

        class HeroBase(SQLModel):
            name: str = Field(index=True, max_length=80)
            age: int | None = Field(default=None, ge=0)

        class Hero(HeroBase, table=True):
            id: int | None = Field(default=None, primary_key=True)
            teams: list["Team"] = Relationship(back_populates="heroes")
        """
        }
    )
    assert fields(linked, "m.D") == {"n": "integer", "tags": "array [string] optional"}
    assert fields(linked, "m.T") == {"a": "string", "b": "integer optional"}
    assert fields(linked, "m.A") == {"name": "string maxLength=20", "age": "integer optional = 0"}
    assert fields(linked, "m.O") == {"x": "any optional = 3"}
    assert fields(linked, "m.M") == {"name": "string maxLength=5", "size": "integer optional = 1"}
    assert schema(linked, "m.M").extra == "forbid"
    assert fields(linked, "m.HeroBase") == {
        "name": "string maxLength=80",
        "age": "integer minimum=0 null optional",
    }
    assert list(fields(linked, "m.Hero")) == ["name", "age", "id"]


DJANGO = {
    "shop/models.py": """
        from django.core.validators import MaxValueValidator
        from django.db import models

        class Tag(models.Model):
            name = models.SlugField(max_length=20)

        class Post(models.Model):
            class Status(models.TextChoices):
                DRAFT = "d", "Draft"
                LIVE = "l", "Live"
            title = models.CharField(max_length=100)
            body = models.TextField(blank=True)
            status = models.CharField(max_length=1, choices=Status.choices, default=Status.DRAFT)
            stars = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(5)])
            site = models.URLField(null=True)
            author = models.ForeignKey("auth.User", on_delete=models.CASCADE)
            tags = models.ManyToManyField(Tag)
            created = models.DateTimeField(auto_now_add=True)
        """,
    "shop/serializers.py": """
        from rest_framework import serializers
        from shop.models import Post, Tag

        class TagSerializer(serializers.ModelSerializer):
            class Meta:
                model = Tag
                exclude = ["id"]

        class PostSerializer(serializers.ModelSerializer):
            tags = TagSerializer(many=True)
            note = serializers.CharField(max_length=3, write_only=True, required=False)
            when = serializers.SerializerMethodField()
            class Meta:
                model = Post
                fields = ["id", "title", "body", "status", "stars", "author", "tags", "note", "when"]
                read_only_fields = ("author",)
                extra_kwargs = {"title": {"min_length": 3}}
            def validate_title(self, value):
                return value

        class AllSerializer(serializers.ModelSerializer):
            class Meta:
                model = Post
                fields = "__all__"

        class Plain(serializers.Serializer):
            age = serializers.IntegerField(min_value=0, max_value=150)
            kind = serializers.ChoiceField(choices=[("a", "A"), ("b", "B")])
            many = serializers.ListField(child=serializers.IntegerField(), max_length=4, allow_empty=False)
        """,
    "shop/forms.py": """
        from django import forms
        from shop.models import Post

        class PostForm(forms.ModelForm):
            agree = forms.BooleanField()
            class Meta:
                model = Post
                fields = "__all__"

        class Contact(forms.Form):
            mail = forms.EmailField(max_length=80)
            text = forms.CharField(widget=forms.Textarea, required=False)
            def clean_text(self):
                return self.cleaned_data["text"]
        """,
}


def test_serializers() -> None:
    linked = project(DJANGO)
    assert fields(linked, "shop.serializers.PostSerializer") == {
        "id": "integer optional read",
        "title": "string minLength=3 maxLength=100 checked",
        "body": "string optional",
        "status": "string maxLength=1 in ['d', 'l'] optional",
        "stars": "integer minimum=0 maximum=5 optional",
        "author": "integer read",
        "tags": "array [TagSerializer]",
        "note": "string maxLength=3 optional write",
        "when": "any read",
    }
    everything = fields(linked, "shop.serializers.AllSerializer")
    assert set(everything) == {"id", "title", "body", "status", "stars", "site", "author", "tags", "created"}
    assert everything["created"] == "string date-time optional read"
    assert fields(linked, "shop.serializers.TagSerializer") == {"name": "string maxLength=20"}
    assert fields(linked, "shop.serializers.Plain") == {
        "age": "integer minimum=0 maximum=150",
        "kind": "string in ['a', 'b']",
        "many": "array [integer] maxItems=4",
    }


def test_django_forms() -> None:
    linked = project(DJANGO)
    found = fields(linked, "shop.forms.PostForm")
    assert set(found) == {"title", "body", "status", "stars", "site", "author", "tags", "agree"}
    assert found["agree"] == "boolean"
    assert found["title"] == "string maxLength=100"
    assert fields(linked, "shop.forms.Contact") == {
        "mail": "string email maxLength=80",
        "text": "string optional checked",
    }


FLASK = """
    from flask import Flask, request
    from flask_wtf import FlaskForm
    from wtforms import IntegerField, PasswordField, SelectField, StringField, SubmitField
    from wtforms.validators import DataRequired, Email, Length, NumberRange
    from marshmallow import EXCLUDE, Schema, fields, validate
    from flask_restful import Resource, reqparse
    from webargs.flaskparser import use_args
    from pydantic import BaseModel
    import jsonschema
    from cerberus import Validator

    app = Flask(__name__)

    class LoginForm(FlaskForm):
        name = StringField("Name", validators=[DataRequired(), Length(1, 20)])
        mail = StringField("Mail", [Email()])
        kind = SelectField("Kind", choices=[("a", "A"), ("b", "B")])
        age = IntegerField(validators=[NumberRange(min=1, max=5)])
        submit = SubmitField()

    class Part(Schema):
        x = fields.Str(required=True, validate=validate.Length(max=9))

    class Whole(Schema):
        class Meta:
            unknown = EXCLUDE
        parts = fields.Nested(Part, many=True)
        one = fields.Nested("Part")
        shown = fields.Integer(dump_only=True)
        named = fields.Str(data_key="Named", validate=[validate.OneOf(["u", "v"])])
        rows = fields.List(fields.Int(), load_default=[])

    class Body(BaseModel):
        n: int

    ORDER = {
        "type": "object",
        "properties": {
            "sku": {"type": "string", "maxLength": 12},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        },
        "required": ["sku"],
        "additionalProperties": False,
    }
    RULES = {"name": {"type": "string", "maxlength": 9, "required": True}, "n": {"type": "integer", "min": 1}}

    parser = reqparse.RequestParser()
    parser.add_argument("size", type=int, required=True, location="args")
    parser.add_argument("sort", choices=("up", "down"), default="up")

    @app.route("/login", methods=["POST"])
    def login():
        form = LoginForm()
        return form.name.data

    @app.post("/whole")
    def whole():
        return Whole().load(request.get_json())

    @app.post("/shown")
    def shown():
        return Whole().dump(make())

    @app.post("/order")
    def order():
        data = request.get_json()
        jsonschema.validate(data, ORDER)
        return data

    @app.post("/rules")
    def rules():
        if not Validator(RULES).validate(request.json):
            return "no"

    @app.get("/search")
    def search():
        return parser.parse_args()

    @app.post("/args")
    @use_args({"q": fields.Str(required=True), "n": fields.Int(validate=validate.Range(max=3))}, location="query")
    def args(given):
        return given

    @app.post("/body")
    def body():
        return Body(**request.json)

    @app.post("/parsed")
    def parsed():
        return helper()

    def helper():
        return Body.model_validate(request.get_json())

    @app.post("/made")
    def made():
        return Body(n=1)

    @app.post("/raw")
    def raw():
        return request.get_json()["x"]
    """


def test_flask_libraries() -> None:
    linked = project({"m.py": FLASK})
    assert fields(linked, "m.LoginForm") == {
        "name": "string minLength=1 maxLength=20",
        "mail": "string email optional",
        "kind": "string in ['a', 'b'] optional",
        "age": "integer minimum=1 maximum=5 optional",
    }
    assert fields(linked, "m.Whole") == {
        "parts": "array [Part] optional",
        "one": "Part optional",
        "shown": "integer optional read",
        "Named": "string in ['u', 'v'] optional",
        "rows": "array [integer] optional",
    }
    assert (schema(linked, "m.Whole").extra, schema(linked, "m.Part").extra) == ("ignore", "forbid")


def test_schemas_that_are_applied() -> None:
    linked = project({"m.py": FLASK})
    assert routed(linked) == {
        "login": ["form:LoginForm"],
        "whole": ["body:Whole"],
        "shown": [],
        "order": ["body:ORDER"],
        "rules": ["body:RULES"],
        "search": ["query:parser"],
        "args": ["query:args_input"],
        "body": ["body:Body"],
        "parsed": ["body:Body"],
        "made": [],
        "raw": [],
    }
    found = {one.schema.title: one.schema for several in linked.once(applied).values() for one in several}
    assert {field.name: _field(field) for field in found["ORDER"].fields} == {
        "sku": "string maxLength=12",
        "lines": "array [items] optional",
    }
    assert found["ORDER"].extra == "forbid"
    assert {f.name: _field(f) for f in found["RULES"].fields} == {
        "name": "string maxLength=9",
        "n": "integer minimum=1 optional",
    }
    assert {f.name: _field(f) for f in found["parser"].fields} == {
        "size": "integer",
        "sort": "string in ['up', 'down'] optional = 'up'",
    }


def test_views_apply_their_serializers() -> None:
    linked = project(
        {
            **DJANGO,
            "shop/urls.py": """
        from django.urls import include, path
        from rest_framework.routers import DefaultRouter
        from shop import views
        router = DefaultRouter()
        router.register("posts", views.Posts)
        urlpatterns = [path("api/", include(router.urls)), path("new/", views.New.as_view()),
                       path("contact/", views.contact), path("plain/", views.Plain.as_view()),
                       path("mixed/", views.Mixed.as_view())]
        """,
            "shop/views.py": """
        from django.shortcuts import render
        from django.views.generic import CreateView
        from rest_framework import viewsets
        from rest_framework.decorators import action
        from rest_framework.views import APIView
        from rest_framework.response import Response
        from shop.forms import Contact
        from shop.models import Post
        from shop.serializers import PostSerializer, Plain as PlainSerializer

        class Posts(viewsets.ModelViewSet):
            queryset = Post.objects.all()
            serializer_class = PostSerializer

            @action(detail=True, methods=["post"])
            def like(self, request, pk=None):
                return Response({"n": request.data["n"]})

        class New(CreateView):
            model = Post
            fields = ["title", "body"]

        class Mixed(APIView):
            serializer_class = PostSerializer
            def post(self, request):
                given = PlainSerializer(data=request.data)
                given.is_valid(raise_exception=True)
                return Response(self.serializer_class(given.save()).data)

        class Plain(APIView):
            def post(self, request):
                given = PlainSerializer(data=request.data)
                given.is_valid(raise_exception=True)
                return Response(given.validated_data)

        def contact(request):
            form = Contact(request.POST or None)
            return render(request, "x.html", {"form": form})
        """,
        }
    )
    found = linked.once(applied)
    told = {
        (",".join(route.methods), route.path): sorted(f"{one.where}:{one.schema.title}" for one in found.get(route, ()))
        for route in linked.once(routes)
    }
    assert told[("POST", "/api/posts/")] == ["body:PostSerializer"]
    assert told[("GET", "/api/posts/")] == []
    assert told[("PATCH", "/api/posts/{pk}/")] == ["body:PostSerializer"]
    assert told[("DELETE", "/api/posts/{pk}/")] == []
    assert told[("POST", "/api/posts/{pk}/like/")] == []
    assert told[("POST", "/plain/")] == ["body:Plain"]
    assert told[("POST", "/mixed/")] == ["body:Plain"]
    assert told[("", "/contact/")] == ["form:Contact"]
    new = next(several for route, several in found.items() if route.path == "/new/" and "POST" in route.methods)
    assert [field.name for field in new[0].schema.fields] == ["title", "body"]


@pytest.mark.parametrize("library", ["flask_restx"])
def test_restx_models(library: str) -> None:
    linked = project(
        """
        from flask_restx import Api, Namespace, Resource, fields
        ns = Namespace("cats")
        part = ns.model("Part", {"n": fields.Integer(min=1, max=9)})
        cat = ns.model("Cat", {"id": fields.Integer(readonly=True), "name": fields.String(required=True, max_length=30),
                               "part": fields.Nested(part), "all": fields.List(fields.Nested(part)),
                               "tags": fields.List(fields.String)})
        @ns.route("/")
        class Cats(Resource):
            @ns.expect(cat, validate=True)
            def post(self):
                return ns.payload
        """
    )
    made = next(iter(linked.once(applied).values()))[0].schema
    assert made.library == library
    assert {field.name: _field(field) for field in made.fields} == {
        "id": "integer optional read",
        "name": "string maxLength=30",
        "part": "app:4:Part optional",
        "all": "array [app:4:Part] optional",
        "tags": "array [string] optional",
    }


def test_decorators_of_the_project_apply_what_they_are_given() -> None:
    linked = project(
        """
        from flask import Blueprint
        from flask_apispec import use_kwargs
        from marshmallow import Schema, fields
        from own import accepts, responds

        bp = Blueprint("b", __name__)

        class Widget(Schema):
            name = fields.Str()

        @bp.post("/w")
        @accepts(schema=Widget)
        @responds(schema=Widget)
        def make(): ...

        @bp.get("/w")
        @responds(schema=Widget(many=True))
        def listed(): ...

        @bp.get("/found")
        @use_kwargs({"tag": fields.Str()})
        def found(tag): ...
        """
    )
    assert routed(linked) == {"make": ["body:Widget"], "listed": [], "found": ["query:found_input"]}
