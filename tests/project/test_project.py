"""What linking knows: names through imports, types of values, which function a call runs and who calls it."""

from __future__ import annotations

import pytest

from backaudit.project.operands import same
from tests.projects import call, code, project


def test_a_name_is_followed_through_re_exports_and_aliases() -> None:
    linked = project(
        {
            "app/__init__.py": "",
            "app/db/__init__.py": "from .models import User as Person\n",
            "app/db/models.py": "class User: ...\n",
            "app/main.py": "from app.db import Person as P\nthing = P()\n",
        }
    )
    assert linked.types(call(linked, "Person")) == ("app.db.models.User",)


@pytest.mark.parametrize(
    ("layout", "name"),
    [("", "models"), ("src/", "models"), ("backend/", "models"), ("services/api/", "models")],
)
def test_source_roots(layout: str, name: str) -> None:
    views = f"from {name} import User\nUser()\n"
    linked = project({f"{layout}{name}.py": "class User: ...\n", f"{layout}views.py": views})
    func = call(linked, "User").func
    assert func is not None
    assert [cls.cls.name for cls in linked.denoted_classes(func)] == ["User"]


def test_a_module_of_the_project_does_not_hide_the_standard_library() -> None:
    linked = project(
        {"app/__init__.py": "", "app/json.py": "def loads(): ...\n", "app/x.py": "import json\njson.loads('')\n"}
    )
    func = call(linked, "loads").func
    assert func is not None
    assert linked.names(func) == ("json.loads",)


@pytest.mark.parametrize(
    "text",
    [
        "def get() -> Session: ...\ndef f(db: Session):\n  db.execute('')\n",
        "def f(db: 'Session | None'):\n  db.execute('')\n",
        "from typing import Optional\ndef f(db: Optional[Session]):\n  db.execute('')\n",
        "def get():\n  with Session() as s:\n    yield s\ndef f(db=Depends(get)):\n  db.execute('')\n",
        "from typing import Annotated\ndef get() -> Session: ...\nDb = Annotated[Session, Depends(get)]\n"
        "def f(db: Db):\n  db.execute('')\n",
        "class Service:\n  def __init__(self, db: Session):\n    self.db = db\n"
        "  def f(self):\n    self.db.execute('')\n",
        "make = sessionmaker()\ndef f():\n  with make() as db:\n    db.execute('')\n",
        "def f():\n  db = Session()\n  if x:\n    db = None\n  db.execute('')\n",
    ],
)
def test_a_session_is_known_however_it_comes(text: str) -> None:
    linked = project("from sqlalchemy.orm import Session, sessionmaker\nfrom fastapi import Depends\n" + text)
    func = call(linked, "execute").func
    assert func is not None
    assert "sqlalchemy.orm.Session.execute" in linked.names(func)


def test_queries_remember_what_they_are_over() -> None:
    linked = project(
        """
        from flask_sqlalchemy import SQLAlchemy
        db = SQLAlchemy()
        class User(db.Model): ...
        def f():
            return User.query.filter_by(name="x").order_by("id").first()
        """
    )
    assert linked.types(call(linked, "first")) == ("app.User",)
    assert linked.returned(code(linked, "app.f")) == ("app.User",)


def test_methods_are_found_through_self_and_bases() -> None:
    linked = project("class A:\n  def m(self): ...\nclass B(A):\n  def n(self):\n    self.m()\n")
    assert [found.name for found in linked.callees(call(linked, "m"))] == ["app.A.m"]
    assert [node.code.name for node in linked.callers(code(linked, "app.A.m"))] == ["app.B.n"]


def test_arguments_meet_parameters() -> None:
    linked = project(
        "class A:\n  def m(self, a, *, b=1): ...\n  @staticmethod\n  def s(a): ...\nA().m(10, b=20)\nA.s(30)\n"
    )
    method, static = code(linked, "app.A.m"), code(linked, "app.A.s")
    at = call(linked, "m")
    assert [node.const for node in (linked.argument(at, method, 1), linked.argument(at, method, 2)) if node] == [10, 20]
    passed = linked.argument(call(linked, "s"), static, 0)
    assert passed is not None
    assert passed.const == 30


def test_constants_are_followed_through_modules_and_classes() -> None:
    linked = project({"config.py": "class C:\n  KEY = 'k'\n", "main.py": "import config\nuse(config.C.KEY)\n"})
    argument = call(linked, "use").arg(0)
    assert argument is not None
    found = linked.constant(argument)
    assert found is not None
    assert (found.code.path, found.const) == ("config.py", "k")


