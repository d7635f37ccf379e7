"""The map as a page: the drawing's layout, the sections in a scan's report, escaping and anchors."""

from __future__ import annotations

import random
import re
from itertools import combinations

import pytest

from backaudit.report import html
from backaudit.report.map import renderer
from backaudit.report.map.drawing import Box, Drawing, drawing
from backaudit.report.map.page import page
from backaudit.survey.records import ColumnRow, Guarding, IndexRow, RouteRow, Spot, Survey, TableRow
from tests.report.samples import HOSTILE, ordinary
from tests.report.test_report_html import Page


def table(name: str, *keys: str, columns: int = 3) -> TableRow:
    """A table with a primary key, plain columns, and a foreign key for each of ``keys``."""
    own = [ColumnRow(name="id", type="Integer", primary=True, nullable=False)]
    own += [ColumnRow(name=f"column_{number}", type="String", length=20) for number in range(columns)]
    own += [ColumnRow(name=f"{key}_id", type="Integer", references=f"{key}.id") for key in keys]
    return TableRow(name=name, source="sqlalchemy", model=f"app.models.{name}", columns=tuple(own), primary=("id",))


def made_up(count: int, seed: int) -> list[TableRow]:
    """Tables that refer to each other at random: circles, long ways and self-references included."""
    chance = random.Random(seed)
    names = [f"t{number:02}" for number in range(count)]
    return [table(name, *chance.sample(names, chance.randrange(3)), columns=chance.randrange(25)) for name in names]


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


@pytest.mark.parametrize("seed", range(6))
def test_boxes_do_not_overlap_and_stand_inside(seed: int) -> None:
    found = drawing(made_up(10 + 12 * seed, seed))
    assert len(found.boxes) == 10 + 12 * seed
    assert [pair for pair in combinations(found.boxes, 2) if overlap(*pair)] == []
    assert all(box.x >= 0 and box.y >= 0 for box in found.boxes)
    assert all(box.x + box.width <= found.width and box.y + box.height <= found.height for box in found.boxes)


def test_every_foreign_key_is_drawn_to_the_right_rows() -> None:
    found = drawing([table("users"), table("posts", "users"), table("comments", "posts", "users")])
    assert (found.keys, [bus.target for bus in found.buses]) == (3, ["posts", "users"])
    users, posts, comments = (next(b for b in found.boxes if b.name == n) for n in ("users", "posts", "comments"))
    assert users.x < posts.x < comments.x
    to_users = found.buses[1]
    assert set(to_users.ends) == {(posts.x, posts.line("users_id")), (comments.x, comments.line("users_id"))}
    assert any(path.endswith(f" {users.x + users.width:.0f} {users.line('id'):.0f}") for path in to_users.paths)


def test_lines_through_a_layer_cross_no_box() -> None:
    found = drawing([table("a"), table("b", "a"), table("c", "b"), table("d", "c", "a"), table("e", "b")])
    lanes = [m for bus in found.buses for path in bus.paths for m in re.findall(r"^M(-?\d+) (-?\d+)H(-?\d+)$", path)]
    assert lanes
    for right, y, left in lanes:
        for box in found.boxes:
            crosses = float(left) < box.x + box.width and box.x < float(right) and box.y < float(y) < box.y + box.height
            assert not crosses, (box.name, y)


def test_a_large_table_shows_its_keys_and_says_how_much_is_hidden() -> None:
    found = drawing([table("users"), table("big", "users", columns=40)])
    big = next(box for box in found.boxes if box.name == "big")
    assert [line.key for line in big.lines].count("FK") == 1
    assert (len(big.lines), big.more) == (12, 30)


def test_a_layer_that_grows_too_tall_becomes_several() -> None:
    found = drawing([table("root"), *(table(f"leaf{number:02}", "root", columns=10) for number in range(40))])
    assert len({box.x for box in found.boxes}) > 3
    assert found.height < 2000


def test_nothing_to_draw() -> None:
    assert drawing([]) == Drawing(8, 8, (), (), 0)
    assert drawing([table("alone")]).buses == ()


def route(**given: object) -> RouteRow:
    values: dict[str, object] = {
        "methods": ("GET",), "path": "/a", "handler": "app.views.a", "framework": "flask", "group": "app",
        "at": Spot("app/views.py", 3), **given,
    }  # fmt: skip
    return RouteRow(**values)  # type: ignore[arg-type]


def survey(**given: object) -> Survey:
    return Survey(root_name="shop", version="1.2.3", files=3, **given)  # type: ignore[arg-type]


def test_the_page_escapes_what_the_project_says() -> None:
    hostile = survey(
        routes=(
            route(path=HOSTILE, group=HOSTILE, guards=(Guarding(HOSTILE, ("role",), Spot("x", 1)),), reads=(HOSTILE,)),
        ),
        tables=(TableRow(name=HOSTILE, source="sql", columns=(ColumnRow(name=HOSTILE, type=HOSTILE),)),),
    )
    read = Page(renderer("html")(hostile))
    assert [tag for tag, _ in read.elements].count("script") == 1
    assert not any(name.startswith("on") for _, attributes in read.elements for name in attributes)
    assert not any("style" in attributes for _, attributes in read.elements)


def test_links_lead_to_tables_that_are_there() -> None:
    found = survey(
        routes=(route(reads=("users", "gone"), writes=("Users",)),),
        tables=(table("users"), table("Users", "users"), table("a b", "users")),
    )
    text = renderer("html")(found)
    ids = set(re.findall(r' id="([^"]+)"', text))
    assert len(page(found).anchors) == len(set(page(found).anchors.values())) == 3
    assert set(re.findall(r'href="#([^"]+)"', text)) <= ids
    assert '<a href="#table-users">users</a>, gone' in text


def test_the_scan_report_has_both_sections() -> None:
    found = survey(
        routes=(route(), route(path="/b", guards=(Guarding("login_required", ("authenticates",), Spot("x", 1)),))),
        tables=(
            TableRow(
                name="users", source="sql", columns=(ColumnRow(name="id", primary=True),),
                indexes=(IndexRow(keys=("email",), unique=True, name="ix_mail"),),
            ),
        ),
    )  # fmt: skip
    text = html.render(ordinary(), survey=found)
    read = Page(text)
    assert [a["id"] for tag, a in read.elements if tag == "section" and a.get("id") in ("routes", "tables")] == [
        "routes",
        "tables",
    ]
    assert '<b class="open">none</b>' in text
    assert '<td class="words">login_required</td>' in text
    assert "unique ix_mail (email)" in text
    assert 'id="routes"' not in html.render(ordinary())
    assert 'id="routes"' not in html.render(ordinary(), survey=survey())


def test_many_tables_are_closed() -> None:
    few, many = survey(tables=(table("a"),)), survey(tables=tuple(table(f"t{number}") for number in range(50)))
    assert '<details class="keep drawn" open>' in renderer("html")(few)
    assert '<details class="keep drawn">' in renderer("html")(many)
    assert '<details class="keep table" id="table-t1">' in renderer("html")(many)
