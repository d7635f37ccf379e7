"""What stands between a mistake and a reader's trust: each program says of its lines how sure a finding on them is.

``# sure``: with high confidence; ``# likely``: with medium; ``# doubtful``: with low, so that only ``--strict`` shows
it; on all other lines the rule is silent.
"""

from __future__ import annotations

import re

import pytest

from backaudit import plugins
from backaudit.testing import scan

LOADED = plugins.load(reraise=True)
_SAID = {"sure": "high", "likely": "medium", "doubtful": "low"}
_MARK = re.compile(r"# (sure|likely|doubtful)$")

_APP = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "here"
"""

OTHER_OBJECT = """
from flask import Flask, request
from pymongo import MongoClient

app = Flask(__name__)
rooms = MongoClient().hotel.rooms


class Room:
    def __init__(self, key, name):
        self.key = key
        self.name = name

    @classmethod
    def parse(cls, sent):
        return cls(key=sent.get("key"), name=sent.get("name"))

    @classmethod
    def stored(cls, document):
        return cls(key=document["_id"], name=document["name"])

    @classmethod
    def find(cls, key):
        return cls.stored(rooms.find_one({"_id": str(key)}))

    def close(self):
        return rooms.delete_one({"_id": self.key})  # doubtful


@app.post("/rooms")
def add():
    room = Room.parse(request.json)
    return {"name": room.name}


@app.delete("/rooms/<key>")
def remove(key):
    Room.find(key).close()
    return ""
"""

SAME_OBJECT = """
from flask import Flask, request
from pymongo import MongoClient

app = Flask(__name__)
rooms = MongoClient().hotel.rooms


class Room:
    def __init__(self, key, name):
        self.key = key
        self.name = name

    def close(self):
        return rooms.delete_one({"_id": self.key})  # sure


@app.post("/rooms")
def remove():
    Room(key=request.json["key"], name="").close()
    return ""


@app.post("/halls")
def hall():
    return {"name": Room(key="hall", name="").name}
"""

COMPUTED_KEY = """
import logging
import os

log = logging.getLogger(__name__)
settings = {}
settings["database"] = os.environ["DATABASE_URL"]
settings["colours"] = os.environ.get("COLOURS", "")


def setting(name):
    return settings.get(name)


def show(name):
    log.info("colours: %s", setting(name))  # doubtful
    log.info("colours: %s", settings["colours"])


def leak():
    log.info("database: %s", settings["database"])  # sure
"""

TEXT_IS_NO_OPERATOR = """
from flask import Flask, request
from pymongo import MongoClient

app = Flask(__name__)
users = MongoClient().shop.users


@app.post("/look")
def look():
    name = request.json["name"]
    users.find_one({"name": "shop/" + name})
    users.find_one({"name": f"shop/{name}"})
    users.find_one({"name": name.strip()})
    users.find_one({"name": name})  # sure
    return ""
"""

KEYS_UNDER_A_PREFIX = """
from fastapi import Depends, FastAPI, HTTPException, Request
from pymongo import MongoClient

from .callers import require_admin

app = FastAPI()
parts = MongoClient().shop.parts


@app.put("/parts/{key}/labels")
async def labels(key: str, request: Request):
    sent = await request.json()
    parts.update_one({"_id": key}, {"$set": {"labels." + name: value for name, value in sent.items()}})


@app.put("/parts/{key}")
async def change(key: str, request: Request):
    parts.update_one({"_id": key}, {"$set": await request.json()})  # sure


@app.put("/warehouse/{key}")
async def rebuild(key: str, request: Request, admin=Depends(require_admin)):
    parts.update_one({"_id": key}, {"$set": await request.json()})  # doubtful
"""

OWN_CLIENT = """
import requests
from fastapi import FastAPI

app = FastAPI()


class PublicOnly(requests.Session):
    def __init__(self):
        super().__init__()
        self.mount("https://", filtering_adapter())


@app.get("/cover")
def cover(url: str):
    with PublicOnly() as session:
        return session.get(url).text  # doubtful


@app.get("/plain")
def plain(url: str):
    with requests.Session() as session:
        return session.get(url).text  # sure
"""

REFUSED_BY_ITS_HOST = """
import ipaddress
import socket
from urllib.parse import urlparse

import httpx
from fastapi import FastAPI, HTTPException

app = FastAPI()


def must_be_public(host):
    for found in socket.getaddrinfo(host, None):
        if ipaddress.ip_address(found[4][0]).is_private:
            raise ValueError(host)


def noted(host):
    print(host)


@app.get("/proxy")
def proxy(url: str):
    must_be_public(urlparse(url).hostname)
    return httpx.get(url).text  # doubtful


@app.get("/open")
def opened(url: str):
    noted(urlparse(url).hostname)
    return httpx.get(url).text  # sure
"""

PLAIN_AGAIN = """
from flask import Flask, request
from markupsafe import Markup

app = Flask(__name__)


@app.get("/note")
def note():
    text = Markup(request.args["text"]).unescape()
    return {"text": text}


@app.get("/page")
def page():
    return Markup(request.args["text"])  # sure
"""

NOTHING_TO_SHOW = """
from fastapi import FastAPI
from sqlmodel import Field, Session, SQLModel, select

app = FastAPI()


class Alert(SQLModel, table=True):
    id: int = Field(primary_key=True)


@app.get("/alerts")
def alerts(session: Session):
    rows = session.exec(select(Alert)).all()
    if rows:
        return {"status": "ok", "alerts": rows}
    return {"status": "ok", "message": "not found", "alerts": []}  # doubtful


@app.get("/alerts/{key}")
def alert(key: int, session: Session):
    row = session.get(Alert, key)
    if row is None:
        return {"message": "not found"}  # sure
    return {"alert": row}
"""

COUNTED = """
from flask import Flask
from flask_login import login_required
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    email = db.Column(db.String(80), unique=True)
    password_hash = db.Column(db.String(80))


class Note(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.ForeignKey("user.id"), index=True)
    text = db.Column(db.Text)


@app.get("/notes/<int:key>")
@login_required
def note(key):
    return db.get_or_404(Note, key).text


@app.get("/figures")
def figures():
    notes = Note.query.all()
    return {"notes": len(notes), "people": User.query.count()}


@app.get("/everything")
def everything():  # doubtful
    return [note.text for note in Note.query.all()]
"""

OWN_LOCK = """
from pathlib import Path

from flask import Flask
from flask_login import login_required

app = Flask(__name__)
CACHE = Path("/var/cache/tiles")


@app.delete("/tiles/<key>")
@login_required
def drop(key):
    Path(CACHE, key).unlink()
    return ""


@app.get("/tiles")
def tiles():
    lock = Path(CACHE, "lock")
    lock.touch(exist_ok=False)
    try:
        return {"tiles": [path.name for path in CACHE.iterdir()]}
    finally:
        lock.unlink(missing_ok=True)


@app.get("/clear")
def clear():  # sure
    Path(CACHE, "all").unlink()
    return ""
"""

TRIED_KEYS = """
import jwt
from fastapi import FastAPI

app = FastAPI()
KEY = app.state


def try_keys():
    made = jwt.encode({"sub": "me"}, KEY.signing, algorithm="HS256")
    return jwt.decode(made, options={"verify_signature": False})


def read(token):
    return jwt.decode(token, options={"verify_signature": False})  # sure
"""

OTHER_PROOF = """
from functools import wraps

from flask import Flask, abort, request
from flask_login import current_user, login_user
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect

