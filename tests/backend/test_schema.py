"""The schema from every source: models, migrations, scripts."""

from __future__ import annotations

from backaudit.backend.data.schema import Schema, Table, schema
from backaudit.project import Project
from tests.projects import project as project_of


def table(files: dict[str, str], name: str) -> Table:
    found = schema(project_of(files)).table(name)
    assert found is not None, sorted(schema(project_of(files)).tables)
    return found


def keys(found: Table) -> set[tuple[str, ...]]:
    return {index.columns for index in found.indexes if not index.keys[0].opclass}


DECLARATIVE = """
from enum import Enum
from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, UniqueConstraint, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, relationship

class Kind(Enum):
    A = "a"

class Base(DeclarativeBase):
    id: Mapped[int] = mapped_column(primary_key=True)

class Stamped:
    @declared_attr
    def made_by(cls):
        return Column(ForeignKey("users.id"), index=True)

class User(Base):
    __tablename__ = "users"
    mail: Mapped[str] = mapped_column("email", String(200), unique=True)
    kind: Mapped[Kind]
    bare: Mapped[str | None]
    posts: Mapped[list["Post"]] = relationship(back_populates="author")

class Post(Stamped, Base):
    __tablename__ = "posts"
    author_id = Column(Integer, ForeignKey(User.id), nullable=False)
    slug = Column(String(80), nullable=False)
    draft = Column(Boolean, default=True)
    author = relationship(User, back_populates="posts", foreign_keys=[author_id])
    __table_args__ = (
        UniqueConstraint("author_id", "slug"),
        Index("ix_live", slug.desc(), postgresql_where=text("NOT draft")),
        Index("ix_lower", func.lower(slug)),
        {"schema": "blog"},
    )
"""


def test_declarative_models_with_mixins_and_table_arguments() -> None:
    users, posts = table({"m.py": DECLARATIVE}, "users"), table({"m.py": DECLARATIVE}, "posts")
    email = users.column("mail")
    assert email is not None
    assert (email.name, email.length, email.unique) == ("email", 200, True)
    assert [column.name for column in users.columns if column.few] == ["kind"]
    assert keys(users) == {("id",), ("email",)}
    assert keys(posts) == {("id",), ("made_by",), ("author_id", "slug"), ("slug",), ("lower(slug)",)}
    partial = next(index for index in posts.indexes if index.columns == ("slug",))
    assert (partial.where, partial.keys[0].descending) == ("not draft", True)
    assert {column.name: column.references for column in posts.columns if column.references} == {
        "author_id": "users.id",
        "made_by": "users.id",
    }


def test_relations_know_their_key_and_their_side() -> None:
    users, posts = table({"m.py": DECLARATIVE}, "users"), table({"m.py": DECLARATIVE}, "posts")
    author, listed = posts.relation("author"), users.relation("posts")
    assert author is not None
    assert listed is not None
    assert (author.column, author.many) == ("author_id", False)
    assert (listed.remote, listed.many) == ("author_id", True)


def test_flask_sqlalchemy_names_tables_and_follows_backrefs() -> None:
    code = """
from flask_sqlalchemy import SQLAlchemy
db = SQLAlchemy()
class UserProfile(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    visits = db.relationship("PageVisit", backref="profile", lazy="dynamic")
class PageVisit(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    profile_id = db.Column(db.Integer, db.ForeignKey("user_profile.id"))
"""
    visit = table({"m.py": code}, "page_visit")
    relation = visit.relation("profile")
    assert relation is not None
    assert (relation.column, relation.many) == ("profile_id", False)
    assert keys(visit) == {("id",)}


def test_sqlmodel_tables_are_those_marked_so() -> None:
    code = """
from sqlmodel import Field, SQLModel
class HeroBase(SQLModel):
    name: str = Field(index=True)
    team_id: int | None = Field(default=None, foreign_key="team.id")
class Hero(HeroBase, table=True):
    id: int | None = Field(default=None, primary_key=True)
class HeroIn(HeroBase):
    pass
"""
    found = schema(project_of({"m.py": code}))
    assert sorted(found.tables) == ["hero"]
    assert keys(found.tables["hero"]) == {("name",), ("id",)}
    assert [c.references for c in found.tables["hero"].columns if c.references] == ["team.id"]


DJANGO = """
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

class Member(AbstractUser):
    phone = models.CharField(max_length=20, db_index=True)

class Dated(models.Model):
    created = models.DateTimeField(db_index=True)
    class Meta:
        abstract = True
        ordering = ["-created"]

class Article(Dated):
    slug = models.SlugField()
    quiet = models.SlugField(db_index=False)
    author = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="articles")
    cover = models.OneToOneField("Cover", on_delete=models.CASCADE)
    tags = models.ManyToManyField("Tag")
    state = models.CharField(max_length=3, choices=[("a", "A")])
    class Meta(Dated.Meta):
        unique_together = ("author", "slug")
        indexes = [models.Index(fields=["-created", "state"]), models.Index(Lower("quiet"), name="q")]
        constraints = [models.UniqueConstraint(fields=["state"], condition=Q(quiet="x"), name="one")]

class Cover(models.Model):
    class Meta:
        db_table = "covers"

class Tag(models.Model):
    name = models.CharField(max_length=30, unique=True)
"""


