"""The page of a fleet in a real browser: a page for each repository, filters, order; nothing hostile runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from backaudit.fleet.store import Store
from backaudit.fleet.summary import summary
from backaudit.report.fleet import renderer
from tests.e2e.test_report_browser import browser, log
from tests.fleet.samples import hostile, two_runs

pytestmark = pytest.mark.e2e
__all__ = ["browser"]
_NAMES = """
const rows = [...document.querySelectorAll("#fleet-table tbody tr")];
return rows.filter((row) => !row.hidden).map((row) => row.querySelector("a").textContent);
"""
_PAGES = "return [...document.querySelectorAll('.repo')].map((one) => one.id)"


def shown(browser: webdriver.Chrome, store: Path) -> None:
    with Store(store) as opened:
        page = store.with_suffix(".html")
        page.write_text(renderer("html")(summary(opened)), "utf-8")
    log(browser, "browser")
    browser.get(page.as_uri())


def names(browser: webdriver.Chrome) -> list[str]:
    """The repositories that the table shows, from above."""
    return list(browser.execute_script(_NAMES))


def wait(browser: webdriver.Chrome, expected: list[str]) -> None:
    WebDriverWait(browser, 5).until(lambda _: names(browser) == expected)


def test_repositories_are_filtered_ordered_and_shown_as_pages(browser: webdriver.Chrome, tmp_path: Path) -> None:
    shown(browser, two_runs(tmp_path / "store"))
    assert names(browser) == ["pay", "shop", "tools"]
    browser.find_element(By.ID, "search").send_keys("team=pay")
    wait(browser, ["pay"])
    browser.find_element(By.ID, "clear").click()
    Select(browser.find_element(By.ID, "state")).select_by_value("failed")
    wait(browser, ["tools"])
    browser.find_element(By.ID, "clear").click()
    Select(browser.find_element(By.ID, "severity")).select_by_value("high")
    wait(browser, ["pay"])
    browser.find_element(By.ID, "clear").click()
    Select(browser.find_element(By.ID, "mistake")).select_by_value("indexes")
    wait(browser, ["shop"])
    browser.find_element(By.ID, "clear").click()
    wait(browser, ["pay", "shop", "tools"])
    heading = browser.find_element(By.CSS_SELECTOR, "#fleet-table thead th button")
    heading.click()
    heading.click()
    wait(browser, ["tools", "shop", "pay"])
    assert not browser.find_element(By.CSS_SELECTOR, ".repo").is_displayed()
    browser.find_element(By.LINK_TEXT, "shop").click()
    WebDriverWait(browser, 5).until(lambda _: not browser.find_element(By.ID, "overview").is_displayed())
    visible = [one.find_element(By.TAG_NAME, "h2").text for one in browser.find_elements(By.CSS_SELECTOR, ".repo.open")]
    assert visible == ["shop"]
    browser.find_element(By.CSS_SELECTOR, ".repo.open .back a").click()
    WebDriverWait(browser, 5).until(lambda _: browser.find_element(By.ID, "overview").is_displayed())
    assert [entry for entry in log(browser, "browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_runs_out_of_the_page_and_nothing_hostile_runs(
    width: int, theme: str, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for store in (two_runs(tmp_path / "store"), hostile(tmp_path / "hostile")):
            shown(browser, store)
            browser.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
            pages = ["", *browser.execute_script(_PAGES)]
            for page in pages:
                browser.execute_script("location.hash = arguments[0]", page)
                assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth"), page
            assert "owned" not in browser.title
            assert browser.execute_script("return document.scripts.length") == 1
            assert [entry for entry in log(browser, "browser") if entry["level"] == "SEVERE"] == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
