"""What a query site is; what is worth a finding. Which index serves what: ``test_index_table.py``."""

from __future__ import annotations

import pytest

from backaudit.analyses.indexes.missing import missing_indexes, missing_sites
from backaudit.analyses.indexes.repeated import repeated_queries
from backaudit.backend.data.queries import QuerySite, query_sites
from tests.projects import project

MODELS = """
from sqlalchemy import Column, ForeignKey, Integer, String, and_, func, or_, select
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()

class Owner(Base):
    __tablename__ = "owners"
    id = Column(Integer, primary_key=True)
    email = Column(String(200), unique=True)

class Pet(Base):
    __tablename__ = "pets"
    id = Column(Integer, primary_key=True)
    chip = Column(String(20))
    name = Column(String(20))
    owner_id = Column(Integer, ForeignKey("owners.id"))
    owner = relationship(Owner, backref="pets")
"""


def sites(body: str) -> list[QuerySite]:
    return list(query_sites(project({"app.py": MODELS + body})))


def asked(site: QuerySite) -> list[tuple[str, str, str]]:
    return [(f"{use.table}.{use.column}", use.role, use.form) for use in site.uses]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Pet.chip == x", ("pets.chip", "filter", "eq")),
        ("x == Pet.chip", ("pets.chip", "filter", "eq")),
        ("Pet.owner == x", ("pets.owner_id", "filter", "eq")),
        ("Pet.chip != x", ("pets.chip", "filter", "not")),
        ("~(Pet.chip == x)", ("pets.chip", "filter", "not")),
        ("Pet.chip.in_(x)", ("pets.chip", "filter", "in")),
        ("Pet.chip.notin_(x)", ("pets.chip", "filter", "not")),
        ("Pet.chip == None", ("pets.chip", "filter", "null")),
        ("Pet.chip.is_(None)", ("pets.chip", "filter", "null")),
        ("Pet.chip > x", ("pets.chip", "filter", "range")),
        ("Pet.chip.between(1, x)", ("pets.chip", "filter", "range")),
        ("Pet.chip.like('a%')", ("pets.chip", "filter", "prefix")),
        ("Pet.chip.like(f'%{x}%')", ("pets.chip", "filter", "like")),
        ("Pet.chip.ilike(x)", ("pets.chip", "filter", "like")),
        ("func.lower(Pet.chip) == x", ("pets.chip", "filter", "function")),
        ("and_(Pet.chip == x)", ("pets.chip", "filter", "eq")),
    ],
)
def test_a_condition_has_a_column_and_a_form(condition: str, expected: tuple[str, str, str]) -> None:
    (site,) = sites(f"\ndef find(session, x):\n    return session.query(Pet).filter({condition}).all()\n")
    assert asked(site) == [expected]


@pytest.mark.parametrize(
    "query",
    [
        "select(Pet).where(Pet.chip == x)",
        "session.query(Pet).filter_by(chip=x)",
        "session.query(Pet.id).filter(Pet.chip == x)",
        "select(func.count()).select_from(Pet).where(Pet.chip == x)",
        "session.query(Pet).filter(*[Pet.chip == x])",
        "session.execute('SELECT * FROM pets WHERE chip = :x', {'x': x})",
        "session.execute(f'SELECT * FROM pets p WHERE p.chip = {x} AND 1 = 1')",
    ],
)
def test_every_way_to_ask_is_seen(query: str) -> None:
    (site,) = sites(f"\ndef find(session, x):\n    return {query}\n")
    assert asked(site) == [("pets.chip", "filter", "eq")]


def test_a_condition_added_later_is_known_and_its_branch_too() -> None:
    found = sites("""
def find(session, x, y):
    query = session.query(Pet).filter(Pet.owner_id == x)
    if y:
        query = query.filter(Pet.chip == y)
    return query.order_by(Pet.name).limit(3).all()
""")
    by_column = {site.uses[0].column: site for site in found}
    assert [use.column for use in by_column["chip"].companions] == ["owner_id", "name"]
    assert [use.column for use in by_column["owner_id"].companions] == ["name"]
    assert all(site.limited for site in found)


def test_conditions_of_the_function_that_returned_the_query_count() -> None:
    found = sites("""
def of_owner(session, x):
    return session.query(Pet).filter(Pet.owner_id == x)

def find(session, x, y):
    return of_owner(session, x).filter(Pet.chip == y).first()
""")
    (chip,) = [site for site in found if site.uses[0].column == "chip"]
    assert [use.column for use in chip.companions] == ["owner_id"]


