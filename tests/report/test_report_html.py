"""The HTML report as a document: complete, inert, accessible. What a browser makes of it is tested in e2e/."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest

from backaudit.facts.place import WHOLE_FILE, Place
from backaudit.facts.problem import Problem
from backaudit.issue import ExcerptLine, Issue
from backaudit.report import html
from backaudit.report.visible import visible, visible_name
from tests.report.samples import (
    HOSTILE,
    WEAK_HASH,
    hostile,
    make_issue,
    make_report,
    make_rule,
    ordinary,
    place,
)

VOID = {"meta", "link", "input", "br", "img", "rect"}


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in {"td", "th"}:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        (self.raw[self.open[-1]] if self.open and self.open[-1] in self.raw else self.words).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def with_class(self, name: str) -> list[dict[str, str]]:
        return [attributes for _, attributes in self.elements if name in attributes.get("class", "").split()]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(html.render(ordinary()))


@pytest.fixture(scope="module")
def attacked() -> Page:
    return Page(html.render(hostile()))


def text_of(*issues: Issue) -> str:
    return Page(html.render(make_report(*issues))).text


# --- what it says


@pytest.mark.parametrize(
    "said",
    [
        "5 findings in 4 files · 7 files analysed · 2 problems · 2 accepted",
        "1 critical 2 high 1 medium 1 low",
        "A fast hash protects a password.",
        "MD5 is built to be fast",
        "How to mend it. Use a password hasher such as argon2-cffi.",
        "digest = PasswordHasher().hash(password)",
        "critical app/search.py:18 in search",
        "The query parameter q becomes part of SQL text.",
        "return hashlib.md5(password.encode()).hexdigest()",
        "Path app/search.py:15 q is a query parameter app/search.py:17 It becomes part of sql",
        "See also app/models.py:9 The table is defined here",
        "Mend Pass q as a bound parameter.",
        "Seen SELECT * FROM products",
        "app/orders.py:44 medium confidence",
        "app/py2.py:3 unparsable the syntax is not Python 3: a print statement",
        "Left out generated or minified: 3 · virtual environment: 1,204",
        "Note The configuration in api/pyproject.toml is not used.",
        "passwords/weak-hash app/gone.py login",
        "app/old.py:3 passwords/weak-hash a comment a checksum of a file",
        "app/old.py:9 passwords/weak-hash the baseline",
    ],
)
def test_everything_in_the_report_is_said(page: Page, said: str) -> None:
    assert said in page.text


def test_the_five_mistakes_stand_in_their_order_found_or_not(page: Page) -> None:
    summary = page.text[page.text.index("The five mistakes") : page.text.index("Also")]
    assert re.findall(r"(0\d) (\w+) (\d+) ([\w ,]+?)(?= 0\d|$)", summary.strip()) == [
        ("01", "Passwords", "1", "1 high"),
        ("02", "Validation", "1", "1 critical"),
        ("03", "Errors", "1", "1 medium"),
        ("04", "Indexes", "1", "1 low"),
        ("05", "Secrets", "0", "Nothing found"),
    ]
    assert "Also Deployment 1" in page.text


def test_families_come_in_order_and_a_third_partys_last() -> None:
    names = ("zeta/a", "auth/b", "secrets/c", "passwords/d", "alpha/e")
    report = make_report(*(make_issue(make_rule(name), place("a.py", 1)) for name in names))
    sections = [item["data-family"] for item in Page(html.render(report)).all("section") if "data-family" in item]
    assert sections == ["passwords", "secrets", "auth", "alpha", "zeta"]


def test_within_a_family_the_most_severe_rule_comes_first() -> None:
    low, critical = make_rule("errors/a-low", "low"), make_rule("errors/b-critical", "critical")
    report = make_report(make_issue(low, place("a.py", 1)), make_issue(critical, place("b.py", 1)))
    assert [item["data-severity"] for item in Page(html.render(report)).with_class("finding")] == ["critical", "low"]


def test_the_spot_is_marked() -> None:
    line = ExcerptLine(3, "    x = md5(p)", (8, 14))
    assert "    x = <mark>md5(p)</mark></span>" in html.render(
        make_report(make_issue(WEAK_HASH, place("a.py", 3, 8, 14), excerpt=(line,)))
    )


def test_of_a_very_long_line_the_stretch_around_the_spot_is_shown() -> None:
    line = ExcerptLine(1, "a" * 9000 + "HERE" + "b" * 9000, (9000, 9004))
    text = text_of(make_issue(WEAK_HASH, place("min.py", 1), excerpt=(line,)))
    assert re.search(r"…a{120}HEREb{276}…", text)


def test_a_whole_file_has_no_line() -> None:
    text = text_of(make_issue(WEAK_HASH, Place(".env", WHOLE_FILE)))
    assert " .env " in text
    assert ".env:1" not in text


def test_without_findings_it_says_what_was_looked_at() -> None:
    page = Page(html.render(make_report()))
    assert "No findings · 7 files analysed" in page.text
    assert "Nothing to report. 5 rules looked at 7 files." in page.text
    assert page.all("form") == []
    assert page.text.count("Nothing found") == 5


def test_a_crash_is_said_at_the_top() -> None:
    crashed = Page(html.render(make_report(problems=(Problem("", "crash", "The rule errors/x failed."),)))).text
    assert "Part of the analysis failed, so findings are missing." in crashed[: crashed.index("The five mistakes")]
    assert "– crash The rule errors/x failed." in crashed
    assert "Part of the analysis failed" not in Page(html.render(ordinary())).text


# --- what it cannot do


def test_the_policy_admits_our_style_and_script_alone(page: Page) -> None:
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))

    def hash_of(kind: str) -> str:
        text = "".join(page.raw[kind])
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert allowed == {
        "default-src": "'none'",
        "style-src": hash_of("style"),
        "script-src": hash_of("script"),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


@pytest.mark.parametrize("kind", ["page", "attacked"])
def test_nothing_is_loaded_and_nothing_else_runs(kind: str, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(kind)
    assert Counter(tag for tag, _ in page.elements if tag in {"script", "style", "link"}) == {
        "script": 1,
        "style": 1,
        "link": 1,
    }
    assert not {tag for tag, _ in page.elements} & {
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "video",
        "audio",
        "image",
    }
    for tag, attributes in page.elements:
        assert not {
            name for name in attributes if name.startswith("on") or name in {"style", "src", "srcset", "action"}
        }
        url = attributes.get("href", "#")
        assert url.startswith(("#", "data:image/svg+xml,") if tag == "link" else ("#", "https://")), url
        if url.startswith("https:"):
            assert attributes["rel"] == "noreferrer noopener"
    assert "url(" not in "".join(page.raw["style"])
    assert "@import" not in "".join(page.raw["style"])
    assert not re.search(r"fetch|XMLHttpRequest|sendBeacon|WebSocket|innerHTML|eval", "".join(page.raw["script"]))


def test_hostile_text_is_shown_as_it_is_and_does_nothing(attacked: Page) -> None:
    text = html.render(hostile())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text.replace("\t", ""))
    text.encode("utf-8")
    shown = visible(HOSTILE)
    assert "␛[31mred␛]8;;" in shown
    assert "<U+202E>gnp.exe" in shown
    # Title, project, problem, notes, message, scope, evidence, steps, excerpt …: each quoted in full.
    # Names of files are on one line, with escapes.
    named = re.sub(r"\s+", " ", visible_name(HOSTILE))
    assert attacked.text.count(re.sub(r"\s+", " ", shown)) + attacked.text.count(named) >= 20


@pytest.mark.parametrize("part", ["attacked", "page"])
def test_ids_are_unique_and_every_link_in_the_page_arrives(part: str, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(part)
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert [id for id, number in ids.items() if number > 1] == []
    assert not [id for id in ids if re.search(r"[^\w-]", id)]
    for _, attributes in page.elements:
        for name in ("href", "for", "aria-labelledby"):
            target = attributes.get(name, "")
            if name != "href" or target.startswith("#"):
                assert not target or target.removeprefix("#") in ids, target


# --- for whom


def test_landmarks_labels_and_headings(page: Page) -> None:
    tags = Counter(tag for tag, _ in page.elements)
    assert (tags["main"], tags["header"], tags["footer"], tags["h1"]) == (1, 1, 1, 1)
    assert page.all("html") == [{"lang": "en"}]
    assert all("aria-label" in item for tag in ("nav", "aside") for item in page.all(tag))
    labelled = {label["for"] for label in page.all("label") if "for" in label}
    controls = [*page.all("select"), *(item for item in page.all("input") if item["type"] == "search")]
    assert len(controls) == 3
    assert {item["id"] for item in controls} == labelled
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert [attributes["role"] for _, attributes in page.elements if "role" in attributes] == ["search", "status"]


def test_without_scripts_nothing_is_hidden_but_the_controls(page: Page) -> None:
    hidden = {attributes.get("id") for _, attributes in page.elements if "hidden" in attributes}
    assert hidden == {"theme", "filters", "nothing"}
    assert all("open" in item for item in page.all("details"))


def colours() -> dict[str, tuple[str, str]]:
    css = files("backaudit.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", css)
    return {name: (light, dark) for name, light, dark in found}


def contrast(first: str, second: str) -> float:
    """WCAG's contrast ratio of two colours ``#rrggbb``."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        *((text, ground, 4.5) for text in ("text", "muted", "accent") for ground in ("ground", "surface")),
        *((text, ground, 4.5) for text in ("text", "muted") for ground in ("sunken", "hit")),
        *((name, f"{name}-tint", 4.5) for name in ("critical", "high", "medium", "low")),
        ("text", "mark", 4.5),
        ("good", "surface", 4.5),
        ("good", "ground", 4.5),
        ("critical", "surface", 4.5),
        ("strong-line", "surface", 3.0),
    ],
)
def test_contrast_is_enough_in_both_themes(text: str, ground: str, least: float, theme: int) -> None:
    palette = colours()
    assert contrast(palette[text][theme], palette[ground][theme]) >= least


def test_rules_without_documentation_still_read() -> None:
    rule = make_rule("errors/bare", doc=" ")
    assert "errors/bare" in text_of(make_issue(rule, place("a.py", 1)))