app = Flask(__name__)
db = SQLAlchemy(app)
csrf = CSRFProtect(app)


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    device_token = db.Column(db.String(40), unique=True)


def device_only(view):
    @wraps(view)
    def inner(device_token, *args, **kwargs):
        user = User.query.filter_by(device_token=device_token).first()
        if user is not None:
            login_user(user)
            return view(*args, **kwargs)
        return abort(401)

    return inner


@app.post("/devices/<device_token>/shelf")
@csrf.exempt
@device_only
def shelf():
    return {"for": current_user.id}


@app.post("/shelf")
@csrf.exempt
def own_shelf():  # sure
    if not current_user.is_authenticated:
        abort(401)
    return {"for": current_user.id}
"""


ASKED_ABOUT_THE_KEY = """
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path


def is_complete(request, name):
    return bool(request.GET.getlist(name))


def clone(request):
    if not is_complete(request, "cases"):
        return HttpResponseRedirect("/")
    return HttpResponse(request.GET["cases"])


def plain(request):
    return HttpResponse(request.GET["cases"])  # sure


urlpatterns = [path("clone/", clone), path("plain/", plain)]
"""

CHECKED_BY_A_SERVICE = """
from functools import wraps

from flask import Flask, jsonify, request
from flask_sqlalchemy import SQLAlchemy
from vendor.tokens import lookup

app = Flask(__name__)
db = SQLAlchemy(app)


class Note(db.Model):
    id = db.Column(db.Integer, primary_key=True)


def with_token(view):
    @wraps(view)
    def inner(*args, **kwargs):
        token = request.headers.get("X-Token")
        if not token or not lookup(token):
            return jsonify({"message": "token is invalid"}), 400
        return view(*args, **kwargs)

    return inner


@app.delete("/notes/<int:key>")
@with_token
def drop(key):
    db.session.delete(db.get_or_404(Note, key))
    db.session.commit()
    return ""


@app.delete("/all/<int:key>")
def drop_all(key):  # sure
    db.session.delete(db.get_or_404(Note, key))
    db.session.commit()
    return ""
"""

SERVICES = """
services:
  app:
    build: .
  shop-db:
    image: postgres:16
    ports:
      - "5432:5432"  # likely
  shop-db-dev:
    image: postgres:16
    ports:
      - "5433:5432"  # doubtful
"""

PROFILER = {
    "shop/settings.py": 'ROOT_URLCONF = "shop.urls"\nINSTALLED_APPS = ["silk"]\n',
    "shop/urls.py": """
from django.conf import settings
from django.urls import include, path

urlpatterns = [path("measured/", include("silk.urls"))]  # sure
if settings.DEBUG:
    urlpatterns += [path("silk/", include("silk.urls"))]  # doubtful
""",
}

TWO_DATABASES = {
    "requirements.txt": "sqlalchemy\npsycopg2\nPyMySQL\n",
    "app.py": """
from fastapi import FastAPI
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()


class Base(DeclarativeBase):
    pass


class Game(Base):
    __tablename__ = "games"
    id: Mapped[int] = mapped_column(primary_key=True)


class Shot(Base):
    __tablename__ = "shots"
    id: Mapped[int] = mapped_column(primary_key=True)
    game_id: Mapped[int] = mapped_column(ForeignKey("games.id"))
    code: Mapped[str]


@app.get("/games/{key}/shots")
def shots(key: int, session: Session):
    return session.scalars(select(Shot).where(Shot.game_id == key)).all()  # likely
""",
}

BESIDE_SOURCES = {
    "shop/app.py": """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "shop"
""",
    "compose.yml": """
services:
  web:
    build: .
    volumes:
      - ./shop:/srv/shop
  db:
    image: postgres:16
    environment:
      POSTGRES_PASSWORD: postgres  # doubtful
""",
    "live/compose.yml": """
services:
  web:
    image: shop:1.2
    volumes:
      - ./media:/srv/media
  db:
    image: postgres:16
    environment:
      POSTGRES_PASSWORD: postgres  # likely
""",
    "tools/docker/compose.yml": """
services:
  db:
    image: postgres:16
    environment:
      POSTGRES_PASSWORD: postgres  # doubtful
""",
}

DEVELOPERS_OWN = """
class Config:
    DEBUG = False


class Development(Config):
    SECRET_KEY = "kX9vTq2LmWzR7pYc4vN3"  # doubtful


class Live(Config):
    SECRET_KEY = "vN3kX9vTq2LmWzR7pYc4"  # sure
"""

DEVELOPERS_ALONE = """
class DevelopmentConfig:
    SECRET_KEY = "kX9vTq2LmWzR7pYc4vN3"  # likely
"""

READS_BEFORE_IT_WRITES = """
from django.db import models
from django.http import JsonResponse
from django.urls import path


class Choir(models.Model):
    name = models.CharField(max_length=80)
    seen = models.IntegerField(default=0)


def record(name):
    choir = Choir.objects.get(name=name)
    choir.seen += 1
    choir.save()


def known(name):
    return Choir.objects.get(name=name).seen


def visit(request):
    for choir in Choir.objects.all():
        record(choir.name)  # doubtful
    return JsonResponse({})


def counts(request):
    return JsonResponse({choir.name: known(choir.name) for choir in Choir.objects.all()})  # sure


urlpatterns = [path("visit", visit), path("counts", counts)]
"""

HASHED_BY_ITS_ROW = """
from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from werkzeug.security import generate_password_hash

app = Flask(__name__)
db = SQLAlchemy(app)


class Member(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    password = db.Column(db.String(200))

    def __init__(self, password):
        self.password = password

    def join(self):
        self.password = generate_password_hash(self.password)
        db.session.add(self)
        db.session.commit()


class Guest(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    password = db.Column(db.String(200))

    def __init__(self, password):
        self.password = password


@app.post("/members")
def join():
    Member(request.form["password"]).join()  # doubtful
    return ""


@app.post("/guests")
def guest():
    db.session.add(Guest(request.form["password"]))  # sure
    db.session.commit()
    return ""
"""

REFUSED_WITHOUT = """
from bottle import abort, post, request


@post("/calls")
def called():
    sent = request.json  # doubtful
    caller = sent.get("caller")
    number = sent.get("number")
    if caller is None or not number:
        return abort(400)
    return caller + number


@post("/texts")
def texted():
    sent = request.json  # likely
    return sent.get("caller") + sent.get("number")
"""

ONE_CLIENT = """
from flask import Blueprint, Flask, abort, current_app, g, request
from flask_sqlalchemy import SQLAlchemy
import jwt

app = Flask(__name__)
db = SQLAlchemy(app)
letters = Blueprint("letters", __name__)
notes = Blueprint("notes", __name__)


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)


class Letter(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.Text)
    user_id = db.Column(db.ForeignKey("user.id"), index=True)


class Note(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.Text)
    user_id = db.Column(db.ForeignKey("user.id"), index=True)


def claims():
    try:
        return jwt.decode(request.headers["Authorization"], current_app.config["KEY"], algorithms=["HS256"])
    except jwt.PyJWTError:
        abort(401)


def requires_admin_client():
    if claims()["iss"] != current_app.config["FRONT_END"]:
        abort(401)


def requires_login():
    g.user_id = claims()["sub"]


letters.before_request(requires_admin_client)
notes.before_request(requires_login)


@letters.get("/letters")
def mine():
    return [one.text for one in Letter.query.filter_by(user_id=request.args["user"]).limit(9)]


@letters.get("/letters/<int:key>")
def letter(key):
    return {"text": Letter.query.get_or_404(key).text}


@notes.get("/notes")
def own():
    return [one.text for one in Note.query.filter_by(user_id=g.user_id).limit(9)]


@notes.get("/notes/<int:key>")
def note(key):
    return {"text": Note.query.get_or_404(key).text}  # sure


app.register_blueprint(letters)
app.register_blueprint(notes)
"""


ENDS_AS_A_FILE = """
import os
import random
import string
import tempfile

from flask import Flask, request, session
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)


