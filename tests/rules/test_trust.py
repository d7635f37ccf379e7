"""What larger back ends do that was taken for a mistake, each beside the mistake; marks as in ``test_doubts``."""

from __future__ import annotations

import pytest

from tests.rules.test_doubts import test_a_finding_is_as_sure_as_its_program_says as as_its_program_says

PERMISSION_OF_AN_ENUM = """
from enum import Enum

from pyramid.config import Configurator
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    email = Column(String(80))


class Permission(Enum):
    STAFF = "staff"


@view_config(route_name="people", request_method="GET", renderer="json", permission=Permission.STAFF)
def people(request):
    return {"people": [user.email for user in request.db.query(User).filter(User.email != "")]}


@view_config(route_name="leave", request_method="POST", renderer="json", is_authenticated=True)
def leave(request):
    request.db.query(User).filter(User.id == request.identity).delete()
    return {}


@view_defaults(route_name="account", renderer="json", is_authenticated=True)
class Account:
    def __init__(self, request):
        self.request = request

    @view_config(request_method="POST")
    def close(self):
        self.request.db.query(User).filter(User.id == self.request.identity).delete()
        return {}


@view_config(route_name="open_people", request_method="GET", renderer="json", permission=NO_PERMISSION_REQUIRED)
def open_people(request):  # sure
    return {"people": [user.email for user in request.db.query(User).filter(User.email != "")]}


def main(settings):
    config = Configurator(settings=settings)
    config.add_route("people", "/users")
    config.add_route("open_people", "/open/users")
    config.add_route("leave", "/leave")
    config.add_route("account", "/account")
    config.scan()
    return config.make_wsgi_app()
"""

HANDED_ON = """
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import models
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path


class BoardQuerySet(models.QuerySet):
    def visible_for(self, user):
        return self if user.is_superuser else self.filter(hidden=False)


class Board(models.Model):
    slug = models.SlugField(unique=True)
    hidden = models.BooleanField(default=False)
    editor = models.ForeignKey(User, on_delete=models.CASCADE)
    objects = BoardQuerySet.as_manager()


def board(request, slug):  # doubtful
    found = get_object_or_404(Board.objects.visible_for(request.user), slug=slug)
    return JsonResponse({"slug": found.slug})


def edited(request):  # likely
    return JsonResponse({"slugs": [found.slug for found in Board.objects.filter(editor=request.user)]})


@login_required
def hide(request, slug):
    Board.objects.filter(slug=slug, editor=request.user).update(hidden=True)
    return JsonResponse({})


urlpatterns = [path("b/<slug>/", board), path("edited/", edited), path("b/<slug>/hide/", hide)]
"""

SAYS_WHO_CALLS = """
from flask import Flask, abort, jsonify, request
from sqlalchemy import create_engine, text

app = Flask(__name__)
engine = create_engine("postgresql:///music")
SCHEMA = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, token TEXT)"
PINS = "CREATE TABLE pin (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES person (id), title TEXT)"


def prepare(connection):
    connection.execute(text(SCHEMA))
    connection.execute(text(PINS))


def by_header():
    sent = request.headers.get("Authorization")
    if not sent:
        abort(401)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM person WHERE token = :token"), {"token": sent}).first()
    if found is None:
        abort(401)
    return dict(found)


def remove(connection, key, user_id):
    connection.execute(text("DELETE FROM pin WHERE id = :key AND user_id = :user_id"), {"key": key, "user_id": user_id})


@app.delete("/pins/<int:key>")
def end(key):
    user = by_header()
    with engine.begin() as connection:
        remove(connection, key, user["id"])
    return {}


@app.delete("/pins/here/<int:key>")
def end_here(key):
    user = by_header()
    with engine.begin() as connection:
        connection.execute(
            text("DELETE FROM pin WHERE user_id = :user_id AND id = :key"), {"user_id": user["id"], "key": key}
        )
    return {}


@app.get("/pins")
def mine():
    user = by_header()
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM pin WHERE user_id = :user_id"), {"user_id": user["id"]})
        return jsonify([dict(row) for row in rows])


@app.delete("/any/<int:key>")
def end_any(key):
    by_header()
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM pin WHERE id = :key"), {"key": key})  # sure
    return {}


@app.delete("/of/<int:person>/<int:key>")
def end_of(person, key):
    by_header()
    with engine.begin() as connection:
        connection.execute(  # sure
            text("DELETE FROM pin WHERE user_id = :user_id AND id = :key"), {"user_id": person, "key": key}
        )
    return {}
"""

