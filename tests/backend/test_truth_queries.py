"""What queries of five ORMs are read to ask, against the SQL that the ORMs themselves compile.

The models are those of the matrix's stores. ``make compiled`` does the same with public projects of Django and
SQLAlchemy; of these libraries there is none that could be loaded without what it is deployed with.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from backaudit.backend.data.queries import query_sites
from backaudit.toml import parse_toml
from tests.house import ROOT
from tests.projects import project
from tests.truth.asked import Asked, asked_of_site, asked_of_sql

STORES = ROOT / "tests" / "matrix" / "stores"
QUERIES = {
    "peewee": [
        "Note.select().where(Note.title == x)",
        "Note.select().where(Note.title == x, Note.created > y)",
        "Note.select().where((Note.title == x) | (Note.code == y))",
        "Note.select().where(Note.title == x).where(Note.created <= y).order_by(Note.created.desc())",
        "Note.select().where(Note.code.in_([x, y]))",
        "Note.select().where(Note.code << [x, y])",
        "Note.select().where(Note.body.contains(x))",
        "Note.select().where(Note.owner == y)",
        "Note.select().join(Account).where(Account.handle == x)",
        "Note.select().where(Note.created.between(1, y)).order_by(Note.title, -Note.created)",
        "Note.select().where(fn.LOWER(Note.code) == x)",
        "Note.select().where(Note.code.is_null()).order_by(Note.id)",
        "Note.select().where(Note.code.is_null(False))",
        "Note.select().where(Note.owner_id == y)",
        "Account.select().where(Account.email == x).where(Account.is_admin == True)",
    ],
    "tortoise": [
        "Note.filter(title=x)",
        "Note.filter(title=x, created__gt=y)",
        "Note.filter(title=x).filter(created__lte=y).order_by('-created')",
        "Note.filter(Q(title=x) | Q(code=x))",
        "Note.filter(code__in=[x, x])",
        "Note.filter(body__icontains=x)",
        "Note.filter(owner_id=y)",
        "Note.filter(owner__handle=x)",
        "Note.exclude(title=x)",
        "Note.all().order_by('title', '-created')",
        "Account.filter(email=x, is_admin=True)",
        "Note.filter(created__range=(1, y)).order_by('id')",
    ],
    "piccolo": [
        "Note.select().where(Note.title == x)",
        "Note.select().where((Note.title == x) & (Note.created > y))",
        "Note.select().where((Note.title == x) | (Note.code == x))",
        "Note.select().where(Note.title == x).where(Note.created <= y).order_by(Note.created, ascending=False)",
        "Note.select().where(Note.code.is_in([x, x]))",
        "Note.select().where(Note.owner == y)",
        "Note.select().where(Note.owner.handle == x)",
        "Note.select().where(Note.owner.handle.like(x)).order_by(Note.owner)",
        "Note.select().where(Note.owner.id == y)",
        "Note.select().where(Note.code.is_null())",
        "Note.select().where(Note.code.is_not_null()).where(Note.code.not_in([x]))",
        "Note.select().where(Note.body.ilike(x))",
        "Note.objects().where(Note.title == x).order_by(Note.id)",
        "Account.select().where(Account.email == x, Account.is_admin == True)",
    ],
    "pony": [
        "select(n for n in Note if n.title == x)",
        "select(n for n in Note if n.title == x and n.created > y)",
        "select(n for n in Note if n.title == x or n.code == x)",
        "select(n for n in Note if n.code in (x, x))",
        "select(n for n in Note if n.owner.handle == x)",
        "select(n for n in Note if n.owner.id == y)",
        "select(n for n in Note if n.code is None)",
        "select(n for n in Note if n.title == x).order_by(lambda n: n.created)",
        "select(n for n in Note if n.title == x).order_by(desc(Note.created))",
        "Note.select(lambda n: n.created >= y).filter(lambda n: n.code == x)",
        "select(a for a in Account if a.email == x)",
    ],
    "ormar": [
        "Note.objects.filter(title=x)",
        "Note.objects.filter(title=x, created__gt=y)",
        "Note.objects.filter(title=x).filter(created__lte=y).order_by('-created')",
        "Note.objects.filter(ormar.or_(title=x, code=x))",
        "Note.objects.filter(code__in=[x, x])",
        "Note.objects.filter((Note.title == x) & (Note.created > y))",
        "Note.objects.exclude(title=x)",
        "Note.objects.filter(owner__handle=x)",
        "Note.objects.filter(Note.owner.handle == x)",
        "Note.objects.filter(Note.owner.id == y)",
        "Account.objects.filter(email=x, is_admin=True).order_by('handle')",
    ],
}
IMPORTS = {
    "peewee": "from peewee import fn\n",
    "tortoise": "from tortoise.expressions import Q\n",
    "pony": "from pony.orm import desc, select\n",
    "ormar": "import ormar\n",
}
CASES = [pytest.param(store, query, id=f"{store}-{query}") for store, listed in QUERIES.items() for query in listed]


# How the installed release of Ormar is given its database.
CONNECTED = ('databases.Database("sqlite:///notes.db")', 'ormar.DatabaseConnection("sqlite+aiosqlite:///" + notes)')


def models_of(store: str) -> str:
    text = str(parse_toml((STORES / f"{store}.toml").read_text("utf-8"))["models"])
    return text.replace("import databases\n", "").replace(*CONNECTED)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ModuleType]]:
    """The models of each store, loaded."""
    found: dict[str, ModuleType] = {}
    for store in QUERIES:
        importlib.import_module("pony.orm" if store == "pony" else store)
        module = ModuleType(f"truth_{store}")
        sys.modules[module.__name__] = module
        module.__dict__["notes"] = str(tmp_path_factory.mktemp(store) / "notes.db")
        exec(IMPORTS.get(store, "") + models_of(store), module.__dict__)
        found[store] = module
    _connect(found)
    yield found
    for module in found.values():
        del sys.modules[module.__name__]


def _connect(modules: dict[str, ModuleType]) -> None:
    """What needs no more than to be told of a database."""
    from piccolo.engine.sqlite import SQLiteEngine

    pony, piccolo = modules["pony"], modules["piccolo"]
    pony.db.bind(provider="sqlite", filename=":memory:")
    pony.db.generate_mapping(create_tables=True)
    for table in (piccolo.Account, piccolo.Note):
        table._meta._db = SQLiteEngine(path=":memory:")


@contextlib.asynccontextmanager
async def connected(store: str, module: ModuleType) -> AsyncIterator[None]:
    """A database in memory, for those that compile nothing without being connected."""
    if store == "tortoise":
        from tortoise import Tortoise

        await Tortoise.init(db_url="sqlite://:memory:", modules={"models": [module.__name__]})
        yield
        await Tortoise.close_connections()
    elif store == "ormar":
        async with module.database:
            yield
    else:
        yield


def _of_peewee(value: Any) -> str:
    return str(value.sql()[0]).replace("?", "%s")


def _of_pony(value: Any) -> str:
    return str(value.get_sql()).replace("?", "%s")


def _of_ormar(value: Any) -> str:
    """The statement without the order by keys that Ormar gives those that nobody sorts."""
    made = value.build_select_expression()
    return str(made if value.order_bys else made.order_by(None))


COMPILERS: dict[str, Callable[[Any], str]] = {
    "peewee": _of_peewee,
    "tortoise": lambda value: str(value.sql()),
    "piccolo": str,
    "pony": _of_pony,
    "ormar": _of_ormar,
}


async def theirs(store: str, query: str, module: ModuleType) -> Asked:
    session = importlib.import_module("pony.orm").db_session
    exec(f"def ask(x, y):\n    return {query}\n", module.__dict__)
    async with connected(store, module):
        with session if store == "pony" else contextlib.nullcontext():
            return asked_of_sql(COMPILERS[store](module.__dict__["ask"]("x", 7)))


def ours(store: str, query: str) -> Asked:
    source = f"{IMPORTS.get(store, '')}{models_of(store)}\ndef ask(x, y):\n    return {query}\n"
    return frozenset(asked for site in query_sites(project({"app.py": source})) for asked in asked_of_site(site))


@pytest.mark.parametrize(("store", "query"), CASES)
def test_the_columns_are_those_that_the_orm_asks(store: str, query: str, modules: dict[str, ModuleType]) -> None:
    assert ours(store, query) == asyncio.run(theirs(store, query, modules[store]))