class Guest(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    entry = db.Column(db.String(40))


class Unpacker:
    def __init__(self, place):
        self.place = place

    def made(self):
        os.makedirs(os.path.join(tempfile.gettempdir(), self.place))


def folder_key(length):
    return "".join(random.choice(string.ascii_letters) for _ in range(length))  # doubtful


def guest_key(length):
    return "".join(random.choice(string.ascii_letters) for _ in range(length))  # sure


def session_key(length):
    return "".join(random.choice(string.ascii_letters) for _ in range(length))  # likely


@app.post("/packs")
def pack():
    place = folder_key(10)
    with open(os.path.join(tempfile.gettempdir(), place + ".zip"), "wb") as out:
        out.write(request.get_data())
    Unpacker(place).made()
    return {}


@app.post("/guests")
def guest():
    made = Guest()
    made.entry = guest_key(20)
    db.session.add(made)
    db.session.commit()
    session["entry"] = session_key(12)
    return {}
"""


IN_ITS_STORE = """
import os
import shutil

from fastapi import FastAPI, HTTPException
from starlette.responses import PlainTextResponse

app = FastAPI()
ROOT = "/srv/rooms"


class Store:
    def __init__(self):
        self.data = {"rooms": {}}

    def remove(self, key):
        shutil.rmtree(os.path.join(ROOT, key))  # doubtful

    def clear(self, key):
        shutil.rmtree(os.path.join(ROOT, key))  # sure

    def newest(self, key):
        return self.data["rooms"][key]


store = Store()


@app.delete("/rooms")
def removed(key: str):
    if key != "all" and key not in store.data["rooms"].keys():
        raise HTTPException(404)
    store.remove(key)


@app.post("/rooms/clear")
def cleared(key: str, kept: dict):
    if key in kept:
        store.clear(key)


@app.get("/rooms")
def shown(key: str):
    try:
        room = store.newest(key)
    except KeyError as error:
        raise HTTPException(404) from error
    with open(os.path.join(ROOT, key, room)) as found:  # doubtful
        return PlainTextResponse(found.read())
"""


WHOLE_EXPRESSION = """
from django.http import JsonResponse
from django.urls import path
from lxml import etree

TREE = etree.parse("parts.xml")


def picked(request):
    return JsonResponse({"n": len(TREE.xpath(request.GET["filter"]))})  # doubtful


def named(request):
    wanted = f"//part[@name='{request.GET['name']}']"
    return JsonResponse({"n": len(TREE.xpath(wanted))})  # likely


urlpatterns = [path("picked", picked), path("named", named)]
"""

RANK_BY_A_PROXY = """
import sqlite3

from flask import Flask, request

app = Flask(__name__)
INSERT = "INSERT INTO users (email, role) VALUES (?, ?)"


@app.post("/users")
def add():
    with sqlite3.connect("shop.db") as db:
        db.execute(INSERT, (request.json["email"], request.json["role"]))  # sure
    return {}, 201


@app.post("/known-to-the-proxy")
def add_by_proxy():
    with sqlite3.connect("shop.db") as db:
        db.execute(INSERT, (request.json["email"], request.headers["X-Role"]))  # doubtful
    return {}, 201
"""


BUILT_FOR_DEVELOPERS = """
services:
  web:
    build:
      context: .
      target: development
    environment:
      FLASK_DEBUG: 1  # doubtful
"""

BUILT = """
services:
  web:
    build:
      context: .
      target: runtime
    environment:
      FLASK_DEBUG: 1  # likely
"""

FOUND_BY_WHAT_IS_DRAWN = """
import random

from django.db import models
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path


class Proof(models.Model):
    mail = models.EmailField()
    digits = models.CharField(max_length=6)


class Link(models.Model):
    short = models.CharField(max_length=6)


def prove(request):
    Proof.objects.create(mail=request.POST["mail"], digits=str(random.randint(100000, 999999)))  # likely
    return HttpResponse()


def proven(request):
    found = Proof.objects.get(mail=request.POST["mail"], digits=request.POST["digits"])
    return HttpResponse(found.pk)


def shorten(request):
    Link.objects.create(short=str(random.randint(100000, 999999)))  # doubtful
    return HttpResponse()


def follow(request, short):
    return HttpResponse(get_object_or_404(Link, short=short).pk)


urlpatterns = [path("a", prove), path("b", proven), path("c", shorten), path("<str:short>", follow)]
"""


ONE_PROFILE_EACH = """
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import models
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path


class Profile(models.Model):
    user = models.OneToOneField(User, on_delete=models.CASCADE)
    motto = models.CharField(max_length=80)


class Letter(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    text = models.TextField()


@login_required
def mine(request):
    profile = Profile.objects.get(user=request.user)
    return JsonResponse({"motto": profile.motto, "letters": Letter.objects.filter(user=request.user).count()})


@login_required
def motto(request, pk):
    return JsonResponse({"motto": get_object_or_404(Profile, pk=pk).motto})  # doubtful


@login_required
def letter(request, pk):
    return JsonResponse({"text": get_object_or_404(Letter, pk=pk).text})  # sure


urlpatterns = [path("mine", mine), path("mottos/<int:pk>", motto), path("letters/<int:pk>", letter)]
"""


ELSEWHERE = """
from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from .sessions import get_db

app = FastAPI()


class Base(DeclarativeBase):
    pass


class Mailbox(Base):
    __tablename__ = "mailboxes"
    id: Mapped[int] = mapped_column(primary_key=True)
    imap_server: Mapped[str]
    login: Mapped[str]
    password: Mapped[str]


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    homepage_url: Mapped[str]
    email: Mapped[str]
    password: Mapped[str]


class Sent(BaseModel):
    where: str
    login: str
    password: str


@app.post("/mailboxes")
def mailbox(sent: Sent, db: Session = Depends(get_db)):
    db.add(Mailbox(imap_server=sent.where, login=sent.login, password=sent.password))  # doubtful
    db.commit()


@app.post("/members")
def member(sent: Sent, db: Session = Depends(get_db)):
    db.add(Member(homepage_url=sent.where, email=sent.login, password=sent.password))  # sure
    db.commit()
"""

_TRANSFER = """

@app.post("/transfer")
def transfer():
    if "user_id" not in session:
        return redirect("/login")
    send(session["user_id"], request.form["to"], request.form["amount"])
    return redirect("/")
"""

GIVES_SOMETHING = """
from flask import Flask, jsonify

app = Flask(__name__)


def stored(title):
    row = {}
    row["title"] = title
    return dict(row)


STOCK = {}


def looked_up(title):
    if title in STOCK:
        return STOCK[title]
    return None


@app.post("/notes/<title>")
def store(title):  # doubtful
    note = stored(title)
    if note:
        return jsonify(note)


@app.get("/notes/<title>")
def find(title):  # sure
    note = looked_up(title)
    if note:
        return jsonify(note)
"""

POSTED_FOR_SOMEBODY = f"""
from flask import Flask, redirect, request, session

app = Flask(__name__)  # likely
app.config["SESSION_COOKIE_SECURE"] = True
{_TRANSFER}
"""

KEPT_AT_HOME = f"""
from flask import Flask, redirect, request, session

app = Flask(__name__)  # doubtful
app.config.update(SESSION_COOKIE_SAMESITE="Lax")
{_TRANSFER}
"""

LOGIN_ALONE = """
from flask import Flask, redirect, request, session

app = Flask(__name__)  # doubtful


@app.post("/login")
def login():
    if "user_id" in session:
        return redirect("/")
    account = find(request.form["name"])
    if not account or not check_password_hash(account.hash, request.form["password"]):
        return redirect("/login")
    session["user_id"] = account.id
    return redirect("/")
"""

PICKED = """
import random
import string

from flask import Flask, session

app = Flask(__name__)
BASES = {"main": 1, "replica": 2}


def random_database_key():
    return random.choice(list(BASES.keys()))


@app.get("/chosen")
def chosen():
    session["base_token"] = random_database_key()
    return ""


@app.get("/drawn")
def drawn():
    session["reset_token"] = "".join(random.choice(string.ascii_letters) for _ in range(20))  # sure
    return ""


@app.get("/joined")
def joined():
    session["reset_token"] = "".join([random.choice(string.digits), "-"])  # sure
    return ""
"""

ASKED_WHERE_PRESENT = """
from flask import Flask, abort, current_app, request
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)
KNOWN = ["votes", "visits"]


@app.get("/fixed")
def fixed():
    info = request.args.get("info")
    if info is not None:
        if info not in KNOWN:
            return abort(404)
    db.session.execute('SELECT count("%s") FROM ranks' % info)
    return ""


@app.get("/configured")
def configured():
    info = request.args.get("info")
    boards = current_app.config.get("BOARDS")
    if info is not None:
        if boards is None or info not in boards:
            return abort(404)
    db.session.execute('SELECT count("%s") FROM ranks' % info)  # doubtful
    return ""


@app.get("/other")
def other():
    info = request.args.get("info")
    page = request.args.get("page")
    if page is not None:
        if info not in KNOWN:
            return abort(404)
    db.session.execute('SELECT count("%s") FROM ranks' % info)  # sure
    return ""
"""

SOME_ROWS_INDEXED = """
from datetime import datetime

from fastapi import FastAPI
from sqlalchemy import Boolean, DateTime, Index, String, create_engine, false, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from rules import living

app = FastAPI()
engine = create_engine("postgresql://db/x")


class Base(DeclarativeBase):
    pass


class Volume(Base):
    __tablename__ = "volumes"
    id: Mapped[int] = mapped_column(primary_key=True)
    deleted: Mapped[bool] = mapped_column(Boolean, default=False)
    checked_at: Mapped[datetime] = mapped_column(DateTime)
    __table_args__ = (Index("ix_volumes", checked_at.asc(), postgresql_where=deleted == false()),)


class Disk(Base):
    __tablename__ = "disks"
    id: Mapped[int] = mapped_column(primary_key=True)
    deleted: Mapped[bool] = mapped_column(Boolean, default=False)
    checked_at: Mapped[datetime] = mapped_column(DateTime)
    __table_args__ = (Index("ix_disks", checked_at.asc(), postgresql_where=living(deleted)),)


@app.get("/volumes")
def volumes():
    with Session(engine) as session:
        asked = select(Volume).where(Volume.deleted == False)
        return session.scalars(asked.order_by(Volume.checked_at.asc()).limit(9)).all()


@app.get("/all-volumes")
def all_volumes():
    with Session(engine) as session:
        return session.scalars(select(Volume).order_by(Volume.checked_at.asc()).limit(9)).all()  # likely


@app.get("/disks")
def disks():
    with Session(engine) as session:
        asked = select(Disk).where(Disk.deleted == False)
        return session.scalars(asked.order_by(Disk.checked_at.asc()).limit(9)).all()  # doubtful
"""

BASE_SETTINGS = """
import os

SECRET_KEY = os.environ["SECRET_KEY"]
ROOT_URLCONF = "shop.urls"
"""

OWN_SETTINGS = """
from .base import *

SECRET_KEY = "u5/IIbuiJR3Y9FQMBActk+btReZ5oOxu+l8MIJQWLfVzESoan5REE6U"  # MARK
"""

MOUNTED_BEHIND_A_HOOK = """
import rq_dashboard
from flask import Flask, abort
from flask_login import current_user

app = Flask(__name__)


def is_admin():
    if not current_user.is_admin:
        abort(403)


rq_dashboard.blueprint.before_request(is_admin)
app.register_blueprint(rq_dashboard.blueprint, url_prefix="/admin/rq")
"""

MOUNTED = """
import rq_dashboard
from flask import Flask

app = Flask(__name__)
app.register_blueprint(rq_dashboard.blueprint, url_prefix="/admin/rq")  # sure
"""

PAGE_OF_A_FILE = """
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

app = FastAPI()
api = FastAPI()


@app.exception_handler(404)
async def not_found(request: Request, exc):
    if request.url.path.startswith("/api"):
        return JSONResponse({"detail": exc.detail}, status_code=404)
    return HTMLResponse(Path("static").joinpath("index.html").read_text())  # doubtful


@api.exception_handler(404)
async def nothing(request: Request, exc):
    return JSONResponse({"detail": "nothing here"})  # sure
"""

FILE_OF_ITS_OWN = """
from flask import Blueprint, Flask, jsonify

app = Flask(__name__, static_folder="www")
inner = Flask("inner")


@app.errorhandler(404)
def not_found(error):
    return app.send_static_file("index.html")  # doubtful


@inner.errorhandler(404)
def nothing(error):
    return jsonify(detail="nothing here")  # sure
"""

OPENED_BY_AN_EXTENSION = """
import frame
from flask import Flask, render_template, request

app = Flask(__name__)
frame.init_app(app)


@app.get("/")
def index():
    return render_template("page.html.jinja2", name=request.args.get("name"))
"""

BY_ITS_ENDING = """
from flask import Flask, render_template, request

app = Flask(__name__)


@app.get("/")
def index():
    return render_template("page.html.jinja2", name=request.args.get("name"))
"""

PAGE = """<html><head><link rel="canonical" href="{{ request.base_url }}" /></head>
<body>{{ request.url }}
{{ name }}  # MARK
</body></html>
"""

TRIED_TEMPLATE = """
from django.template import Context, Template
from rest_framework import serializers


class PageSerializer(serializers.Serializer):
    template = serializers.CharField()

    def validate(self, data):
        Template(data["template"]).render(Context({}))
        return data
"""

RUN_TEMPLATE = """
from jinja2 import Template
from rest_framework import serializers


class PageSerializer(serializers.Serializer):
    template = serializers.CharField()

    def validate(self, data):
        Template(data["template"]).render({})  # sure
        return data
"""

ADMINS_LOOK = """
from flask import Flask, abort, request
from flask_login import current_user, login_required
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    password = db.Column(db.String(80))
    is_admin = db.Column(db.Boolean)


@app.get("/admin/users")
@login_required
def for_admins():
    if not current_user.is_admin:
        abort(403)
    return [user.id for user in User.query.filter_by(**request.args)]  # doubtful


@app.get("/users")
@login_required
def for_all():
    return [user.id for user in User.query.filter_by(**request.args)]  # sure
"""

OPTIONAL_LOGIN = """
from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader
from sqlmodel import Field, Session, SQLModel, create_engine, select

app = FastAPI()
engine = create_engine("sqlite://")


class User(SQLModel, table=True):
    id: int = Field(primary_key=True)
    password_hash: str


class Note(SQLModel, table=True):
    id: int = Field(primary_key=True)
    text: str
    user_id: int = Field(foreign_key="user.id", index=True)


def session():
    with Session(engine) as made:
        yield made


async def caller_if_any(token: str = Security(APIKeyHeader(name="Authorization", auto_error=False))):
    if not token:
        return None
    if token != "known":
        raise HTTPException(401)
    return token


@app.get("/notes")
def notes(caller: str = Depends(caller_if_any), db: Session = Depends(session)):
    return db.exec(select(Note)).all()


@app.get("/notes/{key}")
def note(key: int, db: Session = Depends(session)):
    return db.get(Note, key)
"""


_PORTAL = """
from flask import Flask, request
from flask_login import current_user, login_required
from flask_mail import Mail, Message
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)
mail = Mail(app)