CODES_AND_RIGHTS = """
import secrets

from django import forms
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View


def drawn():
    return secrets.token_hex(16)


class Owned(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)

    class Meta:
        abstract = True

    def raise_not_editable(self, viewer):
        if self.user != viewer:
            raise PermissionDenied()


class Ticket(Owned):
    code = models.CharField(max_length=32, default=drawn)


class Album(Owned):
    name = models.CharField(max_length=80)


class CheckedForm(forms.ModelForm):
    def save(self, request, *args, **kwargs):
        self.instance.raise_not_editable(request.user)
        return super().save(*args, **kwargs)


class AlbumForm(CheckedForm):
    class Meta:
        model = Album
        fields = ["name"]


class LooseForm(forms.ModelForm):
    class Meta:
        model = Album
        fields = ["name"]


@login_required
def mine(request):
    found = [album.name for album in Album.objects.filter(user=request.user)]
    return JsonResponse({"albums": found, "tickets": Ticket.objects.filter(user=request.user).count()})


@login_required
def ticket(request, code):
    found = get_object_or_404(Ticket, code=code)
    found.delete()
    return JsonResponse({})


@login_required
def album(request, pk):
    form = AlbumForm(request.POST, instance=get_object_or_404(Album, pk=pk))
    if form.is_valid():
        form.save(request)
    return JsonResponse({})


@login_required
def loose_album(request, pk):
    form = LooseForm(request.POST, instance=get_object_or_404(Album, pk=pk))  # sure
    if form.is_valid():
        form.save()
    return JsonResponse({})


@method_decorator(login_required, name="dispatch")
@method_decorator(permission_required("music.moderate_user", raise_exception=True), name="dispatch")
class Moderated(View):
    def post(self, request, pk):
        get_object_or_404(Album, pk=pk).delete()
        return JsonResponse({})


urlpatterns = [
    path("albums/", mine),
    path("tickets/<code>/use/", ticket),
    path("albums/<int:pk>/", album),
    path("loose/<int:pk>/", loose_album),
    path("moderated/<int:pk>/", Moderated.as_view()),
]
"""

_KEYS = """
SECRET_KEY = "gW4xV9tRqLz7mKp2nB8c"  # MARK
"""

FILES_OF_STAGES = {
    "shop/config.py": _KEYS.replace("MARK", "sure"),
    "shop/rtd_config.py": _KEYS.replace("MARK", "doubtful"),
    ".devcontainer/config.py": _KEYS.replace("MARK", "doubtful"),
}

_WEB = """
services:
  web:
    build:
      context: .
      dockerfile: docker/DOCKERFILE
    environment:
      DEBUG: 1  # MARK
    command: gunicorn app:app
"""

BUILT_FROM = {
    "app.py": "from flask import Flask\n\napp = Flask(__name__)\n",
    "docker-compose.yml": _WEB.replace("DOCKERFILE", "Dockerfile").replace("MARK", "likely"),
    "deploy/docker-compose.yml": _WEB.replace("DOCKERFILE", "Dockerfile.dev").replace("MARK", "doubtful"),
}

JUDGED_BY_A_MODEL = """
from flask import Flask, request
from pydantic import BaseModel

app = Flask(__name__)


class Rating(BaseModel):
    song: str
    stars: int


def keep(song, stars):
    print(song, stars)


@app.post("/ratings")
def rate():
    data = request.json
    made = Rating(song=data["song"], stars=data.get("stars", None))
    keep(made.song, made.stars)
    return {}


@app.post("/raw")
def raw():
    data = request.json  # likely
    keep(data["song"], data.get("stars", None))
    return {}
"""

