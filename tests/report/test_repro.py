"""The requests that findings name, and the tests that `repro` prints: they tell a mistake from its careful twin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import CliRunner

from backaudit.cli import cli

FASTAPI = {
    "requirements.txt": "fastapi\n",
    "app/__init__.py": "",
    "app/main.py": """
        from fastapi import FastAPI, HTTPException
        from sqlalchemy import create_engine, select
        from sqlalchemy.exc import IntegrityError
        from sqlalchemy.orm import sessionmaker
        from sqlalchemy.pool import StaticPool
        from pydantic import BaseModel
        from app.models import Base, Book

        engine = create_engine(
            "sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool
        )
        Base.metadata.create_all(engine)
        Session = sessionmaker(engine)
        app = FastAPI()

        class BookIn(BaseModel):
            title: str
            isbn: str
            pages: int = 1

        @app.get("/books/{book_id}/title")
        def title(book_id: int):
            with Session() as db:
                book = db.get(Book, book_id)
                {asked}
                return {"title": book.title}

        @app.post("/books", status_code=201)
        def add(given: BookIn):
            with Session() as db:
                found = db.scalars(select(Book).where(Book.title == given.title)).first()
                if found is not None:
                    raise HTTPException(409, "There is a book of that title")
                book = Book(title=given.title, isbn=given.isbn)
                db.add(book)
                {stored}
                return {"id": book.id}
        """,
    "app/models.py": """
        from sqlalchemy import Column, Integer, String
        from sqlalchemy.orm import declarative_base

        Base = declarative_base()

        class Book(Base):
            __tablename__ = "books"
            id = Column(Integer, primary_key=True)
            title = Column(String(80), unique=True, nullable=False)
            isbn = Column(String(20), unique=True, nullable=False)
        """,
}
GUARDED = {
    "requirements.txt": "fastapi\n",
    "app/__init__.py": "",
    "app/models.py": """
        import datetime
        import enum
        from sqlalchemy import Enum, ForeignKey
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

        class Base(DeclarativeBase):
            pass

        class Kind(enum.Enum):
            reader = 1
            writer = 2

        class Member(Base):
            __tablename__ = "members"
            id: Mapped[int] = mapped_column(primary_key=True)
            name: Mapped[str]
            kind: Mapped[Kind] = mapped_column(Enum(Kind))
            closed: Mapped[bool] = mapped_column(default=False)
            joined: Mapped[datetime.datetime]

        class Loan(Base):
            __tablename__ = "loans"
            id: Mapped[int] = mapped_column(primary_key=True)
            member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
            days: Mapped[int]
        """,
    "app/guards.py": """
        from fastapi import Depends, Header, HTTPException
        from sqlalchemy import create_engine
        from sqlalchemy.orm import Session
        from sqlalchemy.pool import StaticPool
        from app.models import Base, Member
        import jwt

        engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)
        Base.metadata.create_all(engine)

        def database():
            with Session(engine) as db:
                yield db

        def caller(authorization: str = Header(), db: Session = Depends(database)):
            try:
                claims = jwt.decode(authorization.removeprefix("Bearer "), "k" * 40, algorithms=["HS256"])
            except jwt.PyJWTError as error:
                raise HTTPException(401) from error
            found = db.get(Member, claims.get("sub"))
            if found is None:
                raise HTTPException(401)
            return found

        def writer(member: Member = Depends(caller)):
            if member.kind.name != "writer":
                raise HTTPException(403)
            return member

        def of_kind(name):
            def check(member: Member = Depends(caller)):
                if member.kind.name != name:
                    raise HTTPException(403)
                return member
            return check
        """,
    "app/main.py": """
        from fastapi import Depends, FastAPI, HTTPException
        from sqlalchemy.orm import Session
        from app.guards import caller, database, of_kind, writer
        from app.models import Loan, Member

        app = FastAPI()

        @app.get("/loans/{loan_id}")
        def loan(loan_id: int, member: Member = Depends(caller), db: Session = Depends(database)):
            found = db.get(Loan, loan_id)
            {asked}
            return {"days": found.days, "by": member.name, "kind": member.kind.name, "year": member.joined.year}

        @app.delete("/loans/{loan_id}", dependencies=[Depends(writer)], status_code=204)
        def remove(loan_id: int, db: Session = Depends(database)):
            found = db.get(Loan, loan_id)
            {asked}
            db.delete(found)
            db.commit()

        @app.put("/loans/{loan_id}/extend")
        def extend(loan_id: int, _: Member = Depends(of_kind("writer")), db: Session = Depends(database)):
            found = db.get(Loan, loan_id)
            found.days += 7
            db.commit()
        """,
}
FLASK = {
    "shop/__init__.py": """
        from flask import Flask
        from shop.items import items

        def create_app():
            app = Flask(__name__)
            app.register_blueprint(items, url_prefix="/api")
            return app
        """,
    "shop/items.py": """
        from flask import Blueprint, abort, jsonify, request

        items = Blueprint("items", __name__)

        def number(text):
            {converted}

        @items.get("/items")
        def listed():
            if request.args.get("kind") != "book":
                return jsonify([])
            return jsonify(page=number(request.args.get("page", "1")))

        @items.post("/items")
        def add():
            data = request.get_json()
            {read}
            return jsonify(name=name), 201
        """,
}
DJANGO = {
    "manage.py": """
        import os, sys
        from django.core.management import execute_from_command_line
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        execute_from_command_line(sys.argv)
        """,
    "config/__init__.py": "",
    "config/settings.py": """
        SECRET_KEY = "a-key-of-a-test"
        ROOT_URLCONF = "config.urls"
        INSTALLED_APPS = ["notes"]
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
        MIDDLEWARE = []
        """,
    "config/urls.py": """
        from django.urls import include, path
        urlpatterns = [path("notes/", include("notes.urls"))]
        """,
    "notes/__init__.py": "",
    "notes/models.py": """
        from django.db import models

        class Note(models.Model):
            slug = models.SlugField(unique=True)
            text = models.TextField()
        """,
    "notes/urls.py": """
        from django.urls import path
        from notes import views
        urlpatterns = [path("<slug:slug>/", views.note), path("", views.add)]
        """,
    "notes/views.py": """
        import json
        from django.http import JsonResponse
        from django.shortcuts import get_object_or_404
        from notes.models import Note

        def note(request, slug):
            found = {looked_up}
            return JsonResponse({"text": found.text})

        def add(request):
            if request.method != "POST":
                return JsonResponse({}, status=405)
            {parsed}
            return JsonResponse({"kind": str(type(data))})
        """,
}
REST_FRAMEWORK = {
    "manage.py": DJANGO["manage.py"],
    "config/__init__.py": "",
    "config/settings.py": """
        SECRET_KEY = "a-key-of-a-test"
        ROOT_URLCONF = "config.urls"
        INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "loans"]
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
        MIDDLEWARE = []
        """,
    "config/urls.py": """
        from django.urls import include, path
        urlpatterns = [path("api/", include("loans.urls"))]
        """,
    "loans/__init__.py": "",
    "loans/models.py": """
        import uuid
        from django.conf import settings
        from django.db import models

        class Shelf(models.Model):
            code = models.CharField(max_length=3, unique=True)
            room = models.DecimalField(max_digits=4, decimal_places=1)

        class Book(models.Model):
            id = models.UUIDField(primary_key=True, default=uuid.uuid4)
            shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE)
            kind = models.CharField(max_length=4, choices=[("old", "Old"), ("new", "New")])

        class Loan(models.Model):
            owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
            book = models.ForeignKey(Book, on_delete=models.CASCADE)
            until = models.DateField()
            days = models.IntegerField(default=7)
        """,
    "loans/urls.py": """
        from django.urls import path
        from rest_framework.routers import DefaultRouter
        from loans import views

        router = DefaultRouter()
        router.register("loans", views.Loans, basename="loan")
        urlpatterns = [path("notes/", views.note), path("shelve/", views.Shelve.as_view()), *router.urls]
        """,
    "loans/views.py": """
        from django.http import JsonResponse
        from django import forms
        from django.views import View
        from rest_framework import permissions, serializers, viewsets
        from rest_framework.decorators import action, api_view, permission_classes
        from rest_framework.response import Response
        from loans.models import Book, Loan, Shelf

        class LoanSerializer(serializers.ModelSerializer):
            class Meta:
                model = Loan
                fields = ["id", "book", "until"]
                extra_kwargs = {"book": {"pk_field": serializers.UUIDField()}}

        class Checked(serializers.Serializer):
            @classmethod
            def of(cls, data):
                serializer = cls(data=data)
                serializer.is_valid(raise_exception=True)
                return serializer.validated_data

        class Days(Checked):
            days = serializers.IntegerField(default=1)

            @classmethod
            def of(cls, data):
                return super().of(data)["days"]

        class Note(Checked):
            book = serializers.UUIDField()
            note = serializers.CharField()

        class Loans(viewsets.ModelViewSet):
            serializer_class = LoanSerializer
            permission_classes = [permissions.IsAuthenticated]

            def get_queryset(self):
                return Loan.objects.filter(owner=self.request.user).order_by("pk")

            def perform_create(self, serializer):
                {stored}

            @action(detail=True, methods=["post"])
            def extend(self, request, pk=None):
                loan = self.get_object()
                {extended}
                loan.save()
                return Response({"days": loan.days})

        @api_view(["POST"])
        @permission_classes([permissions.IsAdminUser])
        def note(request):
            given = {given}
            if not Book.objects.filter({found}).exists():
                return Response({}, status=404)
            {noted}
            return Response({"length": length})

        class ShelfForm(forms.Form):
            shelf = forms.ModelChoiceField(queryset=Shelf.objects.all())

        class Shelve(View):
            def post(self, request):
                form = ShelfForm(request.POST)
                if not form.is_valid():
                    return JsonResponse(form.errors, status=400)
                {shelved}
                return JsonResponse({"place": place})
        """,
}
CASES: dict[str, tuple[dict[str, str], dict[str, str], dict[str, str], int]] = {
    "fastapi": (
        FASTAPI,
        {"asked": "", "stored": "db.commit()"},
        {
            "asked": 'if book is None: raise HTTPException(404, "No such book")',
            "stored": "\n".join(
                (
                    "try:",
                    "                    db.commit()",
                    "                except IntegrityError as error:",
                    '                    raise HTTPException(409, "This ISBN is taken") from error',
                )
            ),
        },
        2,
    ),
    "flask": (
        FLASK,
        {"converted": "return int(text)", "read": 'name = data["name"]'},
        {
            "converted": 'return int(text) if text.isdigit() else abort(400, "No page")',
            "read": 'name = isinstance(data, dict) and data.get("name") or abort(400, "A name is missing")',
        },
        2,
    ),
    "django": (
        DJANGO,
        {"looked_up": "Note.objects.get(slug=slug)", "parsed": "data = json.loads(request.body)"},
        {
            "looked_up": "get_object_or_404(Note, slug=slug)",
            "parsed": "\n".join(
                (
                    "try:",
                    "                data = json.loads(request.body)",
                    "            except ValueError:",
                    '                return JsonResponse({"error": "No JSON"}, status=400)',
                )
            ),
        },
        2,
    ),
    "rest_framework": (
        REST_FRAMEWORK,
        {
            "stored": "serializer.save()",
            "extended": 'loan.days += int(request.data.get("days", "1"))',
            "found": 'pk=given.get("book")',
            "given": "request.data",
            "noted": 'length = len(given["note"])',
            "shelved": 'place = int(request.POST.get("place", "0"))',
        },
        {
            "stored": "serializer.save(owner=self.request.user)",
            "extended": "loan.days += Days.of(request.data)",
            "given": "Note.of(request.data)",
            "found": 'pk=given["book"]',
            "noted": 'length = len(given["note"])',
            "shelved": "\n".join(
                (
                    'given = request.POST.get("place", "0")',
                    "                if not given.isdigit():",
                    "                    return JsonResponse({}, status=400)",
                    "                place = int(given)",
                )
            ),
        },
        7,
    ),
}


def _project(folder: Path, files: dict[str, str], pieces: dict[str, str]) -> Path:
    for name, text in files.items():
        for piece, code in pieces.items():
            text = text.replace("{" + piece + "}", code)
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), "utf-8")
    return folder


def _repro(folder: Path, *arguments: str) -> Any:
    return CliRunner().invoke(cli, ["repro", "--no-cache", "--project", str(folder), *arguments])


def _run(folder: Path) -> dict[str, int]:
    """How many of a project's tests pass and fail."""
    ours = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", ""), ours])}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_repro.py", "-rA"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    said = done.stdout.splitlines()
    words = ("PASSED", "FAILED", "ERROR")
    return {word: sum(line.startswith(f"{word} test_repro.py") for line in said) for word in words}