def test_a_later_piece_of_sql_is_placed_where_it_stands() -> None:
    (site,) = sites("""
def find(session, x):
    sql = "SELECT * FROM pets WHERE owner_id = ?"
    if x:
        sql += " AND name LIKE ?"



    return session.execute(sql, (x,))
""")
    places = {use.column: site.place_of(use).span.line for use in site.uses}
    assert places["owner_id"] - places["name"] == 4


LOOKUP = """
def find(session, x):
    return session.query(Pet).filter({condition}).first()

def show(session):
    return find(session, 1)
"""


@pytest.mark.parametrize(
    ("condition", "core"),
    [
        ("Pet.owner_id == x", True),
        ("Pet.chip == x", True),
        ("Pet.chip == 'fixed'", False),
        ("or_(Pet.chip == x, Pet.owner_id == x)", True),
        ("or_(Pet.chip == x, Pet.name.ilike(x))", False),
    ],
)
def test_what_is_shown_by_default(condition: str, core: bool) -> None:
    found = missing_sites(project({"app.py": MODELS + LOOKUP.replace("{condition}", condition)}), "filter")
    assert [missing.core for missing in found] == [core]


@pytest.mark.parametrize(
    ("given", "core"),
    [
        *((given, True) for given in ("$1", "?", "?1", ":1", ":chip", "%s", "%(chip2)s", "@p1", "$1::text")),
        *((given, False) for given in ("'fixed'", "7")),
    ],
)
def test_what_a_driver_fills_in_is_no_constant_in_whatever_style(given: str, core: bool) -> None:
    body = f"""
async def find(connection, x):
    return await connection.fetchrow("SELECT * FROM pets WHERE chip = {given}", x)

async def show(connection):
    return await find(connection, 1)
"""
    found = missing_sites(project({"app.py": MODELS + body}), "filter")
    assert [missing.core for missing in found] == [core]


@pytest.mark.parametrize(
    "condition",
    ["Pet.id == x, Pet.chip == x", "Pet.chip != x", "Pet.chip.ilike(x)", "Owner.email == x", "Pet.nothing == x"],
)
def test_what_is_no_finding(condition: str) -> None:
    assert missing_sites(project({"app.py": MODELS + LOOKUP.replace("{condition}", condition)}), "filter") == ()


@pytest.mark.parametrize("path", ["tests/test_pets.py", "app/migrations/0001.py"])
def test_no_request_reaches_tests_and_migrations(path: str) -> None:
    code = MODELS + LOOKUP.replace("{condition}", "Pet.chip == x")
    assert missing_sites(project({path: code}), "filter") == ()


def test_a_helper_that_nothing_calls_and_a_command_are_not_shown_by_default() -> None:
    code = MODELS + "\ndef find(session, x):\n    return session.query(Pet).filter(Pet.chip == x).first()\n"
    assert [missing.core for missing in missing_sites(project({"app.py": code}), "filter")] == [False]
    called = code + "\n@app.cli.command()\ndef show(session):\n    return find(session, 1)\n"
    assert [missing.core for missing in missing_sites(project({"app/cli.py": called}), "filter")] == [False]


def test_a_key_to_a_table_of_few_rows_selects_little() -> None:
    code = MODELS.replace('"owners', '"organizations') + LOOKUP.replace("{condition}", "Pet.owner_id == x")
    assert [missing.core for missing in missing_sites(project({"app.py": code}), "filter")] == [False]


def test_a_sort_needs_a_page_to_be_worth_an_index() -> None:
    def found(end: str) -> list[bool]:
        body = f"\ndef feed(session):\n    return session.query(Pet).order_by(Pet.born_at){end}\n"
        body += "\ndef show(session):\n    return feed(session)\n"
        models = MODELS.replace("    name =", "    born_at = Column(DateTime)\n    name =")
        return [missing.core for missing in missing_sites(project({"app.py": models + body}), "sort")]

    assert found(".limit(20).all()") == [True]
    assert found(".all()") == [False]


def test_rows_of_unknown_origin_are_not_judged() -> None:
    code = MODELS + "\ndef show(pets: list[Pet]):\n    return [pet.owner.email for pet in pets]\n"
    assert repeated_queries(project({"app.py": code})) == ()


