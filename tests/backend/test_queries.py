"""What query sites ask that their calls do not say: by managers of libraries, growing lists, columns handed around."""

from __future__ import annotations

import pytest

from backaudit.backend.data.queries import query_sites
from backaudit.sql import statement
from tests.projects import project

Asked = set[tuple[str, str]]


def _asked(files: dict[str, str], path: str = "views.py") -> list[Asked]:
    """What each site of a file asks, with what its chain always asks beside it, as (table.column, role)."""
    sites = [site for site in query_sites(project(files)) if site.place.path == path]
    return [{(f"{use.table}.{use.column}", use.role) for use in (*site.uses, *site.companions)} for site in sites]


# -- managers and models of libraries ----------------------------------------------------------------------------------

TREES = """
import swapper
from django.contrib.auth.models import Group
from django.db import models
from mptt.models import MPTTModel
from treebeard.mp_tree import MP_Node, MP_NodeManager

class Shown(MP_NodeManager):
    def get_queryset(self):
        return super().get_queryset().filter(hidden=False)

    def named(self, name):
        return self.filter(name=name)

class Leaf(MP_Node):
    name = models.CharField(max_length=9)

class Branch(MP_Node):
    name = models.CharField(max_length=9)
    hidden = models.BooleanField()
    objects = Shown()

class Root(MPTTModel):
    name = models.CharField(max_length=9)

class Share(models.Model):
    name = models.CharField(max_length=9)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="shares")
    leaf = models.ForeignKey(swapper.get_model_name("shop", "Leaf"), on_delete=models.CASCADE)
"""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Leaf.objects.filter(name=x)", {("shop_leaf.name", "filter"), ("shop_leaf.path", "sort")}),
        ("Leaf.objects.filter(name=x).order_by()", {("shop_leaf.name", "filter")}),
        (
            "Branch.objects.filter(name=x)",
            {("shop_branch.name", "filter"), ("shop_branch.hidden", "filter"), ("shop_branch.path", "sort")},
        ),
        (
            "Root.objects.filter(name=x)",
            {("shop_root.name", "filter"), ("shop_root.tree_id", "sort"), ("shop_root.lft", "sort")},
        ),
        (
            "swapper.load_model('shop', 'Leaf').objects.filter(name=x)",
            {("shop_leaf.name", "filter"), ("shop_leaf.path", "sort")},
        ),
        (
            "Share.objects.filter(leaf__name=x)",
            {("shop_share.leaf_id", "join"), ("shop_leaf.id", "join"), ("shop_leaf.name", "filter")},
        ),
        (
            "Share.objects.filter(group__user=x)",
            {
                ("shop_share.group_id", "join"),
                ("auth_group.id", "join"),
                ("auth_user_groups.group_id", "join"),
                ("auth_user_groups.user_id", "filter"),
            },
        ),
        (
            "Group.objects.filter(permissions__codename=x)",
            {
                ("auth_group.id", "join"),
                ("auth_group_permissions.group_id", "join"),
                ("auth_group_permissions.permission_id", "join"),
                ("auth_permission.id", "join"),
                ("auth_permission.codename", "filter"),
            },
        ),
    ],
)
def test_what_models_and_managers_of_libraries_bring_is_asked(query: str, expected: Asked) -> None:
    text = (
        "import swapper\nfrom django.contrib.auth.models import Group\n"
        f"from shop.models import *\n\ndef find(x):\n    return {query}\n"
    )
    assert expected in _asked({"shop/models.py": TREES, "views.py": text})


def test_a_manager_that_asks_itself_begins_with_its_own_query() -> None:
    assert {("shop_branch.name", "filter"), ("shop_branch.hidden", "filter"), ("shop_branch.path", "sort")} in _asked(
        {"shop/models.py": TREES}, "shop/models.py"
    )