@pytest.mark.parametrize("framework", sorted(CASES))
def test_the_printed_tests_fail_on_the_mistake_and_pass_once_it_is_mended(framework: str, tmp_path: Path) -> None:
    files, careless, careful, count = CASES[framework]
    wrong = _project(tmp_path / "wrong", files, careless)
    mended = _project(tmp_path / "mended", files, careful)
    printed = _repro(wrong, "-o", str(wrong / "test_repro.py"))
    assert printed.exit_code == 0, printed.output
    assert _run(wrong) == {"PASSED": 0, "FAILED": count, "ERROR": 0}
    (mended / "test_repro.py").write_text((wrong / "test_repro.py").read_text("utf-8"), "utf-8")
    assert _run(mended) == {"PASSED": count, "FAILED": 0, "ERROR": 0}


def _findings(folder: Path) -> list[dict[str, Any]]:
    arguments = ["scan", "--no-cache", "--strict", "--select", "errors", "--fail-on", "never", "--format", "json"]
    said = CliRunner().invoke(cli, [*arguments, str(folder)]).stdout
    found: list[dict[str, Any]] = json.loads(said)["findings"]
    return found


def test_a_guard_that_can_be_imported_is_replaced_and_one_that_is_made_on_the_spot_waits(tmp_path: Path) -> None:
    wrong = _project(tmp_path / "wrong", GUARDED, {"asked": ""})
    mended = _project(
        tmp_path / "mended", GUARDED, {"asked": 'if found is None: raise HTTPException(404, "No such loan")'}
    )
    printed = _repro(wrong, "-o", str(wrong / "test_repro.py"))
    assert "3 tests of 3 findings; 1 of them wait" in printed.output
    text = (wrong / "test_repro.py").read_text("utf-8")
    assert "dependency_overrides, caller, lambda: an_instance(Member))" in text
    assert "dependency_overrides, writer, lambda: None)" in text
    assert _run(wrong) == {"PASSED": 0, "FAILED": 2, "ERROR": 0}
    (mended / "test_repro.py").write_text(text, "utf-8")
    assert _run(mended) == {"PASSED": 2, "FAILED": 0, "ERROR": 0}