def test_an_asynchronous_session_does_not_load_lazily() -> None:
    code = (
        MODELS
        + """
async def show(session):
    return [pet.owner.email for pet in (await session.execute(select(Pet))).scalars().all()]
"""
    )
    assert repeated_queries(project({"app.py": code})) == ()


def test_many_sites_of_one_missing_index_are_one_finding() -> None:
    body = "\n@app.get('/#')\ndef find#(session, x):\n    return session.query(Pet).filter_by(chip=x).first()\n"
    code = MODELS + "".join(body.replace("#", str(number)) for number in range(8))
    (index,) = missing_indexes(project({"app.py": code}), "filter")
    assert [key.text for key in index.keys] == ["chip"]
    lines = [missing.place.span.line for missing in (index.first, *index.others)]
    assert lines == sorted(lines)
    assert len(lines) == 8


def test_the_columns_of_one_index_stand_as_all_its_queries_can_use_them() -> None:
    body = """
@app.get("/one")
def one(session, x, y):
    return session.query(Pet).filter_by(chip=x, name=y).first()

@app.get("/two")
def two(session, y):
    return session.query(Pet).filter_by(name=y).first()

@app.get("/three")
def three(session, x):
    return session.query(Pet).filter_by(owner_id=x).order_by(Pet.name.desc()).limit(9).all()
"""
    found = {index.keys[0].text: index for index in missing_indexes(project({"app.py": MODELS + body}), "filter")}
    assert [(key.text, key.descending) for key in found["owner_id"].keys] == [("owner_id", False), ("name", True)]
    assert len(found) == 2 + ("chip" in found)


STATIONS = """
from fastapi import FastAPI
from sqlalchemy import Column, DateTime, Integer, String, or_, select
from sqlalchemy.orm import declarative_base

app = FastAPI()
Base = declarative_base()

class Reading(Base):
    __tablename__ = "readings"
    id = Column(Integer, primary_key=True)
    station = Column(String(20))
    sensor = Column(String(20))
    value = Column(Integer)
    taken = Column(DateTime)

@app.get("/readings")
def readings(session, x, y, z, often):
    query = select(Reading)
    {statements}
    return session.scalars(query.limit(20)).all()
"""


@pytest.mark.parametrize(
    ("statements", "keys"),
    [
        ("query = query.where(Reading.taken > x).where(Reading.station == y)", ["station", "taken"]),
        ("query = query.where(Reading.station == x).where(Reading.sensor == y)", ["station", "sensor"]),
        ("query = query.order_by(Reading.taken.desc()).where(Reading.station == x)", ["station", "taken desc"]),
        (
            "query = query.where(Reading.taken > x).order_by(Reading.taken.desc()).where(Reading.station == x)",
            ["station", "taken desc"],
        ),
        (
            "query = query.where(Reading.value > x).order_by(Reading.taken).where(Reading.station == x)",
            ["station", "value"],
        ),
        ("query = query.where(Reading.value > x).where(Reading.taken > y)", ["value"]),
        (
            "query = query.filter_by(station=x).filter(Reading.value < y).filter_by(sensor=z)",
            ["station", "sensor", "value"],
        ),
        ("query = query.where(Reading.station == x).where(or_(Reading.taken > y, Reading.value > z))", ["station"]),
    ],
)
def test_a_chain_of_links_lacks_one_index_over_what_it_asks(statements: str, keys: list[str]) -> None:
    (index,) = missing_indexes(project({"app.py": STATIONS.replace("{statements}", statements)}), "filter")
    assert [f"{key.text}{' desc' if key.descending else ''}" for key in index.keys] == keys
    assert not index.others


def test_a_link_that_runs_sometimes_changes_no_index() -> None:
    statements = """query = query.where(Reading.station == x)
    if often:
        query = query.where(Reading.sensor == y)
    query = query.order_by(Reading.taken)"""
    (index,) = missing_indexes(project({"app.py": STATIONS.replace("{statements}", statements)}), "filter")
    assert [key.text for key in index.keys] == ["station", "taken"]


def test_alternatives_of_two_links_are_kept_apart() -> None:
    statements = (
        "query = query.where(or_(Reading.id == x, Reading.value == 1)).where(or_(Reading.id == y, Reading.value == 2))"
    )
    first, second = query_sites(project({"app.py": STATIONS.replace("{statements}", statements)}))
    assert {use.branch[0] for use in first.uses}.isdisjoint(use.branch[0] for use in second.uses)
    assert [use.branch for use in first.asked] == [use.branch for use in second.asked]