def test_django_indexes_what_django_indexes_by_itself() -> None:
    found = table({"blog/models.py": DJANGO}, "blog_article")
    assert keys(found) == {
        ("id",), ("created",), ("slug",), ("author_id",), ("cover_id",), ("author_id", "slug"), ("created", "state"),
        ("lower(quiet)",), ("state",),
    }  # fmt: skip
    partial = next(index for index in found.indexes if index.columns == ("state",))
    assert (partial.unique, partial.where) == (True, "quiet = 'x'")
    assert found.ordering == ("-created",)


def test_django_makes_a_table_between_and_knows_its_user() -> None:
    found = schema(project_of({"blog/models.py": DJANGO}))
    between = ["blog_article_tags", "blog_member_groups", "blog_member_user_permissions"]
    assert sorted(found.tables) == sorted([*between, "blog_article", "blog_member", "blog_tag", "covers"])
    assert {("article_id",), ("tag_id",), ("article_id", "tag_id")} <= keys(found.tables["blog_article_tags"])
    user = found.of_model("django.contrib.auth.models.User")
    assert user is not None
    assert user.name == "blog_member"
    assert {("username",), ("phone",)} <= keys(user)
    assert user.column("email") is not None


def test_tortoise_leaves_foreign_keys_alone_and_peewee_does_not() -> None:
    code = """
from tortoise import fields
from tortoise.models import Model
class Owner(Model):
    id = fields.IntField(pk=True)
class Pet(Model):
    owner = fields.ForeignKeyField("models.Owner", related_name="pets")
    chip = fields.CharField(max_length=9, db_index=True)
    class Meta:
        table = "pets"
        unique_together = (("owner", "chip"),)
"""
    assert keys(table({"m.py": code}, "pets")) == {("id",), ("chip",), ("owner_id", "chip")}
    light = """
from peewee import CharField, ForeignKeyField, Model
class Owner(Model):
    mail = CharField(unique=True)
class Pet(Model):
    owner = ForeignKeyField(Owner, backref="pets")
    chip = CharField()
    class Meta:
        indexes = ((("owner", "chip"), True),)
"""
    assert keys(table({"m.py": light}, "pet")) == {("id",), ("owner_id",), ("owner_id", "chip")}


def test_an_index_of_any_source_exists() -> None:
    files = {
        "m.py": """
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import declarative_base
Base = declarative_base()
class T(Base):
    __tablename__ = "t"
    id = Column(Integer, primary_key=True)
    a = Column(String)
    b = Column(String)
    c = Column(String)
    d = Column(String)
""",
        "migrations/versions/1.py": """
from alembic import op
def upgrade():
    op.create_index(op.f("ix_a"), "t", ["a"])
def downgrade():
    op.create_index("ix_gone", "t", ["d"])
""",
        "db/schema.sql": "CREATE INDEX ix_b ON T (b);",
        "setup_db.py": """
STATEMENTS = ["CREATE INDEX ix_c ON t (c)"]
def run(connection):
    for statement in STATEMENTS:
        connection.execute(statement)
""",
    }
    assert keys(table(files, "t")) == {("id",), ("a",), ("b",), ("c",)}


def test_django_migrations_add_what_they_do_not_remove() -> None:
    files = {
        "shop/models.py": """
from django.db import models
class Item(models.Model):
    a = models.IntegerField()
    b = models.IntegerField()
""",
        "shop/migrations/0002_x.py": """
from django.db import migrations, models
class Migration(migrations.Migration):
    operations = [
        migrations.AddIndex(model_name="item", index=models.Index(fields=["a"], name="kept")),
        migrations.AddIndex(model_name="item", index=models.Index(fields=["b"], name="gone")),
        migrations.RemoveIndex(model_name="item", name="gone"),
    ]
""",
    }
    assert keys(table(files, "shop_item")) == {("id",), ("a",)}


def test_mysql_indexes_foreign_keys() -> None:
    code = """
import pymysql
from sqlalchemy import Column, ForeignKey, Integer
from sqlalchemy.orm import declarative_base
Base = declarative_base()
class T(Base):
    __tablename__ = "t"
    id = Column(Integer, primary_key=True)
    u_id = Column(Integer, ForeignKey("u.id"))
"""
    assert ("u_id",) in keys(table({"m.py": code}, "t"))
    assert ("u_id",) not in keys(table({"m.py": code.replace("pymysql", "psycopg2")}, "t"))


def test_a_project_without_models_has_an_empty_schema() -> None:
    project: Project = project_of({"a.py": "x = 1\n"})
    assert isinstance(schema(project), Schema)
    assert schema(project).tables == {}