def test_a_cycle_of_imports_and_bases_ends() -> None:
    linked = project(
        {
            "a.py": "from b import *\nfrom b import X as Y\nclass A(Y): ...\n",
            "b.py": "from a import *\nfrom a import A\nX = A\n",
        }
    )
    assert "a.A" in linked.lineage("a.A")


def test_roles() -> None:
    paths = ["app/views.py", "tests/conftest.py", "app/migrations/0001_initial.py", "scripts/seed.py", "examples/x.py"]
    linked = project(dict.fromkeys(paths, ""))
    assert [linked.role(path) for path in paths] == ["production", "test", "migration", "script", "example"]


def test_an_example_that_the_project_mounts_by_its_name_is_part_of_it() -> None:
    views = "from django.urls import path\nfrom demo import views\nurlpatterns = [path('a', views.a)]\n"
    parts = {"demo/__init__.py": "", "demo/views.py": "def a(request): ...\n", "demo/urls.py": views}
    urls = "from django.urls import include, path\nurlpatterns = [path('demo/', include({}))]\n"
    mounted = project(parts | {"shop/urls.py": urls.format("'demo.urls'")})
    assert mounted.role("demo/views.py") == "production"
    beside = project(parts | {"shop/urls.py": urls.format("'other.urls'")})
    assert beside.role("demo/views.py") == "example"


SERVICES = """
class Booking: ...
class Hotel: ...

class Service:
    model = None

    def one(self):
        found = self.model()
        return found

class Bookings(Service):
    model = Booking

class Hotels(Service):
    model = Hotel

def booking():
    return Bookings().one()

def hotel(service: Hotels):
    return service.one()
"""


def test_what_a_generic_service_is_about_is_open_until_its_receiver_is_known() -> None:
    linked = project(SERVICES)
    inside, booking, hotel = (
        linked.returned(code(linked, f"app.{name}")) for name in ("Service.one", "booking", "hotel")
    )
    assert inside == ("each{app.Service.model}",)
    assert booking == ("app.Booking",)
    assert hotel == ("app.Hotel",)


def test_a_container_gives_what_was_registered_for_the_class_and_nothing_of_others() -> None:
    linked = project("""
        import punq

        class Store: ...
        class SqlStore(Store): ...
        class Clock: ...
        class Sundial(Clock): ...

        container = punq.Container()
        container.register(Clock, Sundial)
        container.register(Store, factory=SqlStore)

        def store():
            return container.resolve(Store)
    """)
    assert linked.returned(code(linked, "app.store")) == ("app.SqlStore",)


def test_a_display_tells_what_it_has_behind_names() -> None:
    linked = project("kept = {'a': 1, **more, 'b': 2}\nsink(kept, (1, 2), [1, 2], 3)\n")
    first, pair, listed, number = call(linked, "sink").args()
    assert [(key.text, value.const) for key, value in first.entries()] == [("a", 1), ("b", 2)]
    assert [key is None for key, _ in first.entries_and_unpacked()] == [False, True, False]
    both = pair.pair()
    assert both is not None
    assert (both[0].const, both[1].const) == (1, 2)
    assert (first.is_dict, listed.is_dict, number.entries()) == (True, False, [])
    assert (listed.pair(), number.pair()) == (None, None)


def test_arguments_are_asked_for_as_tables_name_them() -> None:
    made = call(project("sink(1, two=2, three=1)\n"), "sink")
    assert [node.const for node in made.arguments((0, "two", "none"))] == [1, 2]
    assert len(made.arguments(("*",))) == 3
    given = made.argument(("none", "two", 0))
    assert given is not None
    assert given.const == 2
    assert made.argument((7, "none")) is None


def test_the_classes_above_one_are_those_that_the_project_declares() -> None:
    linked = project("import lib\nclass A(lib.Base): ...\nclass B(A):\n    def method(self): ...\n")
    assert linked.lineage("app.B") == ("app.B", "app.A", "lib.Base")
    assert [view.name for view in linked.lineage_views("app.B")] == ["app.B", "app.A"]


def test_values_that_are_read_from_the_same_place_are_the_same() -> None:
    given = "a.x['k'], a.x['k'], a.x['j'], h(1), h(1), h(True), h(n=1), h(n=1), b.x['k']"
    outer = call(project(f"def f(a, b):\n    g({given})\n"), "g")
    values = [node.value for node in outer.args()]
    groups = (0, 0, 1, 2, 2, 3, 4, 5, 6)
    alike = [[same(outer.code, one, two) for two in values] for one in values]
    assert alike == [[one == two for two in groups] for one in groups]