def test_of_two_ways_to_a_query_none_is_always_gone() -> None:
    text = """
        from shop.models import Share

        def mine():
            return Share.objects.filter(group=1)

        def find(x):
            shares = mine() if x else Share.objects.all()
            return shares.filter(name=x)
    """
    assert {("shop_share.name", "filter")} in _asked({"shop/models.py": TREES, "views.py": text})


def test_a_class_that_names_its_own_model_is_asked_for_no_other() -> None:
    text = """
        from elsewhere import Picture
        from shop.models import Share

        class Base:
            def get_queryset(self):
                return self.model.objects.all()

        class Shares(Base):
            model = Share

        class Pictures(Base):
            model = Picture

            def get_queryset(self):
                return super().get_queryset().filter(name="x")
    """
    assert _asked({"shop/models.py": TREES, "views.py": text}) == []


# -- what is handed over -----------------------------------------------------------------------------------------------

DJANGO = """
from django.db import models

class Note(models.Model):
    title = models.CharField(max_length=9)
    code = models.CharField(max_length=9)
    objects = models.Manager()
"""

ALCHEMY = """
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import declarative_base

Base = declarative_base()

class Note(Base):
    __tablename__ = "shop_note"
    id = Column(Integer, primary_key=True)
    title = Column(String(9))
    code = Column(String(9))
"""

GIVEN = {
    "given = {'code': y}\n    if x:\n        given['title'] = x": {"code", "title"},
    "given = {'code': y} if y else {}": {"code"},
    "given = dict(code=y)\n    given.update(title=x)": {"code", "title"},
    "given = {}\n    given.update({'title': x})": {"title"},
    "given = narrowed(x)": {"title"},
    "given = {x: y}": set(),
}


@pytest.mark.parametrize("made", GIVEN)
@pytest.mark.parametrize(("models", "ask"), [(DJANGO, "Note.objects.filter"), (ALCHEMY, "s.query(Note).filter_by")])
def test_a_mapping_that_grows_is_read(made: str, models: str, ask: str) -> None:
    text = (
        "from models import Note\n\ndef narrowed(x):\n    return {'title': x}\n\n"
        f"def find(s, x, y):\n    {made}\n    return {ask}(**given)\n"
    )
    wanted = {(f"shop_note.{name}", "filter") for name in GIVEN[made]}
    assert _asked({"shop/models.py": models, "views.py": text.replace("models", "shop.models")}) == (
        [wanted] if wanted else []
    )


def test_what_a_mapping_gets_in_a_branch_is_asked_there_alone() -> None:
    text = """
        from shop.models import Note

        def find(x, y):
            given = {"code": y}
            if x:
                given["title"] = x
            return Note.objects.filter(**given)
    """
    (site,) = query_sites(project({"shop/models.py": DJANGO, "views.py": text}))
    assert {use.column: bool(use.when) for use in site.uses} == {"code": False, "title": True}


HANDED = {
    "def by(s, column, value):\n    return s.query(Note).filter(column == value)": "by(s, Note.title, x)",
    "def by(s, column, value):\n    return s.query(Note).filter(column.in_(value))": "by(s, Note.title, x)",
    "def by(s, name, value):\n    return s.query(Note).filter(getattr(Note, name) == value)": "by(s, 'title', x)",
    "def by(s, **given):\n    return s.query(Note).filter_by(**given)": "by(s, title=x)",
    "def by(s, name, value):\n    return s.query(Note).filter_by(**{name: value})": "by(s, 'title', x)",
}


@pytest.mark.parametrize("helper", HANDED)
def test_a_column_that_is_handed_over_is_asked_where_it_is_named(helper: str) -> None:
    text = f"from shop.models import Note\n\n{helper}\n\ndef find(s, x):\n    return {HANDED[helper]}\n"
    assert _asked({"shop/models.py": ALCHEMY, "views.py": text}) == [{("shop_note.title", "filter")}]


