"""The OpenAPI documents of ``map`` where people use them: in Swagger UI in a browser, and imported into Postman."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.e2e.npm import absent, installed
from tests.e2e.test_report_browser import browser
from tests.report.test_map import NAMES, document, operations, ours

pytestmark = pytest.mark.e2e
__all__ = ["browser"]

SWAGGER, POSTMAN = "swagger-ui-dist@5.35.0", "openapi-to-postmanv2@6.3.3"
_PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="swagger-ui.css"><div id="ui"></div>
<script src="swagger-ui-bundle.js"></script><script>
SwaggerUIBundle({dom_id: "#ui", url: "openapi.json", docExpansion: "full", validatorUrl: null});
</script>"""
_IMPORT = """
const convert = require(process.argv[1]);
const given = JSON.parse(require("fs").readFileSync(0, "utf-8"));
const requests = (item) => item.item ? item.item.flatMap(requests) : [item.request.method];
convert.convert({type: "json", data: given}, {}, (error, made) => {
  const methods = made.output ? requests(made.output[0].data) : [];
  console.log(JSON.stringify({error: error && error.message, reason: made.reason, methods}));
});
"""


DOCUMENTS = [
    *(pytest.param(partial(document, name), id=name) for name in NAMES),
    pytest.param(ours, id="everything"),
]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder's address on this machine alone."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("made", DOCUMENTS)
def test_swagger_ui_shows_every_operation(made: Any, browser: webdriver.Chrome, tmp_path: Path) -> None:
    modules = installed(SWAGGER, SWAGGER) / "swagger-ui-dist"
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        os.symlink(modules / name, tmp_path / name)
    spec = made()
    (tmp_path / "index.html").write_text(_PAGE, "utf-8")
    (tmp_path / "openapi.json").write_text(json.dumps(spec), "utf-8")
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    with served(tmp_path) as address:
        browser.get(f"{address}/index.html")
        shows(browser, spec)


def shows(browser: webdriver.Chrome, spec: dict[str, Any]) -> None:
    count = len(list(operations(spec)))
    WebDriverWait(browser, 60).until(lambda b: len(b.find_elements(By.CSS_SELECTOR, ".opblock")) == count)
    assert [element.text for element in browser.find_elements(By.CSS_SELECTOR, ".errors-wrapper")] == []
    assert "Could not resolve reference" not in browser.find_element(By.TAG_NAME, "body").text
    entries = browser.get_log("browser")  # type: ignore[no-untyped-call]
    severe = [entry["message"] for entry in entries if entry["level"] == "SEVERE"]
    assert [message for message in severe if "favicon" not in message] == []


@pytest.mark.parametrize("made", DOCUMENTS)
def test_postman_imports_every_request(made: Any) -> None:
    node = shutil.which("node")
    if node is None:
        absent("node is not installed")
        return
    spec = made()
    done = subprocess.run(
        [node, "-e", _IMPORT, str(installed(POSTMAN, POSTMAN) / "openapi-to-postmanv2")],
        input=json.dumps(spec), capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert (said["error"], said.get("reason")) == (None, None)
    assert sorted(said["methods"]) == sorted(method.upper() for method, _, _ in operations(spec))
