"""The page of ``portfolio`` in a real browser: nothing is refused, nothing runs out, verdicts are told apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from backaudit.report.portfolio import renderer
from tests.e2e.test_report_browser import browser, log
from tests.portfolio.test_portfolio import app

pytestmark = pytest.mark.e2e
__all__ = ["browser"]
_COLOURS = """
return ["yes", "partly", "no"].map((verdict) => {
  const shown = getComputedStyle(document.querySelector(`.verdict.${verdict}`));
  return [shown.color, shown.backgroundColor].join(" on ");
});
"""


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_fits_and_its_verdicts_are_told_apart(
    width: int, theme: str, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    path = tmp_path / "portfolio.html"
    path.write_text(renderer("html")(app("fastapi")), encoding="utf-8")
    log(browser, "browser")
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.get(path.as_uri())
        browser.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
        assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        assert len(set(browser.execute_script(_COLOURS))) == 3
        assert [entry for entry in log(browser, "browser") if entry["level"] == "SEVERE"] == []
        question = browser.find_element(By.CSS_SELECTOR, ".question summary")
        browser.execute_script("arguments[0].click()", question)
        assert browser.find_element(By.CSS_SELECTOR, ".question p").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