@pytest.mark.parametrize(
    ("query", "served"),
    [
        ("filter(chip=x).exclude(state='off')", True),
        ("filter(chip=x, state='off')", False),
        ("filter(chip=x)", False),
        ("filter(tag=x, gone=None, state='on')", True),
        ("filter(tag=x, gone=None)", False),
    ],
)
def test_a_partial_index_serves_the_queries_that_imply_its_condition(query: str, served: bool) -> None:
    code = f"""
from django.db import models
from django.db.models import Q

class Pet(models.Model):
    chip = models.CharField(max_length=9)
    tag = models.CharField(max_length=9)
    state = models.CharField(max_length=9)
    gone = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["chip"], condition=~Q(state="off"), name="a"),
            models.Index(fields=["tag"], condition=Q(gone=None) & Q(state="on"), name="b"),
        ]

def find(x):
    return Pet.objects.{query}.first()
"""
    asked = ("chip",) if "chip" in query else ("tag",)
    found = [missing.proposed[:1] for missing in missing_sites(project({"pets/models.py": code}), "filter")]
    assert (asked in found) is not served


MANY = """
from django.db import models

class Tag(models.Model):
    name = models.CharField(max_length=9)

class Post(models.Model):
    tags = models.ManyToManyField(Tag)

class Note(models.Model):
    post = models.ForeignKey(Post, related_name="notes", on_delete=models.CASCADE)
"""
BETWEEN = [("shop_post.id", "join", "eq"), ("shop_post_tags.post_id", "join", "eq")]
BACKWARDS = [("shop_post.id", "join", "eq"), ("shop_note.post_id", "join", "eq")]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("tags=x", [*BETWEEN, ("shop_post_tags.tag_id", "filter", "eq")]),
        ("tags__id=x", [*BETWEEN, ("shop_post_tags.tag_id", "filter", "eq")]),
        ("tags__in=x", [*BETWEEN, ("shop_post_tags.tag_id", "filter", "in")]),
        ("notes=x", [*BACKWARDS, ("shop_note.id", "filter", "eq")]),
        ("notes__isnull=True", [*BACKWARDS, ("shop_note.id", "filter", "null")]),
    ],
)
def test_a_look_up_by_one_of_many_goes_over_their_keys(given: str, expected: list[tuple[str, str, str]]) -> None:
    body = f"\ndef find(x):\n    return list(Post.objects.filter({given}))\n"
    (site,) = query_sites(project({"shop/models.py": MANY + body}))
    assert asked(site) == expected


PONY = """
from pony.orm import Database, Optional, Required, Set, count, delete, desc, exists, select

db = Database()

class Owner(db.Entity):
    email = Required(str)
    pets = Set("Pet")

class Pet(db.Entity):
    chip = Required(str)
    age = Required(int)
    owner = Required(Owner)
"""
CHIP = ("pet.chip", "filter", "eq")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Pet.get(chip=x)", [CHIP]),
        ("Pet.select(lambda pet: pet.chip == x).first()", [CHIP]),
        ("select(pet for pet in Pet if pet.chip == x)[:9]", [CHIP]),
        ("select(pet.age for pet in Pet if pet.chip == x)", [CHIP]),
        ("select(pet for pet in Pet if pet.chip == x and pet.age > 3)", [CHIP, ("pet.age", "filter", "range")]),
        ("select(pet for pet in Pet if pet.chip in x)", [("pet.chip", "filter", "in")]),
        ("select(pet for pet in Pet if x in pet.chip)", [("pet.chip", "filter", "like")]),
        ("select(pet for pet in Pet if pet.chip.startswith(x))", [("pet.chip", "filter", "prefix")]),
        ("select(pet for pet in Pet if not pet.chip == x)", [("pet.chip", "filter", "not")]),
        (
            "select(pet for pet in Pet if pet.owner.email == x)",
            [("pet.owner", "join", "eq"), ("owner.id", "join", "eq"), ("owner.email", "filter", "eq")],
        ),
        ("select(o for o in Owner for pet in o.pets if pet.chip == x)", [CHIP]),
        ("count(pet for pet in Pet if pet.chip == x)", [CHIP]),
        ("exists(pet for pet in Pet if pet.chip == x)", [CHIP]),
        ("delete(pet for pet in Pet if pet.chip == x)", [CHIP]),
        ("Pet.select().order_by(lambda pet: desc(pet.age))[:9]", [("pet.age", "sort", "eq")]),
        ("Pet.select().order_by(desc(Pet.age)).limit(9)", [("pet.age", "sort", "eq")]),
        ("list(pet for pet in [] if pet.chip == x)", []),
        ("select(pet for pet in x.pets if pet.chip == x)", []),
    ],
)
def test_queries_written_as_python_are_read(query: str, expected: list[tuple[str, str, str]]) -> None:
    found = query_sites(project({"app.py": f"{PONY}\ndef find(x):\n    return {query}\n"}))
    assert [use for site in found for use in asked(site)] == expected


