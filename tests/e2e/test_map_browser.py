"""The page of ``map`` in a real browser: nothing is fetched or refused, boxes hold their texts, links open tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from backaudit.report import html
from backaudit.report.map import renderer
from backaudit.survey.records import Survey
from tests.e2e.test_report_browser import browser, log
from tests.report.samples import ordinary
from tests.report.test_map import app
from tests.report.test_map_page import made_up, survey

pytestmark = pytest.mark.e2e
__all__ = ["browser"]
Show = Callable[[str], None]

_TEXTS_OUTSIDE = """
return Array.from(document.querySelectorAll("svg.tables .box")).flatMap((box) => {
  const rect = box.querySelector("rect").getBBox();
  return Array.from(box.querySelectorAll("text")).filter((text) => {
    const at = text.getBBox();
    const sideways = at.x < rect.x || at.x + at.width > rect.x + rect.width;
    return sideways || at.y < rect.y || at.y + at.height > rect.y + rect.height;
  }).map((text) => text.textContent);
});
"""
_COLOURS = """
const shown = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
const parts = [["text", "fill"], [".box rect", "fill"], [".bus path", "stroke"]];
return parts.map(([at, name]) => shown(`svg.tables ${at}`, name));
"""


@pytest.fixture
def show(browser: webdriver.Chrome, tmp_path: Path) -> Show:
    def open_page(text: str) -> None:
        path = tmp_path / "map.html"
        path.write_text(text, encoding="utf-8")
        log(browser, "browser")
        browser.get(path.as_uri())

    return open_page


def large() -> Survey:
    return survey(tables=tuple(made_up(60, 7)), routes=app("fastapi").routes)


@pytest.mark.parametrize("name", ["fastapi", "django", "flask"])
def test_boxes_hold_their_texts_and_nothing_is_refused(name: str, show: Show, browser: webdriver.Chrome) -> None:
    show(renderer("html")(app(name)))
    assert browser.execute_script(_TEXTS_OUTSIDE) == []
    assert [entry for entry in log(browser, "browser") if entry["level"] == "SEVERE"] == []
    drawn = browser.find_element(By.CSS_SELECTOR, "svg.tables")
    assert drawn.is_displayed()
    assert drawn.get_attribute("aria-label")


def test_light_and_dark_are_told_apart(show: Show, browser: webdriver.Chrome) -> None:
    show(renderer("html")(app("fastapi")))
    seen: list[Any] = []
    for theme in ("light", "dark"):
        browser.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
        seen.append(browser.execute_script(_COLOURS))
    assert all(len({*colours}) == 3 for colours in seen)
    assert seen[0] != seen[1]


def test_a_link_opens_a_closed_table(show: Show, browser: webdriver.Chrome) -> None:
    show(renderer("html")(large()))
    table = browser.find_element(By.ID, "table-t05")
    assert table.get_attribute("open") is None
    browser.execute_script("location.hash = 'table-t05'")
    WebDriverWait(browser, 5).until(lambda _: table.get_attribute("open") is not None)
    assert table.find_element(By.TAG_NAME, "table").is_displayed()


def test_the_page_is_not_wider_than_the_window(show: Show, browser: webdriver.Chrome) -> None:
    show(html.render(ordinary(), survey=large()))
    for width in (420, 1280):
        browser.set_window_size(width, 1000)
        wide = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, width
    browser.set_window_size(1280, 1000)


def test_paper_shows_every_table(show: Show, browser: webdriver.Chrome) -> None:
    show(renderer("html")(large()))
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    closed = "return document.querySelectorAll('details:not([open])').length"
    assert browser.execute_script(closed) == 0
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert browser.execute_script(closed) == 61