def test_a_finding_names_its_request_as_data(tmp_path: Path) -> None:
    files, careless, _, _ = CASES["flask"]
    found = {f["request"]["method"]: f["request"] for f in _findings(_project(tmp_path, files, careless))}
    page = found["GET"]
    assert (page["path"], page["query"]) == ("/api/items", [["kind", "book"], ["page", "abc"]])
    assert page["curl"] == "curl -i 'http://localhost:8000/api/items?kind=book&page=abc'"
    assert (page["raises"], page["at"], page["status"], page["wanted"]) == ("ValueError", "shop/items.py:7", 500, [400])
    name = found["POST"]
    assert (name["body"], name["headers"]) == ({}, {"Content-Type": "application/json"})


def test_a_second_row_differs_in_all_that_is_asked_for_before(tmp_path: Path) -> None:
    files, careless, _, _ = CASES["fastapi"]
    found = [f["request"] for f in _findings(_project(tmp_path, files, careless)) if f["request"]["before"]]
    assert [request["before"]["isbn"] == request["body"]["isbn"] for request in found] == [True]
    assert [request["before"]["title"] == request["body"]["title"] for request in found] == [False]


TORTOISE = {
    "notes/__init__.py": "",
    "notes/models.py": """
        from tortoise import fields, models
        from tortoise.contrib.pydantic import pydantic_model_creator

        class Note(models.Model):
            id = fields.IntField(pk=True)
            title = fields.CharField(max_length=4)
            body = fields.TextField()
            pages = fields.IntField()
            owner_id = fields.IntField()

        NoteIn = pydantic_model_creator(Note, name="NoteIn", exclude_readonly=True, exclude=("owner_id",))
        """,
    "notes/main.py": """
        from fastapi import FastAPI
        from pydantic import create_model
        from notes.models import Note, NoteIn

        app = FastAPI()
        Moved = create_model("Moved", place=(int, ...), why=(str, "no reason"))

        @app.put("/notes/{key}")
        async def edit(key, given: NoteIn):
            note = await Note.get(id=key)
            note.body = given.body
            await note.save()
            return {}

        @app.post("/notes/{key}/move")
        async def move(key, given: Moved):
            return {"place": int(key) + given.place}
        """,
}


