"""The HTML report in a real browser: filters, search, theme, paper; no request leaves it, nothing hostile runs."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from backaudit.issue import Report
from backaudit.report import html
from tests.report.samples import hostile, make_report, many, ordinary

pytestmark = pytest.mark.e2e

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1000")
Open = Callable[[Report], None]


def absent(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        absent("chromium and chromedriver are not both installed")
        return
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    try:
        chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    except WebDriverException as error:
        absent(f"chromium does not start: {error.msg}")
        return
    yield chrome
    chrome.quit()


def log(browser: Any, kind: str) -> list[dict[str, str]]:
    """The entries since the last look."""
    entries: list[dict[str, str]] = browser.get_log(kind)
    return entries


@pytest.fixture
def show(browser: webdriver.Chrome, tmp_path: Path) -> Open:
    """Open a report as a file, as readers do, with an empty log and no theme chosen."""

    def open_report(report: Report) -> None:
        path = tmp_path / "report.html"
        path.write_text(html.render(report), encoding="utf-8")
        browser.get(path.as_uri())
        browser.execute_script("try { localStorage.clear() } catch {}")
        log(browser, "browser")
        log(browser, "performance")
        browser.get(path.as_uri())

    return open_report


def shown(browser: webdriver.Chrome) -> list[str]:
    """The places of the findings that are to be seen, in order."""
    found: list[str] = browser.execute_script(
        "return [...document.querySelectorAll('.finding')].filter((e) => e.offsetParent !== null)"
        ".map((e) => e.querySelector('h4 .place').textContent)"
    )
    return found


def element(browser: webdriver.Chrome, selector: str) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, selector)


def wait_for_state(browser: webdriver.Chrome, text: str) -> None:
    WebDriverWait(browser, 10).until(lambda _: element(browser, "#state").text == text, f"the state is not {text!r}")


def messages(browser: webdriver.Chrome) -> list[str]:
    return [entry["message"] for entry in log(browser, "browser")]


def requested(browser: webdriver.Chrome) -> list[str]:
    """Every URL that was asked for since the last look, but for the parts that stand in the document."""
    events = [json.loads(entry["message"])["message"] for entry in log(browser, "performance")]
    urls = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("data:")]


ALL = ["app/auth.py:9", "app/search.py:18", "app/orders.py:44", "app/orders.py:20", "app/main file.py"]


@pytest.mark.parametrize("report", [ordinary(), hostile(), make_report()], ids=["ordinary", "hostile", "empty"])
def test_it_asks_for_nothing_and_its_policy_stops_nothing(
    browser: webdriver.Chrome, show: Open, report: Report
) -> None:
    show(report)
    assert requested(browser) == [browser.current_url]
    assert messages(browser) == []
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(246, 246, 243)", "the style sheet is in force"
    assert element(browser, "#theme").is_displayed(), "the script has run"


def test_hostile_text_does_not_run(browser: webdriver.Chrome, show: Open) -> None:
    show(hostile())
    assert "document.title='owned'" in browser.title
    assert browser.title != "owned"
    assert "<img src=x onerror=" in element(browser, ".finding .code").text
    assert browser.find_elements(By.CSS_SELECTOR, "img, body svg:not(.bar)") == []
    assert [shown(browser)[0][:10]] == ["a/<script>"]


_INTRUDE = """
const url = arguments[0], done = arguments[1], refused = new Set();
document.addEventListener("securitypolicyviolation", (event) => refused.add(event.effectiveDirective));
const script = document.createElement("script");
script.textContent = "document.title = 'owned'";
const style = document.createElement("style");
style.textContent = "body { display: none }";
const image = document.createElement("img");
image.src = url;
document.body.append(script, style, image);
fetch(url).catch(() => {}).finally(() => setTimeout(() => done([...refused].sort()), 200));
"""


def test_the_policy_would_stop_it(browser: webdriver.Chrome, show: Open) -> None:
    """A script, a style, an image and a request that somehow got into the page are refused by the browser."""
    show(ordinary())
    with socket.create_server(("127.0.0.1", 0)) as server:
        refused = browser.execute_async_script(_INTRUDE, f"http://127.0.0.1:{server.getsockname()[1]}/")
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
    assert refused == ["connect-src", "img-src", "script-src-elem", "style-src-elem"]
    assert "owned" not in browser.title
    assert element(browser, "h1").is_displayed()


def test_filters(browser: webdriver.Chrome, show: Open) -> None:
    show(ordinary())
    assert shown(browser) == ALL
    assert element(browser, "#state").text == "5 findings"
    assert not element(browser, "#clear").is_enabled()

    element(browser, "input[value=high]").click()
    wait_for_state(browser, "3 of 5 shown")
    assert shown(browser) == ["app/search.py:18", "app/orders.py:44", "app/orders.py:20"]
    assert not element(browser, "#family-passwords").is_displayed(), "a section without findings goes too"

    Select(element(browser, "#file")).select_by_value("app/orders.py")
    wait_for_state(browser, "2 of 5 shown")
    Select(element(browser, "#family")).select_by_value("indexes")
    wait_for_state(browser, "1 of 5 shown")
    assert shown(browser) == ["app/orders.py:20"]

    element(browser, "#clear").click()
    wait_for_state(browser, "5 findings")
    assert shown(browser) == ALL


@pytest.mark.parametrize(
    ("words", "places"),
    [
        ("LIKE", ["app/search.py:18"]),
        ("weak-HASH", ["app/auth.py:9"]),
        ("cwe-1067", ["app/orders.py:20"]),
        ("orders catch-all", ["app/orders.py:44"]),
        ("orders.py", ["app/orders.py:44", "app/orders.py:20"]),
        ("argon2", []),
        ("<b>", []),
    ],
)
def test_search(browser: webdriver.Chrome, show: Open, words: str, places: list[str]) -> None:
    show(ordinary())
    element(browser, "#search").send_keys(words)
    wait_for_state(browser, f"{len(places)} of 5 shown")
    assert shown(browser) == places
    assert element(browser, "#nothing").is_displayed() == (not places)


def test_when_nothing_matches_one_button_shows_all(browser: webdriver.Chrome, show: Open) -> None:
    show(ordinary())
    element(browser, "#search").send_keys("no such thing")
    wait_for_state(browser, "0 of 5 shown")
    element(browser, "#all").click()
    wait_for_state(browser, "5 findings")
    assert browser.switch_to.active_element == element(browser, "#search")


def test_the_keyboard_is_enough(browser: webdriver.Chrome, show: Open) -> None:
    show(ordinary())
    body = element(browser, "body")
    body.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to the findings"
    body.send_keys("/")
    search = element(browser, "#search")
    assert browser.switch_to.active_element == search
    search.send_keys("a/b")
    assert search.get_attribute("value") == "a/b"
    wait_for_state(browser, "0 of 5 shown")
    search.send_keys(Keys.ESCAPE)
    wait_for_state(browser, "5 findings")


def test_a_link_to_what_a_filter_hides_shows_it(browser: webdriver.Chrome, show: Open) -> None:
    show(ordinary())
    Select(element(browser, "#family")).select_by_value("indexes")
    wait_for_state(browser, "1 of 5 shown")
    element(browser, ".card a[href='#family-passwords']").click()
    wait_for_state(browser, "5 findings")
    assert element(browser, "#family-passwords").is_displayed()


def ground(browser: webdriver.Chrome) -> str:
    colour: str = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    return colour


def test_the_theme_follows_the_system_until_the_reader_chooses(browser: webdriver.Chrome, show: Open) -> None:
    light, dark = "rgb(246, 246, 243)", "rgb(19, 22, 25)"

    def system(scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    try:
        show(ordinary())
        system("dark")
        assert ground(browser) == dark
        system("light")
        assert ground(browser) == light
        button = element(browser, "#theme")
        button.click()
        assert button.text == "Theme: light"
        button.click()
        assert button.text == "Theme: dark"
        assert ground(browser) == dark
        browser.refresh()
        assert ground(browser) == dark, "the choice is kept"
        element(browser, "#theme").click()
        assert ground(browser) == light
    finally:
        system("")


def test_without_scripts_everything_is_there(browser: webdriver.Chrome, show: Open) -> None:
    def scripts(off: bool) -> None:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": off})

    show(ordinary())
    scripts(off=True)
    try:
        browser.refresh()
    finally:
        scripts(off=False)
    assert not element(browser, "#filters").is_displayed()
    assert shown(browser) == ALL
    assert element(browser, ".example.good pre").is_displayed()
    assert element(browser, "#accepted").is_displayed()


def test_examples_are_folded_on_the_screen_and_open_on_paper(browser: webdriver.Chrome, show: Open) -> None:
    show(ordinary())
    example = element(browser, ".example.good pre")
    assert not example.is_displayed()
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert example.is_displayed()
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert not example.is_displayed()


def test_it_prints(browser: webdriver.Chrome, show: Open) -> None:
    show(ordinary())
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert pdf.startswith(b"%PDF-")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert shown(browser) == ALL
        assert not element(browser, ".side").is_displayed()
        assert not element(browser, "#theme").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize("report", [ordinary(), hostile()], ids=["ordinary", "hostile"])
@pytest.mark.parametrize("width", [320, 390, 820, 1280])
def test_no_width_makes_the_page_scroll_sideways(
    browser: webdriver.Chrome, show: Open, report: Report, width: int
) -> None:
    size: dict[str, Any] = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        show(report)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_thousands_of_findings_are_filtered(browser: webdriver.Chrome, show: Open) -> None:
    show(many(2000))
    assert element(browser, "#state").text == "2000 findings"
    element(browser, "#search").send_keys("app/module42.py")
    wait_for_state(browser, "21 of 2000 shown")
    assert len(shown(browser)) == 21