CHECKED_INSIDE = """
import ipaddress
from urllib.parse import urlparse

import requests
from flask import Flask, request

app = Flask(__name__)
BLOCKED = {"internal"}


def refuse_unknown(url):
    parts = urlparse(url)
    try:
        ipaddress.ip_address(parts.hostname)
    except ValueError:
        pass
    if parts.hostname in BLOCKED:
        raise RuntimeError(url)


def load(url):
    refuse_unknown(url)
    return requests.get(url, timeout=5).content


def load_any(url):
    return requests.get(url, timeout=5).content


@app.post("/cover")
def cover():
    return {"size": len(load(request.form["url"]))}  # doubtful


@app.post("/any-cover")
def any_cover():
    return {"size": len(load_any(request.form["url"]))}  # sure
"""

FORM_ASKS = """
from django import forms
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import JsonResponse
from django.urls import path


class Shelf(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    name = models.CharField(max_length=80)

    def raise_not_editable(self, viewer):
        if self.user != viewer:
            raise PermissionDenied()


class AskingForm(forms.ModelForm):
    class Meta:
        model = Shelf
        fields = ["user", "name"]

    def save(self, request, *args, **kwargs):
        self.instance.raise_not_editable(request.user)
        return super().save(*args, **kwargs)


class LooseForm(forms.ModelForm):
    class Meta:
        model = Shelf
        fields = ["user", "name"]  # likely


@login_required
def add(request):
    form = AskingForm(request.POST)
    if form.is_valid():
        form.save(request)
    return JsonResponse({})


@login_required
def add_loosely(request):
    form = LooseForm(request.POST)
    if form.is_valid():
        form.save()
    return JsonResponse({})


urlpatterns = [path("shelves/", add), path("loose/", add_loosely)]
"""

REFUSED_BY_RAISING = """
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import models
from django.urls import path
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


class Film(models.Model):
    title = models.CharField(max_length=80)
    user = models.ForeignKey(User, on_delete=models.CASCADE)


class MayAdd(BasePermission):
    def has_permission(self, request, view):
        if not request.user.is_active:
            raise PermissionDenied()
        return True


class Anybody(BasePermission):
    def has_permission(self, request, view):
        return True


class Films(APIView):
    permission_classes = (MayAdd,)

    def post(self, request):
        Film.objects.create(title="new", user=request.user)
        return Response({})


class OpenFilms(APIView):
    permission_classes = (Anybody,)

    def post(self, request):  # likely
        Film.objects.create(title="new", user=request.user)
        return Response({})


class Mine(APIView):
    permission_classes = (IsAuthenticated,)

    def delete(self, request):
        Film.objects.filter(user=request.user).delete()
        return Response({})


urlpatterns = [path("films/", Films.as_view()), path("open/", OpenFilms.as_view()), path("mine/", Mine.as_view())]
"""

WHOSE_KEY = """
import jwt
from flask import Flask, g, request

app = Flask(__name__)
KEYS = {}


@app.post("/launch")
def launch():
    claims = jwt.decode(request.form["token"], options={"verify_signature": False})
    key = KEYS.get(claims.get("iss"))
    g.issuer = key
    return {}


@app.post("/enter")
def enter():
    claims = jwt.decode(request.form["token"], options={"verify_signature": False})  # sure
    g.user_id = claims.get("sub")
    return {}
"""


@pytest.mark.parametrize(
    ("rule", "program"),
    [
        ("missing-auth", PERMISSION_OF_AN_ENUM),
        ("missing-auth", HANDED_ON),
        ("missing-ownership-check", SAYS_WHO_CALLS),
        ("missing-ownership-check", CODES_AND_RIGHTS),
        ("missing-auth", REFUSED_BY_RAISING),
        ("jwt-not-verified", WHOSE_KEY),
        ("hardcoded-secret", FILES_OF_STAGES),
        ("debug-on", BUILT_FROM),
        ("untyped-body", JUDGED_BY_A_MODEL),
        ("ssrf", CHECKED_INSIDE),
        ("mass-assignment", FORM_ASKS),
    ],
)
def test_what_is_careful_is_not_taken_for_a_mistake(rule: str, program: str | dict[str, str]) -> None:
    as_its_program_says(rule, program)
