"""Programs that grow in one direction: for each shape of code a back end of any size ``n``.

Most are ordinary (a router with many routes, a class with many methods), some are made by machines (a sum of a thousand
texts). Each has what the rules ask about: routes, a table, what the client sends, a query.
"""

from __future__ import annotations

from collections.abc import Callable

Files = dict[str, str]
Shape = Callable[[int], Files]

_HEAD = """
import os
from flask import Flask, request, render_template, session, abort
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

app = Flask(__name__)
db = SQLAlchemy(app)


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    email = db.Column(db.String(80))
    password = db.Column(db.String(200))
    is_admin = db.Column(db.Boolean)


class Note(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    body = db.Column(db.Text)
    user_id = db.Column(db.Integer, db.ForeignKey("user.id"))
"""


def _many(count: int, text: str) -> str:
    return "".join(text.replace("{i}", str(number)) for number in range(count))


def methods_of_one_field(n: int) -> Files:
    """Methods that each store the same attribute, from itself."""
    body = """
    def by_{i}(self, value):
        self.query = self.query.filter(User.email == value)
        return self
"""
    use = """

@app.route("/users")
def users():
    found = Search().by_0(request.args["q"])
    return str(found.query.all())
"""
    head = "\n\nclass Search:\n    def __init__(self):\n        self.query = User.query\n"
    return {"app.py": _HEAD + head + _many(n, body) + use}


def chain_of_calls(n: int) -> Files:
    """One expression of many calls."""
    calls = _many(n, ".filter(User.email != 'a{i}')")
    unknown = _many(n, ".step{i}(request.args)")
    return {
        "app.py": _HEAD
        + f"""

@app.route("/chain")
def chain():
    rows = User.query{calls}.all()
    other = build(){unknown}
    db.session.execute(other)
    return str(rows)
"""
    }


def sum_of_texts(n: int) -> Files:
    """One text out of many terms."""
    terms = _many(n, " + 'part {i}' + name")
    return {
        "app.py": _HEAD
        + f"""

@app.route("/sum")
def total():
    name = request.args["name"]
    db.session.execute(text("SELECT id FROM user WHERE email = ''"{terms}))
    return "done"
"""
    }


def text_in_steps(n: int) -> Files:
    """A text that grows, statement by statement, each under a condition."""
    steps = _many(n, "    if request.args.get('k{i}'):\n        sql += ' AND email = ' + request.args['k{i}']\n")
    return {
        "app.py": _HEAD
        + f"""

@app.route("/steps")
def steps():
    sql = "SELECT id FROM user WHERE 1 = 1"
{steps}    db.session.execute(text(sql))
    return "done"
"""
    }


def subclasses(n: int) -> Files:
    """Classes of one base that each override its method."""
    classes = """

class Handler{i}(Handler):
    def handle(self, value):
        return User.query.filter_by(email=value).first()
"""
    use = """

@app.route("/handle")
def handle():
    handler = pick(request.args["kind"])
    return str(handler.handle(request.args["q"]))


def pick(kind):
    for cls in Handler.__subclasses__():
        return cls()
    return Handler()
"""
    base = "\n\nclass Handler:\n    def handle(self, value):\n        return self.done(value)\n\n    def done(self, value):\n        return value\n"
    return {"app.py": _HEAD + base + _many(n, classes) + use}


def chain_of_classes(n: int) -> Files:
    """Classes that each inherit from the one before."""
    classes = """

class Level{i}(Level{before}):
    def step_{i}(self, value):
        return self.run(value)
"""
    text = "\n\nclass Level:\n    def run(self, value):\n        return db.session.execute(text(value))\n"
    for number in range(n):
        text += classes.replace("{i}", str(number)).replace("{before}", str(number - 1) if number else "")
    return {"app.py": _HEAD + text}


def routes_through_one_hub(n: int) -> Files:
    """Routes that all call the same function, with what their clients send."""
    route = """

@app.route("/r{i}/<int:number>", methods=["GET", "POST"])
def route_{i}(number):
    if not session.get("user"):
        abort(401)
    return hub(request.form["name"], number, "r{i}")
"""
    hub = """

def hub(name, number, kind):
    note = Note.query.get(number)
    note.body = name
    db.session.commit()
    db.session.execute(text("SELECT id FROM note WHERE kind = '" + kind + "' AND body = '" + name + "'"))
    return render_template("note.html", note=note)
"""
    return {"app.py": _HEAD + hub + _many(n, route), "templates/note.html": "<p>{{ note.body }}</p>\n"}