def test_a_body_follows_the_schema_that_a_library_makes(tmp_path: Path) -> None:
    found = {f["request"]["path"]: f["request"]["body"] for f in _findings(_project(tmp_path, TORTOISE, {}))}
    assert found["/notes/abc"] == {"title": "text", "body": "text", "pages": 1}
    assert found["/notes/abc/move"] == {"place": 1, "why": "text"}


TOKENS = {
    "manage.py": "",
    "shop/__init__.py": "",
    "shop/models.py": """
        from django.db import models

        class Order(models.Model):
            total = models.IntegerField()

        class Line(models.Model):
            order = models.ForeignKey(Order, on_delete=models.CASCADE)
            number = models.IntegerField()
        """,
    "shop/views.py": """
        from django.core import signing
        from django.http import JsonResponse
        from shop.models import Line, Order

        def signed(text):
            return signing.loads(text)["order"]

        def by_token(request, token):
            line = Line.objects.filter(order_id=signed(token)).first()
            return JsonResponse({"number": line.number})

        def by_number(request, number):
            line = Line.objects.filter(order_id=number).first()
            return JsonResponse({"number": line.number})

        def second(request):
            try:
                order = Order.objects.get(pk=request.POST.get("order"))
            except (Order.DoesNotExist, ValueError):
                return JsonResponse({}, status=404)
            return JsonResponse({"total": order.total + int(request.POST["more"])})
        """,
    "shop/urls.py": """
        from django.urls import path
        from shop import views

        urlpatterns = [
            path("tokens/<str:token>/", views.by_token), path("numbers/<int:number>/", views.by_number),
            path("second/", views.second),
        ]
        """,
}