ORMAR = """
import ormar

base = ormar.OrmarConfig()

class Pet(ormar.Model):
    ormar_config = base.copy(tablename="pets")
    id: int = ormar.Integer(primary_key=True)
    chip: str = ormar.String(max_length=9)
    name: str = ormar.String(max_length=9)
"""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("filter(chip=x, name=x)", [("pets.chip", (0, 0)), ("pets.name", (0, 0))]),
        ("filter(Pet.chip == x)", [("pets.chip", (0, 0))]),
        ("filter((Pet.chip == x) | (Pet.name == x))", [("pets.chip", (1, 1)), ("pets.name", (1, 2))]),
        ("filter(ormar.or_(chip=x, name=x))", [("pets.chip", (1, 1)), ("pets.name", (1, 2))]),
        ("filter(ormar.and_(chip=x, name=x))", [("pets.chip", (0, 0)), ("pets.name", (0, 0))]),
        ("order_by(Pet.chip.desc())", [("pets.chip", (0, 0))]),
    ],
)
def test_keywords_and_expressions_may_stand_in_one_query(
    query: str, expected: list[tuple[str, tuple[int, int]]]
) -> None:
    (site,) = query_sites(project({"app.py": f"{ORMAR}\ndef find(x):\n    return Pet.objects.{query}\n"}))
    assert [(f"{use.table}.{use.column}", use.branch) for use in site.uses] == expected


def test_a_base_of_repositories_asks_the_model_that_those_below_name() -> None:
    body = """
class Repository:
    model = None

    def by_chip(self, session, x):
        return session.query(self.model).filter(self.model.chip == x).first()

class Owners(Repository):
    model = Owner

class Pets(Repository):
    model = Pet
"""
    assert [asked(site) for site in sites(body)] == [[("pets.chip", "filter", "eq")]]


def test_a_query_of_several_statements_tells_where_it_goes_on() -> None:
    body = """
def find(session, x):
    query = session.query(Pet).filter(Pet.chip == x)
    query = query.order_by(Pet.name)
    return query.all()

def found(session, x):
    return (
        session.query(Pet).filter(Pet.chip == x)
        .order_by(Pet.name).all()
    )
"""
    by_chip = [site for site in sites(body) if site.uses[0].column == "chip"]
    lines = [[place.span.line - site.place.span.line for place in site.after] for site in by_chip]
    assert lines == [[1], []]


# -- what a chain begins with ------------------------------------------------------------------------------------------