def readers_of_one_object(n: int) -> Files:
    """Methods that fill one object that all code shares, and as many routes that show, open and log what is in it."""
    fill = """
    def load_{i}(self):
        self.data = merge_{i}(self.data)
        self.name = os.path.join(self.data["last"], self.name)
"""
    merge = """

def merge_{i}(data):
    return {**data, "last": os.listdir(data["last"])}
"""
    read = """

@app.route("/store/{i}")
def show_{i}():
    app.logger.info("it is %s", store.data)
    with open(store.name) as file:
        return render_template("show.html", data=store.data, text=file.read(), number=int(store.data["last"]))
"""
    head = "\n\nclass Store:\n    def __init__(self):\n        self.data = {}\n        self.name = ''\n"
    made = "\n\nstore = Store()\n"
    return {"app.py": _HEAD + head + _many(n, fill) + _many(n, merge) + made + _many(n, read)}


def models(n: int) -> Files:
    """Tables, each with a route that lists and one that changes it."""
    model = """

class Thing{i}(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name_{i} = db.Column(db.String(80))
    owner_id = db.Column(db.Integer, db.ForeignKey("user.id"))


@app.route("/things{i}")
def things_{i}():
    rows = Thing{i}.query.filter_by(name_{i}=request.args["name"]).order_by(Thing{i}.name_{i}).all()
    return {"rows": [row.name_{i} for row in rows]}


@app.route("/things{i}/<int:number>", methods=["POST"])
def change_{i}(number):
    thing = Thing{i}.query.get_or_404(number)
    thing.name_{i} = request.json["name"]
    db.session.commit()
    return {"id": thing.id}
"""
    return {"app.py": _HEAD + _many(n, model)}


def templates(n: int) -> Files:
    """Templates that extend one, each with a route."""
    route = """

@app.route("/t{i}")
def page_{i}():
    return render_template("t{i}.html", name=request.args["name"], rows=Note.query.all())
"""
    files = {"app.py": _HEAD + _many(n, route), "templates/base.html": "<html>{% block body %}{% endblock %}</html>\n"}
    page = "{% extends 'base.html' %}{% block body %}{{ name|safe }}{% for row in rows %}{{ row.user.email }}{% endfor %}{% endblock %}\n"
    return files | {f"templates/t{number}.html": page for number in range(n)}


def files_importing_one(n: int) -> Files:
    """Files that all import the same module and call it."""
    head = (
        _HEAD
        + "\n\ndef find(name):\n    return db.session.execute(text('SELECT id FROM user WHERE email = ' + name))\n"
    )
    one = """
from app import app, find, User, db
from flask import request


@app.route("/f{i}")
def view_{i}():
    user = User(**request.json)
    db.session.add(user)
    return str(find(request.args["name"]))
"""
    return {"app.py": head} | {f"views_{number}.py": one.replace("{i}", str(number)) for number in range(n)}


def chain_of_functions(n: int) -> Files:
    """Functions that each call the next."""
    step = """

def step_{i}(value, password):
    return step_{next}(value, password)
"""
    text = "".join(step.replace("{i}", str(k)).replace("{next}", str(k + 1)) for k in range(n))
    use = f"""

def step_{n}(value, password):
    print(password)
    return db.session.execute(text(value))


@app.route("/deep")
def deep():
    return str(step_0(request.args["q"], request.form["password"]))
"""
    return {"app.py": _HEAD + text + use}


def circle_of_functions(n: int) -> Files:
    """Functions that call each other in a circle."""
    step = """

def turn_{i}(value):
    if value:
        return turn_{next}(value)
    return User.query.filter_by(email=value)
"""
    text = "".join(step.replace("{i}", str(k)).replace("{next}", str((k + 1) % n)) for k in range(n))
    return {
        "app.py": _HEAD
        + text
        + "\n\n@app.route('/c')\ndef circle():\n    return str(turn_0(request.args['q']).all())\n"
    }


