"""Small projects from text, extracted and linked in this process."""

from __future__ import annotations

from textwrap import dedent

from backaudit import models
from backaudit.extract import extract
from backaudit.facts.ops import Call
from backaudit.project import Code, Node, Project, link
from backaudit.source import Source, decode

# A back end with something for every command: findings, a fix, an index to prove, a request that fails.
SHOP = """\
import hashlib
from fastapi import Depends, FastAPI
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]


def hashed(password: str) -> str:
    return hashlib.md5(password.encode()).hexdigest()


@app.get("/users")
def by_email(email: str, session: Session = Depends()):
    return session.scalars(select(User).where(User.email == email)).first().email


@app.post("/ages")
def age(body: dict):
    return int(body["age"])
"""


def project(files: dict[str, str] | str) -> Project:
    """A project of these files (path to text); a lone text is ``app.py``."""
    given = {"app.py": files} if isinstance(files, str) else files
    known = models.load()
    return link([extract(_source(path, text)) for path, text in given.items()], known.knowledge, known)


def _source(path: str, text: str) -> Source:
    source = decode(path, dedent(text).encode())
    assert isinstance(source, Source), source
    return source


def code(linked: Project, name: str) -> Code:
    """A function by its dotted name."""
    found = linked.function_named(name)
    assert found is not None, name
    return found


def call(linked: Project, last: str) -> Node:
    """The only call of something called ``last``."""
    found = linked.calls_of(last)
    assert len(found) == 1, found
    return found[0]


def calls_in(body: Code) -> list[str]:
    return [node.spelled for node in body.nodes(Call)]