MANAGED = """
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

OPEN = Q(state="open") | Q(state="new")

def of_owner(owner):
    return Q(owner=owner)

class Ordered(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(hidden=False).order_by(Lower("rank"))

class Narrowing(models.QuerySet):
    def urgent(self):
        return self.filter(weight=1)

    def open_and_urgent(self):
        return self.urgent().filter(state="open")

    def shown_to(self, user):
        if user.is_staff:
            return self.filter(state="new")
        return self.filter(owner="x")

class Tag(models.Model):
    name = models.CharField(max_length=9)

class Field(models.Model):
    name = models.CharField(max_length=9)
    rank = models.CharField(max_length=9)
    hidden = models.BooleanField()
    objects = Ordered()

class Ticket(models.Model):
    state = models.CharField(max_length=9)
    owner = models.CharField(max_length=9)
    weight = models.IntegerField()
    tags = models.ManyToManyField(Tag)
    objects = Narrowing.as_manager()

class Parcel(models.Model):
    state = models.CharField(max_length=9)
    owner = models.CharField(max_length=9)
    weight = models.IntegerField()
    objects = models.Manager.from_queryset(Narrowing)()
"""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Field.objects.filter(name=x)", {"shop_field.name", "shop_field.hidden", "shop_field.rank"}),
        ("Field.objects.order_by('name')", {"shop_field.name", "shop_field.hidden"}),
        ("Ticket.objects.urgent().filter(owner=x)", {"shop_ticket.owner", "shop_ticket.weight"}),
        ("Parcel.objects.urgent().filter(owner=x)", {"shop_parcel.owner", "shop_parcel.weight"}),
        (
            "Ticket.objects.open_and_urgent().filter(owner=x)",
            {"shop_ticket.owner", "shop_ticket.weight", "shop_ticket.state"},
        ),
        ("Ticket.objects.shown_to(x).filter(weight=2)", {"shop_ticket.weight"}),
        ("Ticket.objects.filter(OPEN)", {"shop_ticket.state"}),
        ("Ticket.objects.filter(of_owner(x))", {"shop_ticket.owner"}),
        ("Ticket.objects.filter(**{'owner': x})", {"shop_ticket.owner"}),
    ],
)
def test_what_a_manager_or_a_named_condition_asks_is_asked(query: str, expected: set[str]) -> None:
    text = f"from shop.models import OPEN, Field, Parcel, Ticket, of_owner\n\ndef find(x):\n    return {query}\n"
    found = query_sites(project({"shop/models.py": MANAGED, "shop/views.py": text}))
    (site,) = (site for site in found if site.place.path == "shop/views.py")
    assert {f"{use.table}.{use.column}" for use in (*site.uses, *site.companions)} == expected


def test_rows_of_many_to_many_are_found_by_the_table_between() -> None:
    text = "from shop.models import *\n\ndef f(x):\n    return Ticket.objects.get(pk=x).tags.all().order_by('name')\n"
    found = query_sites(project({"shop/models.py": MANAGED, "shop/views.py": text}))
    (site,) = (site for site in found if asked(site) == [("shop_tag.name", "sort", "eq")])
    assert {(f"{use.table}.{use.column}", use.role) for use in site.companions} == {
        ("shop_ticket_tags.ticket_id", "filter"),
        ("shop_ticket_tags.tag_id", "join"),
        ("shop_tag.id", "join"),
    }


TOKENS = """
from sqlalchemy import Column, ForeignKey, Integer, String, Table, or_
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()
members = Table(
    "members", Base.metadata, Column("user_id", ForeignKey("users.id")), Column("group_id", ForeignKey("groups.id"))
)

class Hashed:
    @classmethod
    def with_prefix(cls, db, text):
        return db.query(cls).filter(cls.prefix == text)

class Code(Hashed, Base):
    __tablename__ = "codes"
    id = Column(Integer, primary_key=True)
    prefix = Column(String(9))

class Token(Hashed, Base):
    __tablename__ = "tokens"
    id = Column(Integer, primary_key=True)
    prefix = Column(String(9))
    kind = Column(String(9))

    @classmethod
    def find(cls, db, text):
        return cls.with_prefix(db, text).filter(cls.kind == "user")

class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String(9))
    groups = relationship("Group", secondary=members)

class Group(Base):
    __tablename__ = "groups"
    id = Column(Integer, primary_key=True)
    name = Column(String(9))

NAMED = or_(User.name == "a", User.name == "b")
"""


def test_a_mixin_asks_the_table_of_the_class_that_calls_it() -> None:
    found = query_sites(project({"app.py": TOKENS}))
    (site,) = (site for site in found if asked(site) == [("tokens.kind", "filter", "eq")])
    assert [f"{use.table}.{use.column}" for use in site.companions] == ["tokens.prefix"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "db.query(Group).join(User.groups)",
            {
                ("users.id", "join"), ("members.user_id", "join"),
                ("members.group_id", "join"), ("groups.id", "join"),
            },
        ),
        ("db.query(User).filter(NAMED)", {("users.name", "filter")}),
        ("db.query(User).join(Group, User.groups)", {
            ("users.id", "join"), ("members.user_id", "join"), ("members.group_id", "join"), ("groups.id", "join"),
        }),
    ],
)  # fmt: skip
def test_joins_go_over_the_table_between(query: str, expected: set[tuple[str, str]]) -> None:
    found = query_sites(project({"app.py": TOKENS + f"\ndef ask(db):\n    return {query}\n"}))
    (site,) = (site for site in found if site.code.cls is None)
    assert {(f"{use.table}.{use.column}", use.role) for use in site.uses} == expected