def functions_of_each_other(n: int) -> Files:
    """Functions that each call several others, which call them again: without end many ways lead round."""
    turn = """

def turn_{i}(row, kind):
    if kind == "next":
        return turn_{next}(row, row["next"])
    if kind == "after":
        return turn_{after}(row, row["after"])
    return row
"""
    text = ""
    for k in range(n):
        text += turn.replace("{i}", str(k)).replace("{next}", str((k + 1) % n)).replace("{after}", str((k + 3) % n))
    use = """

@app.route("/turned", methods=["POST"])
def turned():
    return {"number": int(turn_0(request.json, request.args["kind"]))}
"""
    return {"app.py": _HEAD + text + use}


def ladder_of_functions(n: int) -> Files:
    """Functions that each call the next one twice: as many ways lead to the last as there are pairs."""
    rung = """

def rung_{i}(number, kind):
    if kind:
        return rung_{next}(number, kind)
    return rung_{next}(number, None)
"""
    text = "".join(rung.replace("{i}", str(k)).replace("{next}", str(k + 1)) for k in range(n))
    last = f"\n\ndef rung_{n}(number, kind):\n    return User.query.get(number)\n"
    route = "\n\n@app.route('/l/<number>')\ndef ladder(number):\n    return str(rung_0(number, request.args['k']))\n"
    return {"app.py": _HEAD + text + last + route}


def branches(n: int) -> Files:
    """One function of many branches."""
    body = _many(
        n,
        "    if kind == 'k{i}':\n        user.email = request.form['e{i}']\n        note = Note.query.get(int(request.form['n{i}']))\n",
    )
    return {
        "app.py": _HEAD
        + f"""

@app.route("/many", methods=["POST"])
def many():
    kind = request.form["kind"]
    user = User.query.get(session["user"])
    note = None
{body}    db.session.commit()
    return str(note)
"""
    }


def handlers_of_exceptions(n: int) -> Files:
    """One function with many ``try`` statements, and an exception class for each."""
    classes = _many(n, "\n\nclass Fault{i}(Exception):\n    pass\n")
    tries = _many(
        n,
        "    try:\n        work(int(request.args['a{i}']))\n    except Fault{i} as error:\n        return str(error), 500\n",
    )
    return {
        "app.py": _HEAD
        + classes
        + "\n\ndef work(number):\n    raise Fault0(number)\n\n\n@app.route('/tries')\ndef tries():\n"
        + tries
        + "    return 'done'\n"
    }


def passwords_in_logs(n: int) -> Files:
    """Functions that hand a password on and log something."""
    body = """

def login_{i}(email, password):
    user = User.query.filter_by(email=email).first()
    app.logger.info("login %s", email)
    app.logger.debug({"email": email, "password": mask(password)})
    return check(user, password)


@app.route("/login{i}", methods=["POST"])
def view_login_{i}():
    return str(login_{i}(request.form["email"], request.form["password"]))
"""
    head = "\n\ndef mask(text):\n    return '*' * len(text)\n\n\ndef check(user, password):\n    app.logger.info('%s', password)\n    return user.password == password\n"
    return {"app.py": _HEAD + head + _many(n, body)}


def display(n: int) -> Files:
    """A list of numbers, of texts and of dictionaries."""
    numbers = ", ".join(map(str, range(n)))
    rows = "".join(f"    {{'name': 'n{number}', 'email': 'e{number}@example.com'}},\n" for number in range(n))
    return {"app.py": _HEAD + f"\nNUMBERS = [{numbers}]\nROWS = [\n{rows}]\n"}