def test_what_the_application_alone_signs_is_not_made_up(tmp_path: Path) -> None:
    found = _findings(_project(tmp_path, TOKENS, {}))
    asked = [f["request"]["path"] for f in found if "request" in f]
    assert "/numbers/999999/" in asked
    assert not any(path.startswith("/tokens") for path in asked)


def test_a_row_that_is_looked_up_before_is_asked_for_by_what_its_column_holds(tmp_path: Path) -> None:
    found = [f["request"] for f in _findings(_project(tmp_path, TOKENS, {})) if "request" in f]
    second = next(request for request in found if request["path"] == "/second/" and request["raises"] == "ValueError")
    assert second["body"] == "order=1&more=abc"
    assert second["rows"] == ["a row whose `order` is 1"]


def test_a_place_or_a_fingerprint_picks_what_is_printed(tmp_path: Path) -> None:
    files, careless, _, _ = CASES["flask"]
    folder = _project(tmp_path, files, careless)
    for asked in ("shop/items.py:7", next(f["fingerprint"] for f in _findings(folder) if f["line"] == 7)):
        printed = _repro(folder, asked)
        assert printed.exit_code == 0
        assert printed.stdout.count("def test_") == 1
        assert "/api/items?kind=book&page=abc" in printed.stdout


def test_what_cannot_be_meant_is_told(tmp_path: Path) -> None:
    files, careless, careful, _ = CASES["flask"]
    folder = _project(tmp_path / "wrong", files, careless)
    nothing = _repro(folder, "shop/items.py:1").exception
    assert str(nothing) == "no finding of errors/* stands at shop/items.py:1; those of the file stand on 7, 18."
    unknown = _repro(folder, "ffffffffffff").exception
    assert str(unknown) == "no finding of errors/* has a fingerprint that begins with ffffffffffff."
    clean = _repro(_project(tmp_path / "mended", files, careful)).exception
    assert str(clean) == "none of the 0 findings of errors/* names a request that a test can send."


def test_texts_of_a_schema_and_empty_lists_are_named(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "fastapi\n",
        "main.py": """
            import base64

            from fastapi import FastAPI
            from pydantic import BaseModel

            app = FastAPI()


            class Given(BaseModel):
                data: str
                marks: list[int]


            @app.post("/bytes")
            def read(given: Given):
                return {"bytes": len(base64.b64decode(given.data))}


            @app.post("/mean")
            def mean(given: Given):
                return {"mean": sum(given.marks) / len(given.marks)}
        """,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(dedent(text), "utf-8")
    done = CliRunner().invoke(cli, ["scan", str(tmp_path), "--strict", "--format", "json", "--fail-on", "never"])
    found = [one["request"] for one in json.loads(done.stdout)["findings"] if one.get("request")]
    named = {one["path"]: (one["body"], one["raises"]) for one in found}
    assert named["/bytes"][0]["data"] == "abc"
    assert named["/mean"][0]["marks"] == []
    assert {raised for _, raised in named.values()} == {"Error", "ZeroDivisionError"}