@pytest.mark.parametrize("given", ["**{name: value}", "**given"])
def test_a_column_that_is_handed_over_by_its_name_is_asked_of_django_too(given: str) -> None:
    asked = "name, value" if "name" in given else "**given"
    call = "by('title', x)" if "name" in given else "by(title=x)"
    text = (
        f"from shop.models import Note\n\ndef by({asked}):\n    return Note.objects.filter({given})\n\n"
        f"def find(x):\n    return {call}\n"
    )
    assert _asked({"shop/models.py": DJANGO, "views.py": text}) == [{("shop_note.title", "filter")}]


def test_the_order_of_a_handed_column_is_asked_too() -> None:
    text = """
        from shop.models import Note

        def listed(s, column):
            return s.query(Note).order_by(column.desc()).limit(9)

        def find(s):
            return listed(s, Note.title)
    """
    assert _asked({"shop/models.py": ALCHEMY, "views.py": text}) == [{("shop_note.title", "sort")}]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT u.name AS n FROM users u ORDER BY n", [("users", "name")]),
        ("SELECT id, name FROM users ORDER BY 2 DESC", [("users", "name")]),
        ("SELECT lower(name) AS n FROM users ORDER BY n", [("users", "name")]),
        ("SELECT count(id) AS n FROM users GROUP BY name ORDER BY n", []),
        ("SELECT * FROM users ORDER BY 1", []),
    ],
)
def test_an_order_by_position_or_alias_is_by_what_is_selected(query: str, expected: list[tuple[str, str]]) -> None:
    parsed = statement(query)
    assert parsed is not None
    assert [(use.table, use.column) for use in parsed.uses if use.role == "sort"] == expected


# -- what attributes and base classes stand for ------------------------------------------------------------------------

REPOSITORIES = """
from sqlalchemy import func, select
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]

    @hybrid_property
    def login(self):
        return self.email

    @hybrid_property
    def shown(self):
        return self.name.title()

    @shown.expression
    def shown(cls):
        return func.lower(cls.name)

    @hybrid_property
    def endless(self):
        return self.endless

class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]

class Repository:
    def of(self, session, email):
        return session.scalars(select(self.model).where(self.model.email == email))

class Users(Repository):
    model = User

class Posts(Repository):
    model = Post
"""


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("User.login == x", ("email", "eq")),
        ("User.shown == x", ("name", "function")),
        ("User.endless == x", ("", "other")),
    ],
)
def test_a_hybrid_property_is_what_it_returns(condition: str, expected: tuple[str, str]) -> None:
    text = f"from models import *\n\ndef find(s, x):\n    return s.scalars(select(User).where({condition}))\n"
    found = query_sites(project({"models.py": REPOSITORIES, "views.py": text}))
    (site,) = (site for site in found if site.place.path == "views.py")
    assert [(use.column, use.form) for use in site.uses] == [expected]


def test_a_base_of_repositories_asks_every_model_where_it_is_called() -> None:
    text = "from models import *\n\ndef find(s, x):\n    return Users().of(s, x), Posts().of(s, x)\n"
    files = {"models.py": REPOSITORIES, "views.py": text}
    asked = {one for each in (*_asked(files, "models.py"), *_asked(files)) for one in each}
    assert asked == {("users.email", "filter"), ("posts.email", "filter")}


def test_rows_that_name_their_owner_by_its_model_are_found_by_both() -> None:
    models = """
        from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
        from django.db import models

        class Mark(models.Model):
            content_type = models.ForeignKey("contenttypes.ContentType", on_delete=models.CASCADE)
            object_id = models.PositiveIntegerField()
            colour = models.CharField(max_length=9)

        class Book(models.Model):
            marks = GenericRelation(Mark)
    """
    text = "from shop.models import *\n\ndef find(x):\n    return Book.objects.get(pk=x).marks.filter(colour=x)\n"
    assert {
        ("shop_mark.colour", "filter"),
        ("shop_mark.object_id", "filter"),
        ("shop_mark.content_type_id", "filter"),
    } in _asked({"shop/models.py": models, "views.py": text})
