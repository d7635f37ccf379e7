"""A made-up back end of any size: features with models, schemas, repositories, services, routes and tasks.

No two files have a name in common but ``__init__``, and no two features the same words. A feature calls its neighbours,
and all call the common modules, as projects that grew do. Every tenth puts what the client sends into its SQL.
"""

from __future__ import annotations

import random
from pathlib import Path

_WORDS = (
    "account address article badge basket booking branch budget campaign card category channel claim comment company "
    "contact contract coupon course credit customer delivery deposit device discount document driver employee entry "
    "event expense export feature feed filter folder forecast grant group guest holiday image import inbox invoice "
    "item journal label ledger lesson letter licence list loan location lot machine manager market member menu message "
    "meter module note notice offer order package page partner payment permit person phase photo plan player policy "
    "post price product profile project quota rating receipt record region report request reservation review reward "
    "room route rule sale sample schedule school score season section segment sensor service session setting share "
    "shift shipment site skill slot source stage station status stock store story student subject supplier survey "
    "table tag target task team template tenant term ticket topic track trade trip unit update upload user vehicle "
    "vendor version video visit voucher wallet warehouse worker zone"
).split()

_COMMON = {
    "common/database.py": """
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.orm import DeclarativeBase, sessionmaker

engine = create_engine("postgresql://localhost/app")
SessionLocal = sessionmaker(bind=engine)


class Base(DeclarativeBase):
    pass


def get_session():
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()


@contextmanager
def unit_of_work():
    session = SessionLocal()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise


def run(session, statement, **values):
    return session.execute(text(statement), values).all()
""",
    "common/texts.py": """
import re

_NAME = re.compile(r"^[a-z_]+$")


def tidy(value):
    return " ".join(value.split())


def column(value, default="id"):
    return value if _NAME.match(value) else default


def like(value):
    return f"%{tidy(value)}%"
""",
    "common/cache.py": """
from functools import wraps

_KEPT = {}


def cached(name):
    def decorate(function):
        @wraps(function)
        def inner(*args, **kwargs):
            key = (name, args, tuple(sorted(kwargs.items())))
            if key not in _KEPT:
                _KEPT[key] = function(*args, **kwargs)
            return _KEPT[key]

        return inner

    return decorate


def forget(name):
    for key in [key for key in _KEPT if key[0] == name]:
        del _KEPT[key]
""",
}

