"""The documentation's site: it builds without a broken link, and has a page for every rule."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backaudit.report.standards import DOCUMENTATION_URL, rule_url
from tests.e2e.npm import absent
from tools import docs_pages

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parent.parent.parent


def built(folder: Path) -> subprocess.CompletedProcess[str]:
    if importlib.util.find_spec("zensical") is None:
        absent("zensical is not installed")
    shutil.copy(ROOT / "zensical.toml", folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_the_site_builds_and_every_rule_has_the_page_that_reports_link_to(tmp_path: Path) -> None:
    docs_pages.write(tmp_path / "build" / "docs")
    done = built(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    rules = docs_pages.documented()
    assert len(rules) > 60
    for rule in rules:
        url = rule_url(rule) or f"{DOCUMENTATION_URL}/rules/{rule.id}/"
        page = tmp_path / "site" / url.removeprefix(f"{DOCUMENTATION_URL}/") / "index.html"
        assert rule.id in page.read_text("utf-8")


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    docs_pages.write(tmp_path / "build" / "docs")
    with (tmp_path / "build" / "docs" / "limits.md").open("a", encoding="utf-8") as file:
        file.write("\nSee [nothing](not-there.md).\n")
    assert built(tmp_path).returncode != 0