class Officer(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    created_by_id = db.Column(db.Integer, index=True)


class OptOut(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    email = db.Column(db.String(200))


@app.get("/desk")
@login_required
def desk():
    return [officer.id for officer in Officer.query.filter_by(created_by_id=current_user.id)]
"""

SHOWN_TO_ALL = (
    _PORTAL
    + """

@app.get("/officers/<int:key>")
def officer(key):  # doubtful
    return {"id": db.session.get(Officer, key).id}


@app.get("/officers")
def officers():  # doubtful
    return [officer.id for officer in Officer.query.all()]
"""
)

CONFIRMED_BY_MAIL = (
    _PORTAL
    + """

@app.post("/out")
def opt_out():  # doubtful
    db.session.add(OptOut(email=request.form["email"]))
    db.session.commit()
    mail.send(Message("Confirm", recipients=[request.form["email"]]))
    return {}, 201


@app.delete("/out/<int:key>")
def forget(key):  # sure
    OptOut.query.filter_by(id=key).delete()
    db.session.commit()
    return {}, 204
"""
)

PARTS_OF_AN_ADDRESS = """
import os

from flask import Flask, send_file

app = Flask(__name__)


@app.get("/files/<folder>/last")
def last(folder):
    return send_file(os.path.join("/srv/files", folder, "last.txt"))  # doubtful


@app.get("/any/<path:name>")
def any_file(name):
    return send_file(os.path.join("/srv/files", name))  # sure
"""


SIGNED_BY_WHO_SENDS = """
from django.db import models
from django.urls import path
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from walletlib import recover_signer


class Delegate(models.Model):
    address = models.CharField(max_length=42, unique=True)
    label = models.CharField(max_length=50)


def is_signed_by(address, signature):
    return recover_signer(address, signature) == address


class RemovalSerializer(serializers.Serializer):
    address = serializers.CharField(max_length=42)
    signature = serializers.CharField(max_length=132)

    def validate(self, attrs):
        if not is_signed_by(attrs["address"], attrs["signature"]):
            raise serializers.ValidationError("not signed by its owner")
        return attrs


class LabelSerializer(serializers.Serializer):
    address = serializers.CharField(max_length=42)
    label = serializers.CharField(max_length=50)

    def validate(self, attrs):
        if attrs["label"] == attrs["address"]:
            raise serializers.ValidationError("a label of its own, please")
        return attrs


class DelegateView(GenericAPIView):
    permission_classes = [IsAuthenticated]

    def post(self, request):
        Delegate.objects.create(address=request.data["address"], label="new")
        return Response({}, status=201)


class RemovalView(GenericAPIView):
    serializer_class = RemovalSerializer
    permission_classes = []

    def delete(self, request):  # doubtful
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        Delegate.objects.filter(address=serializer.validated_data["address"]).delete()
        return Response({}, status=204)


class LabelView(GenericAPIView):
    serializer_class = LabelSerializer
    permission_classes = []

    def delete(self, request):  # sure
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        Delegate.objects.filter(address=serializer.validated_data["address"]).delete()
        return Response({}, status=204)


urlpatterns = [
    path("delegates/", DelegateView.as_view()),
    path("delegates/signed/", RemovalView.as_view()),
    path("delegates/labelled/", LabelView.as_view()),
]
"""

CODE_IN_THE_BODY = """
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from oneshot import matches
from pydantic import BaseModel, model_validator
from sqlalchemy import Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")
bearer = OAuth2PasswordBearer(tokenUrl="token")
Base = declarative_base()


class Device(Base):
    __tablename__ = "devices"
    id = mapped_column(Integer, primary_key=True)
    label = mapped_column(String(50))


class Proven(BaseModel):
    device: int
    label: str
    code: str

    @model_validator(mode="after")
    def proven(self):
        if not matches(self.device, self.code):
            raise ValueError("wrong code")
        return self


class Unproven(BaseModel):
    device: int
    label: str

    @model_validator(mode="after")
    def named(self):
        if not self.label:
            raise ValueError("no label")
        return self


def session():
    with Session(engine) as opened:
        yield opened


def caller(token: str = Depends(bearer)):
    if token != "x":
        raise HTTPException(401)
    return token


@app.post("/devices")
def add(body: Unproven, user=Depends(caller), db: Session = Depends(session)):
    db.add(Device(label=body.label))
    db.commit()


@app.put("/devices/proven")
def rename(body: Proven, db: Session = Depends(session)):  # doubtful
    db.get(Device, body.device).label = body.label
    db.commit()


@app.put("/devices/plain")
def rename_plainly(body: Unproven, db: Session = Depends(session)):  # sure
    db.get(Device, body.device).label = body.label
    db.commit()
"""


TOLD_TO_BE_A_REFUSAL = """
from functools import wraps
from http import HTTPStatus

from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from house_errors import Failure

app = Flask(__name__)
db = SQLAlchemy(app)


class Client(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    api_key = db.Column(db.String(64), unique=True)


class Note(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    text = db.Column(db.String(80))


def known_client():
    client = Client.query.filter_by(api_key=request.headers.get("X-Api-Key")).first()
    if client is not None:
        return client
    raise Failure("unknown client", code=7, http_status=HTTPStatus.FORBIDDEN)


def for_clients(view):
    @wraps(view)
    def run(**given):
        known_client()
        return view(**given)

    return run


def counted():
    if Note.query.count() > 100:
        raise Failure("too many", code=8, http_status=HTTPStatus.CONFLICT)


@app.delete("/notes/<int:key>")
@for_clients
def remove(key):
    Note.query.filter_by(id=key).delete()
    db.session.commit()
    return {}, 204


@app.put("/notes/<int:key>")
def change(key):  # sure
    counted()
    Note.query.filter_by(id=key).update({"text": request.json["text"]})
    db.session.commit()
    return {}, 204
"""


SECRET_OF_THE_SERVER = """
from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader, HTTPBearer, OAuth2PasswordBearer
from sqlmodel import Field, Session, SQLModel, create_engine, select
from settings import settings

app = FastAPI()
engine = create_engine("sqlite://")
scheme = APIKeyHeader(name="Authorization", auto_error=False)
people = OAuth2PasswordBearer(tokenUrl="login")


class Person(SQLModel, table=True):
    id: int = Field(primary_key=True)
    name: str


class Ticket(SQLModel, table=True):
    id: int = Field(primary_key=True)
    user_id: int = Field(foreign_key="person.id")
    open: bool = True


def get_db():
    with Session(engine) as s:
        yield s


def bearer(header: str = Security(scheme)):
    if header is None or not header.startswith("Bearer "):
        raise HTTPException(401)
    return header[len("Bearer "):]


def root(token: str = Depends(bearer)):
    root_token = settings.root_token
    if token == root_token:
        return token
    raise HTTPException(401)


def person(token: str = Depends(people), db: Session = Depends(get_db)):
    found = db.exec(select(Person).where(Person.name == token)).first()
    if found is None:
        raise HTTPException(401)
    return found


@app.get("/tickets")
def mine(db: Session = Depends(get_db), me=Depends(person)):
    return db.exec(select(Ticket).where(Ticket.user_id == me.id)).all()


@app.delete("/admin/tickets/{key}")
def end_any(key: int, token=Depends(root), db: Session = Depends(get_db)):
    db.delete(db.get(Ticket, key))
    db.commit()


@app.delete("/tickets/{key}")
def end(key: int, me=Depends(person), db: Session = Depends(get_db)):
    db.delete(db.get(Ticket, key))  # sure
    db.commit()
"""


READ_UNDER_A_NAME = """
import os

from flask import Flask, request

app = Flask(__name__)


class World:
    told = {"main": {}, "agents": {}}

    @staticmethod
    def get(name=None, group=None):
        group = group if group else "main"
        if name:
            return World.told[group].get(name)
        return World.told[group]

    @staticmethod
    def tell(group, name, value):
        if value is not None:
            World.told[group][name] = value


@app.post("/settings")
def change():
    sent = request.json
    World.tell("main", sent["name"], sent["value"])
    return ""


@app.post("/folder")
def folder():
    World.told["agents"]["store"] = request.json["folder"]
    return ""


@app.get("/files")
def files():
    return os.listdir(World.get("folder"))  # doubtful


@app.get("/agents")
def agents():
    return os.listdir(World.told["agents"]["store"])  # sure
"""


SHOWN_ONCE = """
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.utils.crypto import get_random_string


def add(request):
    password = get_random_string(12)
    User.objects.create(username=request.POST["name"], password=make_password(password))
    return render(request, "added.html", {"password": password})  # doubtful


def show(request, key):
    password = get_object_or_404(User, pk=key).password
    return render(request, "person.html", {"password": password})  # sure


urlpatterns = [path("add/", add), path("people/<int:key>/", show)]
"""


TOLD_AT_A_TERMINAL = """
import pyotp
from app import db, Person


def add():
    person = Person(name=input("name: "), otp_secret=pyotp.random_base32())
    db.session.add(person)
    db.session.commit()
    print("Scan this:", person.otp_secret)  # doubtful


if __name__ == "__main__":
    add()
"""

TOLD_BY_THE_SERVER = """
import logging
from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)
log = logging.getLogger(__name__)

class Person(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))
    otp_secret = db.Column(db.String(80))


@app.post("/people/<int:key>")
def show(key):
    person = db.session.get(Person, key)
    log.info("secret %s", person.otp_secret)  # sure
    print(person.otp_secret)  # sure
    return ""
"""


DEVELOPERS_BRANCH = """
import os

from flask import Flask

DEBUG = os.environ.get("DEBUG") == "1"

app = Flask(__name__)
if DEBUG:
    app.secret_key = "yellow polkadot"  # doubtful
else:
    app.secret_key = os.environ["SECRET_KEY"]
app.config["SECRET_KEY"] = "orange polkadot"  # likely
"""

SCOPED = """
from django.db import models
from django.urls import include, path
from rest_framework.permissions import BasePermission, IsAdminUser, IsAuthenticated
from rest_framework.routers import DefaultRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ModelViewSet


class Room(models.Model):
    name = models.CharField(max_length=20)


class RoomSerializer(ModelSerializer):
    class Meta:
        model = Room
        fields = ["id", "name"]


class Key(models.Model):
    name = models.CharField(max_length=20)


class KeySerializer(ModelSerializer):
    class Meta:
        model = Key
        fields = ["id", "name"]


class RequiresScope(BasePermission):
    def __init__(self, scope):
        self.scope = scope

    def has_permission(self, request, view):
        return self.scope in request.auth.scopes


class Open(BasePermission):
    def has_permission(self, request, view):
        return bool(request.auth)


class RoomViewSet(ModelViewSet):
    serializer_class = RoomSerializer
    queryset = Room.objects.all()
    permission_classes = [IsAdminUser]


class ScopedViewSet(ModelViewSet):
    serializer_class = RoomSerializer
    queryset = Room.objects.all()
    scopes = {"destroy": "rooms:write"}

    def get_permissions(self):
        return [IsAuthenticated(), RequiresScope(self.scopes.get(self.action))]


class OtherViewSet(ModelViewSet):  # sure
    serializer_class = RoomSerializer
    queryset = Room.objects.all()

    def get_permissions(self):
        return [IsAuthenticated(), Open()]


class KeyViewSet(ModelViewSet):
    serializer_class = KeySerializer
    queryset = Key.objects.all()

    def get_permissions(self):
        return [IsAuthenticated(), RequiresScope("keys:write")]


class OwnKeyViewSet(ModelViewSet):
    serializer_class = KeySerializer
    queryset = Key.objects.all()
    permission_classes = [IsAuthenticated]


router = DefaultRouter()
router.register("keys", KeyViewSet)
router.register("own-keys", OwnKeyViewSet)
router.register("rooms", RoomViewSet)
router.register("scoped", ScopedViewSet)
router.register("others", OtherViewSet)
urlpatterns = [path("", include(router.urls))]
"""


ON_ITS_OWN_CLASS = """
import jwt
from flask import Flask, g, request, jsonify, abort, session
from flask_login import login_required, current_user
from sqlalchemy import Column, Integer, String, ForeignKey, create_engine
from sqlalchemy.orm import declarative_base, scoped_session, sessionmaker, relationship
from jwt.exceptions import InvalidSignatureError, DecodeError

app = Flask(__name__)
Base = declarative_base()
Session = scoped_session(sessionmaker(bind=create_engine("sqlite://")))
SECRET = app.config["HOOK_SECRET"]


class ModelMixin:
    id = Column(Integer, primary_key=True)

    @classmethod
    def get(cls, id):
        return Session.query(cls).get(id)

    @classmethod
    def get_by(cls, **kw):
        return Session.query(cls).filter_by(**kw).first()

    @classmethod
    def create(cls, **kw):
        r = cls(**kw)
        Session.add(r)
        Session.commit()
        return r

    @classmethod
    def delete(cls, obj_id):
        Session.query(cls).filter(cls.id == obj_id).delete()


class File(Base, ModelMixin):
    __tablename__ = "file"
    user_id = Column(ForeignKey("users.id"))


class User(Base, ModelMixin):
    __tablename__ = "users"
    email = Column(String(80), unique=True)
    password = Column(String(80))


class Contact(Base, ModelMixin):
    __tablename__ = "contact"
    user_id = Column(ForeignKey("users.id"))
    user = relationship(User)


class EmailChange(Base, ModelMixin):
    __tablename__ = "email_change"
    user_id = Column(ForeignKey("users.id"))
    user = relationship(User)
    code = Column(String(80), unique=True)
    new_email = Column(String(80))


class Message(Base, ModelMixin):
    __tablename__ = "message"
    body = Column(String(80))


@app.delete("/contacts/<int:contact_id>")
@login_required
def delete_contact(contact_id):
    contact = Contact.get(contact_id)
    if not contact or contact.user_id != current_user.id:
        return jsonify(error="Forbidden"), 403
    Contact.delete(contact_id)
    Session.commit()
    return {}


@app.delete("/contacts2/<int:contact_id>")
@login_required
def delete_contact2(contact_id):
    Contact.delete(contact_id)  # sure
    Session.commit()
    return {}


@app.get("/change_email")
def change_email():
    code = request.args.get("code")
    change = EmailChange.get_by(code=code)
    if not change:
        return "", 404
    change.user.email = change.new_email
    EmailChange.delete(change.id)
    Session.commit()
    return {}


@app.post("/message")
@login_required
def message():
    Message.create(body=request.json["body"])
    return {}


@app.post("/hook-like/sms")
def sms():
    encoded = request.headers.get("X-Proof")
    try:
        jwt.decode(encoded, key=SECRET, algorithms="HS256")
    except (InvalidSignatureError, DecodeError):
        return "not ok", 400
    Message.create(body=request.json["body"])
    return {}


@app.post("/open/sms")
def open_sms():
    encoded = request.headers.get("X-Proof")
    try:
        jwt.decode(encoded, key=SECRET, algorithms="HS256")
    except (InvalidSignatureError, DecodeError):
        print("hm")
    Message.create(body=request.json["body"])
    return {}
"""

PROVEN_BY_A_CODE = """
import jwt
from flask import Flask, g, request, jsonify, abort, session
from flask_login import login_required, current_user
from sqlalchemy import Column, Integer, String, ForeignKey, create_engine
from sqlalchemy.orm import declarative_base, scoped_session, sessionmaker, relationship
from jwt.exceptions import InvalidSignatureError, DecodeError

app = Flask(__name__)
Base = declarative_base()
Session = scoped_session(sessionmaker(bind=create_engine("sqlite://")))
SECRET = app.config["HOOK_SECRET"]


class ModelMixin:
    id = Column(Integer, primary_key=True)

    @classmethod
    def get(cls, id):
        return Session.query(cls).get(id)

    @classmethod
    def get_by(cls, **kw):
        return Session.query(cls).filter_by(**kw).first()

    @classmethod
    def create(cls, **kw):
        r = cls(**kw)
        Session.add(r)
        Session.commit()
        return r

    @classmethod
    def delete(cls, obj_id):
        Session.query(cls).filter(cls.id == obj_id).delete()


class File(Base, ModelMixin):
    __tablename__ = "file"
    user_id = Column(ForeignKey("users.id"))


class User(Base, ModelMixin):
    __tablename__ = "users"
    email = Column(String(80), unique=True)
    password = Column(String(80))


class Contact(Base, ModelMixin):
    __tablename__ = "contact"
    user_id = Column(ForeignKey("users.id"))
    user = relationship(User)


class EmailChange(Base, ModelMixin):
    __tablename__ = "email_change"
    user_id = Column(ForeignKey("users.id"))
    user = relationship(User)
    code = Column(String(80), unique=True)
    new_email = Column(String(80))


class Message(Base, ModelMixin):
    __tablename__ = "message"
    body = Column(String(80))


@app.delete("/contacts/<int:contact_id>")
@login_required
def delete_contact(contact_id):
    contact = Contact.get(contact_id)
    if not contact or contact.user_id != current_user.id:
        return jsonify(error="Forbidden"), 403
    Contact.delete(contact_id)
    Session.commit()
    return {}


@app.delete("/contacts2/<int:contact_id>")
@login_required
def delete_contact2(contact_id):
    Contact.delete(contact_id)
    Session.commit()
    return {}


@app.get("/change_email")
def change_email():
    code = request.args.get("code")
    change = EmailChange.get_by(code=code)
    if not change:
        return "", 404
    change.user.email = change.new_email
    EmailChange.delete(change.id)
    Session.commit()
    return {}


@app.post("/message")
@login_required
def message():
    Message.create(body=request.json["body"])
    return {}


@app.post("/hook-like/sms")
def sms():
    encoded = request.headers.get("X-Proof")
    try:
        jwt.decode(encoded, key=SECRET, algorithms="HS256")
    except (InvalidSignatureError, DecodeError):
        return "not ok", 400
    Message.create(body=request.json["body"])
    return {}


@app.post("/open/sms")
def open_sms():  # sure
    encoded = request.headers.get("X-Proof")
    try:
        jwt.decode(encoded, key=SECRET, algorithms="HS256")
    except (InvalidSignatureError, DecodeError):
        print("hm")
    Message.create(body=request.json["body"])
    return {}


@app.post("/codes")
def another_code():  # doubtful
    user = User.get_by(email=request.json["email"])
    EmailChange.create(user_id=user.id, code="1")
    return {}


@app.delete("/codes/<int:key>")
def end_code(key):  # sure
    EmailChange.delete(key)
    Session.commit()
    return {}
"""


PAGES_SETTINGS = """
ROOT_URLCONF = "club.urls"
INSTALLED_APPS = ["django.contrib.auth", "club"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
"""
PAGES_MODELS = """
from django.db import models


class Member(models.Model):
    name = models.CharField(max_length=50)
"""
PAGES_URLS = """
from django.urls import path

from club import views

urlpatterns = [
    path("rename/", views.rename),
    path("renamed/", views.renamed),
    path("hook/", views.hook),
    path("search/", views.search),
    path("years/", views.years),
    path("all-years/", views.all_years),
    path("portrait/", views.portrait),
    path("api/", views.Api.as_view()),
]
"""
PAGES = """
from django.contrib.auth.decorators import permission_required
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from rest_framework.response import Response
from rest_framework.views import APIView

from club.models import Member


def rename(request):
    name = request.POST["name"]  # doubtful
    return redirect(f"/{name}/")


def renamed(request):
    member = get_object_or_404(Member, id=request.POST.get("member"))  # doubtful
    return redirect(f"/{member.name}/")


@csrf_exempt
def hook(request):
    return JsonResponse({"event": request.POST["event"]})  # sure


def search(request):
    return render(request, "search.html", {"asked": request.GET["q"]})  # sure


@permission_required("club.change_member")
def years(request):
    return render(request, "years.html", {"year": int(request.GET.get("year", 1))})  # doubtful


def all_years(request):
    return render(request, "years.html", {"year": int(request.GET.get("year", 1))})  # sure


def portrait(request):
    return JsonResponse({"size": request.FILES["portrait"].size})  # sure


class Api(APIView):
    def post(self, request):
        member = Member.objects.filter(id=request.query_params.get("member")).first()  # likely
        return Response({"name": member.name if member else ""})
"""

TOKEN_ASKED_FOR = """
from pyramid.config import Configurator
from pyramid.view import view_config

config = Configurator()
config.add_route("rename", "/rename")
config.add_route("event", "/event")


@view_config(route_name="rename", request_method="POST", require_csrf=True, renderer="rename.jinja2")
def rename(request):
    return {"name": request.params["name"]}  # doubtful


@view_config(route_name="event", request_method="POST", require_csrf=False, renderer="json")
def event(request):
    return {"name": request.params["name"]}  # sure
"""

NAMED_BEFORE = """
from flask import Flask, abort, request

app = Flask(__name__)
KINDS = ("tests", "metrics")


@app.get("/compare")
def compare():  # doubtful
    kind = request.args.get("kind")
    if kind not in KINDS:
        abort(400)
    if kind == "tests":
        return {"kind": "tests"}
    elif kind == "metrics":
        return {"kind": "metrics"}


@app.get("/sorted")
def in_order():  # sure
    kind = request.args.get("kind")
    if kind == "tests":
        return {"kind": "tests"}
    elif kind == "metrics":
        return {"kind": "metrics"}
"""

VETTED_BEFORE = """
from flask import Flask, abort, request
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)


class Member(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(50), unique=True)


def number_of(name):
    member = Member.query.filter_by(name=name).first()
    if member is None:
        abort(404)
    return member.id


def rename(name, to):
    member = Member.query.filter_by(name=name).first()
    if member is None:
        raise ValueError("Member not found")  # doubtful
    member.name = to


def remove(name):
    member = Member.query.filter_by(name=name).first()
    if member is None:
        raise ValueError("No such member, not found")  # likely
    db.session.delete(member)


@app.put("/members/<name>")
def change(name):
    try:
        refuse_unknown(name)
    except LookupError:
        abort(404)
    rename(name, request.form["name"])
    return ""


def refuse_unknown(name):
    if Member.query.filter_by(name=name).first() is None:
        raise LookupError(name)


@app.delete("/members/<name>")
def delete(name):
    remove(name)
    return ""
"""

ADDRESSES_OF_OTHERS = """
from flask import Flask
from flask_restful import Api, Resource

app = Flask(__name__)
api = Api(app)


class Basin(Resource):
    def get(self):  # doubtful
        return {"basins": []}

    def put(self, name):  # sure
        return {"name": name}

    def delete(self, number):
        return {"number": number}


api.add_resource(Basin, "/basins", "/basins/<number>")
"""


@pytest.mark.parametrize(
    ("rule", "program"),
    [
        ("weak-random-token", FOUND_BY_WHAT_IS_DRAWN),
        (
            "unhandled-parse",
            {
                "club/__init__.py": "",
                "club/settings.py": PAGES_SETTINGS,
                "club/models.py": PAGES_MODELS,
                "club/urls.py": PAGES_URLS,
                "club/views.py": PAGES,
            },
        ),
        ("unhandled-parse", TOKEN_ASKED_FOR),
        ("client-error-as-500", ADDRESSES_OF_OTHERS),
        ("client-error-as-500", NAMED_BEFORE),
        ("client-error-as-500", VETTED_BEFORE),
        ("mass-assignment", RANK_BY_A_PROXY),
        ("nosql-injection", OTHER_OBJECT),
        ("nosql-injection", SAME_OBJECT),
        ("password-logged", COMPUTED_KEY),
        ("nosql-injection", TEXT_IS_NO_OPERATOR),
        ("mass-assignment", KEYS_UNDER_A_PREFIX),
        ("ssrf", OWN_CLIENT),
        ("ssrf", REFUSED_BY_ITS_HOST),
        ("xss", PLAIN_AGAIN),
        ("error-as-200", NOTHING_TO_SHOW),
        ("missing-auth", COUNTED),
        ("missing-auth", OWN_LOCK),
        ("jwt-not-verified", TRIED_KEYS),
        ("csrf-disabled", OTHER_PROOF),
        ("client-error-as-500", GIVES_SOMETHING),
        ("csrf-disabled", POSTED_FOR_SOMEBODY),
        ("csrf-disabled", KEPT_AT_HOME),
        ("csrf-disabled", LOGIN_ALONE),
        ("unhandled-parse", ASKED_ABOUT_THE_KEY),
        ("missing-auth", CHECKED_BY_A_SERVICE),
        ("exposed-database", {"docker-compose.yml": SERVICES}),
        ("missing-auth", PROFILER),
        ("unindexed-filter", TWO_DATABASES),
        ("secret-in-deploy-file", BESIDE_SOURCES),
        ("hardcoded-secret", DEVELOPERS_OWN),
        ("hardcoded-secret", DEVELOPERS_ALONE),
        ("n-plus-one", READS_BEFORE_IT_WRITES),
        ("missing-ownership-check", ONE_CLIENT),
        ("plaintext-storage", HASHED_BY_ITS_ROW),
        ("untyped-body", REFUSED_WITHOUT),
        ("weak-random-token", ENDS_AS_A_FILE),
        ("path-traversal", IN_ITS_STORE),
        ("ldap-xpath-injection", WHOLE_EXPRESSION),
        ("plaintext-storage", ELSEWHERE),
        ("missing-ownership-check", ONE_PROFILE_EACH),
        ("debug-on", {"app.py": _APP, "docker-compose.yml": BUILT_FOR_DEVELOPERS}),
        ("debug-on", {"app.py": _APP, "docker-compose.yml": BUILT}),
        ("weak-random-token", PICKED),
        ("sql-injection", ASKED_WHERE_PRESENT),
        ("unindexed-sort", SOME_ROWS_INDEXED),
        (
            "hardcoded-secret",
            {"shop/base.py": BASE_SETTINGS, "shop/ci_test.py": OWN_SETTINGS.replace("MARK", "doubtful")},
        ),
        ("hardcoded-secret", {"shop/base.py": BASE_SETTINGS, "shop/main.py": OWN_SETTINGS.replace("MARK", "sure")}),
        ("missing-auth", MOUNTED_BEHIND_A_HOOK),
        ("missing-auth", MOUNTED),
        ("error-as-200", PAGE_OF_A_FILE),
        ("error-as-200", FILE_OF_ITS_OWN),
        ("xss", {"app.py": OPENED_BY_AN_EXTENSION, "templates/page.html.jinja2": PAGE.replace("MARK", "doubtful")}),
        ("template-injection", TRIED_TEMPLATE),
        ("template-injection", RUN_TEMPLATE),
        ("orm-leak", ADMINS_LOOK),
        ("missing-auth", OPTIONAL_LOGIN),
        ("missing-auth", SHOWN_TO_ALL),
        ("missing-auth", CONFIRMED_BY_MAIL),
        ("path-traversal", PARTS_OF_AN_ADDRESS),
        ("missing-auth", SIGNED_BY_WHO_SENDS),
        ("missing-auth", CODE_IN_THE_BODY),
        ("missing-auth", TOLD_TO_BE_A_REFUSAL),
        ("password-exposed", SHOWN_ONCE),
        ("missing-ownership-check", ON_ITS_OWN_CLASS),
        ("missing-auth", PROVEN_BY_A_CODE),
        ("hardcoded-secret", DEVELOPERS_BRANCH),
        ("missing-role-check", SCOPED),
        ("password-logged", {"app.py": TOLD_BY_THE_SERVER, "manage.py": TOLD_AT_A_TERMINAL}),
        ("path-traversal", READ_UNDER_A_NAME),
        ("missing-ownership-check", SECRET_OF_THE_SERVER),
        ("xss", {"app.py": BY_ITS_ENDING, "templates/page.html.jinja2": PAGE.replace("MARK", "sure")}),
    ],
)
def test_a_finding_is_as_sure_as_its_program_says(rule: str, program: str | dict[str, str]) -> None:
    files = {"app.py": program} if isinstance(program, str) else program
    report = scan(files, LOADED, [known for known in LOADED.rules if known.name == rule])
    found = {(i.finding.place.path, i.finding.place.span.line): i.finding.confidence for i in report.issues}
    lines = [(path, n, line) for path, text in files.items() for n, line in enumerate(text.splitlines(), start=1)]
    marked = {(path, n): _SAID[mark[1]] for path, n, line in lines if (mark := _MARK.search(line)) is not None}
    assert found == marked