_FEATURE = {
    "{name}_models.py": """
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from common.database import Base


class {Name}(Base):
    __tablename__ = "{name}s"

    id: Mapped[int] = mapped_column(primary_key=True)
    {a}: Mapped[str] = mapped_column(String(80))
    {b}: Mapped[str] = mapped_column(String(200))
    amount: Mapped[int] = mapped_column(default=0)

    def describe_{name}(self):
        return f"{{self.{a}}}: {{self.{b}}}"
""",
    "{name}_schemas.py": """
from pydantic import BaseModel, Field


class {Name}In(BaseModel):
    {a}: str = Field(min_length=1, max_length=80)
    {b}: str = Field(default="", max_length=200)
    amount: int = Field(default=0, ge=0, le=10_000)


class {Name}Out(BaseModel):
    id: int
    {a}: str
    amount: int
""",
    "{name}_repository.py": """
from sqlalchemy import select

from common.database import run
from common.texts import column, like
from {package}.{name}_models import {Name}


class {Name}Repository:
    def __init__(self, session):
        self.session = session

    def by_id_{name}(self, number):
        return self.session.get({Name}, number)

    def search_{name}(self, wanted, order):
        statement = "SELECT id FROM {name}s WHERE {a} LIKE :wanted ORDER BY " + {order}
        return run(self.session, statement, wanted=like(wanted))

    def all_{name}(self, limit):
        return self.session.scalars(select({Name}).limit(limit)).all()

    def add_{name}(self, {a}, {b}, amount):
        row = {Name}({a}={a}, {b}={b}, amount=amount)
        self.session.add(row)
        self.session.flush()
        return row

    def export_{name}(self, path):
        with open(path, "w") as file:
            for row in self.all_{name}(1000):
                file.write(row.describe_{name}() + "\\n")
""",
    "{name}_service.py": """
from common.cache import cached, forget
from common.database import unit_of_work
from common.texts import tidy
from {package}.{name}_repository import {Name}Repository
{imports}


class {Name}Service:
    def __init__(self, repository, neighbours=()):
        self.repository = repository
        self.neighbours = list(neighbours)
        self.changed_{name} = []

    def find_{name}(self, number):
        row = self.repository.by_id_{name}(number)
        if row is None:
            raise LookupError(f"no {name} {{number}}")
        return row

    @cached("{name}")
    def list_{name}(self, wanted="", order="id", limit=50):
        if wanted:
            return self.repository.search_{name}(tidy(wanted), order)
        return self.repository.all_{name}(min(limit, 100))

    def create_{name}(self, data):
        values = {{"{a}": tidy(data.{a}), "{b}": tidy(data.{b}), "amount": data.amount}}
        row = self.repository.add_{name}(**values)
        self.changed_{name}.append(row.id)
        forget("{name}")
        for neighbour in self.neighbours:
            neighbour(row.id)
        return row

    def total_{name}(self):
        total = 0
        for row in self.repository.all_{name}(100):
            if row.amount > 0:
                total += row.amount
            elif row.amount < 0:
                total -= 1
        return total


def notify_{name}(number):
    with unit_of_work() as session:
        service = {Name}Service({Name}Repository(session))
        row = service.find_{name}(number)
{calls}
        return row.describe_{name}()
""",
    "{name}_routes.py": """
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException

from common.database import get_session
from {package}.{name}_repository import {Name}Repository
from {package}.{name}_schemas import {Name}In, {Name}Out
from {package}.{name}_service import {Name}Service, notify_{name}

router = APIRouter(prefix="/{name}s")


def get_{name}_service(session=Depends(get_session)):
    return {Name}Service({Name}Repository(session))


{Name}Dep = Annotated[{Name}Service, Depends(get_{name}_service)]


@router.get("/", response_model=list[{Name}Out])
def list_of_{name}s(service: {Name}Dep, q: str = "", order: str = "id"):
    return service.list_{name}(q, order)


@router.get("/{{number}}", response_model={Name}Out)
def one_{name}(number: int, service: {Name}Dep):
    try:
        return service.find_{name}(number)
    except LookupError:
        raise HTTPException(404, "not found") from None


@router.post("/", response_model={Name}Out, status_code=201)
def new_{name}(data: {Name}In, service: {Name}Dep, tasks: BackgroundTasks):
    row = service.create_{name}(data)
    tasks.add_task(notify_{name}, row.id)
    return row
""",
}


def grown(into: Path, lines: int) -> tuple[Path, int]:
    """The back end in ``into``, with about ``lines`` lines; the folder and how many it has."""
    folder = into / f"grown-{lines}"
    count = sum(_write(folder, name, text) for name, text in _COMMON.items())
    made: list[tuple[str, str]] = []
    chance = random.Random(7)
    while count < lines:
        name = _name(len(made))
        package = f"area_{len(made) // 20}"
        neighbours = [made[-1 - chance.randrange(min(len(made), 12))] for _ in range(2 if made else 0)]
        count += sum(
            _write(folder, *file) for file in _feature(package, name, dict(neighbours), chance, len(made) % 10 == 0)
        )
        made.append((name, package))
    return folder, count


def _name(number: int) -> str:
    first, second = _WORDS[number % len(_WORDS)], _WORDS[(number // len(_WORDS) * 7 + number * 3 + 1) % len(_WORDS)]
    return f"{first}_{second}" + (f"_{number // len(_WORDS)}" if number >= len(_WORDS) else "")


def _feature(
    package: str, name: str, neighbours: dict[str, str], chance: random.Random, careless: bool
) -> list[tuple[str, str]]:
    a, b = chance.sample(_WORDS, 2)
    words = {"package": package, "name": name, "Name": name.title().replace("_", "")}
    words |= {"a": f"{a}_name", "b": f"{b}_text", "order": "order" if careless else "column(order)"}
    words["imports"] = "\n".join(f"from {p}.{n}_service import notify_{n}" for n, p in neighbours.items())
    words["calls"] = "\n".join(f"        notify_{n}(row.amount)" for n in neighbours) or "        session.flush()"
    files = [(f"{package}/{path.format(**words)}", text.format(**words)) for path, text in _FEATURE.items()]
    return [*files, (f"{package}/__init__.py", "")]


def _write(folder: Path, name: str, text: str) -> int:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.lstrip("\n"), "utf-8")
    return text.lstrip("\n").count("\n")