def fastapi_routes(n: int) -> Files:
    """Routes of FastAPI with models and dependencies."""
    head = """
from typing import Annotated
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import Column, Integer, String, ForeignKey, create_engine
from sqlalchemy.orm import declarative_base, Session, sessionmaker

app = FastAPI()
Base = declarative_base()
SessionLocal = sessionmaker(bind=create_engine("postgresql://localhost/app"))


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    email = Column(String)


def get_db():
    db = SessionLocal()
    yield db


def current_user(db: Session = Depends(get_db)) -> User:
    user = db.query(User).first()
    if user is None:
        raise HTTPException(401)
    return user


DB = Annotated[Session, Depends(get_db)]
Me = Annotated[User, Depends(current_user)]
"""
    route = """

class Item{i}(Base):
    __tablename__ = "items{i}"
    id = Column(Integer, primary_key=True)
    title = Column(String)
    owner_id = Column(Integer, ForeignKey("users.id"))


class Item{i}In(BaseModel):
    title: str
    owner_id: int


@app.post("/items{i}")
def create_{i}(data: Item{i}In, db: DB, me: Me):
    row = Item{i}(**data.dict())
    db.add(row)
    db.commit()
    return row


@app.put("/items{i}/{number}")
def change_{i}(number: int, data: Item{i}In, db: DB, me: Me):
    row = db.query(Item{i}).filter(Item{i}.id == number).first()
    for key, value in data.dict().items():
        setattr(row, key, value)
    db.commit()
    return row
"""
    return {"app.py": head + _many(n, route)}


def django_views(n: int) -> Files:
    """Models, views and URLs of Django."""
    model = """

class Thing{i}(models.Model):
    name = models.CharField(max_length=80)
    owner = models.ForeignKey(User, on_delete=models.CASCADE)
"""
    view = """

@login_required
def thing_{i}(request, pk):
    thing = get_object_or_404(Thing{i}, pk=pk)
    if request.method == "POST":
        thing.name = request.POST["name"]
        thing.save()
    return render(request, "thing.html", {"thing": thing, "all": Thing{i}.objects.filter(name=request.GET.get("q"))})
"""
    head = "from django.contrib.auth.decorators import login_required\nfrom django.shortcuts import get_object_or_404, render\nfrom shop.models import *\n"
    urls = (
        "from django.urls import path\nfrom shop import views\n\nurlpatterns = [\n"
        + _many(n, "    path('t{i}/<int:pk>/', views.thing_{i}),\n")
        + "]\n"
    )
    return {
        "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n",
        "site1/settings.py": "ROOT_URLCONF = 'site1.urls'\nINSTALLED_APPS = ['shop']\nDEBUG = False\n",
        "site1/urls.py": urls,
        "site1/__init__.py": "",
        "shop/__init__.py": "",
        "shop/models.py": "from django.db import models\nfrom django.contrib.auth.models import User\n"
        + _many(n, model),
        "shop/views.py": head + _many(n, view),
        "shop/templates/thing.html": "{{ thing.name }}{% for t in all %}{{ t.owner.email }}{% endfor %}\n",
    }


def star_imports(n: int) -> Files:
    """Modules that each take all names of the next, the last those of the first."""
    files = {f"m{k}.py": f"from m{(k + 1) % n} import *\n\n\ndef own_{k}(x):\n    return helper(x)\n" for k in range(n)}
    files["m0.py"] += "\n\ndef helper(x):\n    return eval(x)\n"
    return files | {
        "app.py": _HEAD
        + "\nfrom m1 import helper\n\n\n@app.route('/h')\ndef h():\n    return helper(request.args['q'])\n"
    }


def attribute_chain(n: int) -> Files:
    """Values that each come from the one before."""
    steps = _many(n, "    value = wrap(value).strip()\n    kept['k{i}'] = value\n")
    return {
        "app.py": _HEAD
        + f"\n\ndef wrap(x):\n    return x\n\n\n@app.route('/v')\ndef values():\n    value = request.args['q']\n    kept = {{}}\n{steps}    db.session.execute(text(kept['k0']))\n    return value\n"
    }


SHAPES: dict[str, Shape] = {
    shape.__name__: shape
    for shape in (
        methods_of_one_field, chain_of_calls, sum_of_texts, text_in_steps, subclasses, chain_of_classes,
        routes_through_one_hub, readers_of_one_object, models, templates, files_importing_one, chain_of_functions, circle_of_functions,
        functions_of_each_other, ladder_of_functions, branches, handlers_of_exceptions, passwords_in_logs, display, fastapi_routes, django_views, star_imports,
        attribute_chain,
    )
}  # fmt: skip
