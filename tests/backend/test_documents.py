"""Document stores: the collections, fields and indexes that calls and classes show, and how ``map`` shows them."""

from __future__ import annotations

import json

import pytest

from backaudit.backend.data.documents import Collection, collections
from backaudit.report.map import renderer
from backaudit.survey.compose import survey
from tests.projects import project

SHOP = """
    from datetime import datetime
    import pymongo
    from pymongo import ASCENDING, IndexModel, MongoClient
    from flask import Flask, request
    from pydantic import BaseModel

    client = MongoClient("mongodb://localhost")
    db = client["shop"]
    users = db.users
    NAME = "orders"

    users.create_index("email", unique=True)
    db[NAME].create_indexes([
        IndexModel([("user_id", ASCENDING), ("made", pymongo.DESCENDING)], name="by_user"),
        IndexModel([("code", "hashed")]),
        IndexModel([("state", -1)], partialFilterExpression={"open": True}),
    ])

    class Order(BaseModel):
        user_id: str
        lines: list[int] = []

    def get_orders():
        return db.get_collection(NAME)

    class Users:
        def __init__(self, database):
            self.rows = database.users

        def add(self, email: str):
            document = {"email": email, "active": True, "made": datetime.now(), **extra()}
            document["tags"] = []
            self.rows.insert_one(document)

    def extra():
        return {"visits": 0}

    def touch(key):
        users.update_one({"_id": key}, {"$inc": {"visits": 1}, "$set": {"name": "x"}, "$push": {"roles": "a"}})
        found = users.find_one({"$or": [{"email": key}, {"address.city": key}]})
        return found["phone"], found.get("fax")

    def order(body: Order):
        store(get_orders(), body.model_dump())

    def store(collection, document):
        collection.insert_one(document)

    def unknown(collection, name):
        collection.insert_one({"a": 1})
        db[name].insert_one({"a": 1})
        "text".find("x")
        request.args.find({"q": 1})
"""


def found(files: dict[str, str] | str) -> dict[str, Collection]:
    return {one.name: one for one in collections(project(files))}


def fields(one: Collection) -> dict[str, str]:
    return {field.name: field.type for field in one.fields}


def indexes(one: Collection) -> set[tuple[str, bool, str, str]]:
    return {
        (" ".join(f"-{key.text}" if key.descending else key.text for key in i.keys), i.unique, i.where, i.method)
        for i in one.indexes
    }


def test_calls_of_a_driver_tell_of_collections() -> None:
    shop = found(SHOP)
    assert sorted(shop) == ["orders", "users"]
    assert fields(shop["orders"]) == {"user_id": "str", "lines": "list[int]"}
    assert fields(shop["users"]) == {
        "email": "str", "active": "bool", "made": "datetime", "visits": "int", "tags": "list", "name": "str",
        "roles": "list", "address.city": "", "phone": "", "fax": "",
    }  # fmt: skip


def test_indexes_of_collections() -> None:
    shop = found(SHOP)
    assert indexes(shop["users"]) == {("email", True, "", "btree")}
    assert indexes(shop["orders"]) == {
        ("user_id -made", False, "", "btree"),
        ("code", False, "", "hashed"),
        ("-state", False, "open", "btree"),
    }
    assert "by_user" in {index.name for index in shop["orders"].indexes}


def test_a_dependency_gives_a_collection() -> None:
    code = """
        from fastapi import Depends
        from motor.motor_asyncio import AsyncIOMotorClient
        async def tasks():
            yield AsyncIOMotorClient().app["tasks"]
        async def add(collection=Depends(tasks)):
            await collection.insert_one({"title": "x"})
    """
    assert fields(found(code)["tasks"]) == {"title": "str"}


def test_without_a_store_there_are_none() -> None:
    assert found("def f(db):\n    db.users.insert_one({'a': 1})\n") == {}


def test_collections_of_tests_are_none() -> None:
    code = "import pymongo\ndb = pymongo.MongoClient().x\ndef test_a():\n    db.users.insert_one({'a': 1})\n"
    assert found({"tests/test_a.py": code}) == {}


ODMS = {
    "mongoengine": """
        from mongoengine import Document, EmbeddedDocument, IntField, ReferenceField, StringField
        class Address(EmbeddedDocument):
            city = StringField()
        class Base(Document):
            meta = {"abstract": True}
            made = IntField()
        class BlogPost(Base):
            title = StringField(required=True, max_length=80)
            slug = StringField(unique=True, db_field="s")
            author = ReferenceField("User")
            meta = {"indexes": ["-made", "$title", ("slug", "-made"), {"fields": ["author"], "unique": True}],
                    "allow_inheritance": True}
        class LongPost(BlogPost):
            pages = IntField()
        class User(Document):
            name = StringField(unique_with="mail")
            mail = StringField()
            meta = {"collection": "people"}
    """,
    "beanie": """
        from typing import Annotated, Optional
        from beanie import Document, Indexed, Link, init_beanie
        from pymongo import DESCENDING, IndexModel
        class User(Document):
            name: str
            email: Annotated[str, Indexed(unique=True)]
            nick: Indexed(str)
            age: Optional[int] = None
        class BlogPost(Document):
            author: Link[User]
            made: int = 0
            class Settings:
                name = "posts"
                indexes = ["made", [("made", DESCENDING), ("author", 1)], IndexModel([("made", -1)], unique=True)]
        class PostOut(BlogPost):
            extra: int
        async def start(db):
            await init_beanie(database=db, document_models=[User, "app.BlogPost"])
    """,
    "odmantic": """
        from odmantic import Field, Model, Reference
        class User(Model):
            name: str = Field(unique=True)
            mail: str = Field(index=True, key_name="m")
            model_config = {"collection": "people"}
        class BlogPost(Model):
            title: str = "none"
            author: User = Reference()
    """,
}


def test_mongoengine() -> None:
    store = found(ODMS["mongoengine"])
    assert {name: one.model for name, one in store.items()} == {"blog_post": "app.BlogPost", "people": "app.User"}
    post = store["blog_post"]
    assert fields(post) == {
        "made": "IntField", "title": "StringField", "s": "StringField", "author": "ReferenceField",
        "pages": "IntField",
    }  # fmt: skip
    assert {field.name: (field.required, field.references) for field in post.fields if field.name != "pages"} == {
        "made": (False, ""), "title": (True, ""), "s": (False, ""), "author": (False, "User"),
    }  # fmt: skip
    assert indexes(post) == {
        ("-made", False, "", "btree"), ("title", False, "", "text"), ("s -made", False, "", "btree"),
        ("author", True, "", "btree"), ("s", True, "", "btree"),
    }  # fmt: skip
    assert indexes(store["people"]) == {("name mail", True, "", "btree")}


def test_beanie() -> None:
    store = found(ODMS["beanie"])
    assert {name: one.model for name, one in store.items()} == {"User": "app.User", "posts": "app.BlogPost"}
    assert fields(store["User"]) == {"name": "str", "email": "str", "nick": "str", "age": "int"}
    assert [field.name for field in store["User"].fields if field.required] == ["name", "email", "nick"]
    assert indexes(store["User"]) == {("email", True, "", "btree"), ("nick", False, "", "btree")}
    assert {field.name: field.references for field in store["posts"].fields} == {"author": "User", "made": ""}
    assert indexes(store["posts"]) == {
        ("made", False, "", "btree"), ("-made author", False, "", "btree"), ("-made", True, "", "btree"),
    }  # fmt: skip


def test_odmantic() -> None:
    store = found(ODMS["odmantic"])
    assert sorted(store) == ["blog_post", "people"]
    assert fields(store["people"]) == {"name": "str", "m": "str"}
    assert indexes(store["people"]) == {("name", True, "", "btree"), ("m", False, "", "btree")}
    assert {field.name: field.references for field in store["blog_post"].fields} == {"title": "", "author": "User"}


@pytest.mark.parametrize("width", [60, 140])
def test_the_terminal_shows_them_after_the_tables(width: int) -> None:
    text = renderer("text")(project(SHOP).once(survey), width=width)
    assert "orders  pymongo" in text
    assert "index unique (email)" in text
    assert "0 routes, 2 collections in 1 file." in text
    assert max(map(len, text.splitlines())) <= width


def test_programs_get_them() -> None:
    made = json.loads(renderer("json")(project(SHOP).once(survey)))
    users = next(one for one in made["collections"] if one["name"] == "users")
    assert users["fields"][0] == {"name": "email", "type": "str", "required": False, "references": ""}
    assert (users["kind"], users["indexes"][0]["keys"]) == ("pymongo", ["email"])


def test_the_page_has_a_section_of_them_and_no_drawing() -> None:
    page = renderer("html")(project(SHOP).once(survey))
    assert 'id="collections"' in page
    assert "<svg class" not in page
    assert 'id="collections"' not in renderer("html")(project("x = 1").once(survey))


MODELS = """
    from sqlalchemy import Integer, String
    from sqlalchemy.orm import DeclarativeBase, mapped_column
    class Base(DeclarativeBase): ...
    class User(Base):
        __tablename__ = "users"
        id = mapped_column(Integer, primary_key=True)
        name = mapped_column(String(9), index=True)
    class Late(Base):
        __tablename__ = "late"
        id = mapped_column(Integer, primary_key=True)
        name = mapped_column(String(9))
"""
MIGRATION = """
    import sqlalchemy as sa
    from alembic import op
    revision, down_revision = "a", None
    def upgrade():
        op.create_table("users", sa.Column("id", sa.Integer(), nullable=False), sa.Column("name", sa.String(9)),
                        sa.Column("old", sa.Integer()), sa.PrimaryKeyConstraint("id"))
        op.create_table("late", sa.Column("id", sa.Integer(), nullable=False), sa.Column("name", sa.String(9)),
                        sa.PrimaryKeyConstraint("id"))
"""


def test_what_models_and_migrations_disagree_about_stands_under_the_table() -> None:
    made = project({"models.py": MODELS, "migrations/versions/a.py": MIGRATION}).once(survey)
    text = renderer("text")(made)
    said = "models and migrations differ: column old only in migrations; index (name) only in models"
    assert text.count("models and migrations differ") == 1
    assert said in " ".join(text.split())
    tables = {one["name"]: one["differences"] for one in json.loads(renderer("json")(made))["tables"]}
    assert tables["late"] == []
    assert [(one["kind"], one["name"], one["only"]) for one in tables["users"]] == [
        ("column", "old", "migrations"), ("index", "name", "models"),
    ]  # fmt: skip
    assert renderer("html")(made).count("Models and migrations differ") == 1


def test_migrations_that_create_no_table_are_compared_with_none() -> None:
    late = """
        import sqlalchemy as sa
        from alembic import op
        revision, down_revision = "a", None
        def upgrade():
            op.add_column("users", sa.Column("name", sa.String(9)))
    """
    made = project({"models.py": MODELS, "migrations/versions/a.py": late}).once(survey)
    assert [row.differences for row in made.tables] == [(), ()]
