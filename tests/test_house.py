"""The files around the code: what they promise is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from backaudit.toml import parse_toml
from tools import rules_table

ROOT = Path(__file__).resolve().parent.parent


def test_the_table_of_rules_is_up_to_date() -> None:
    assert rules_table.main(["--check"]) == 0, "run python -m tools.rules_table"


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="rules:begin"):
        rules_table.with_table("# A page\n", [])


def test_every_folder_of_code_is_packaged() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import setuptools; setuptools.setup = lambda packages: print(*packages); import setup"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts).replace("rules", "backaudit_rules", 1)
        for top in ("backaudit", "rules")
        for path in (ROOT / top).rglob("*.py")
    }
    assert folders <= set(done.stdout.split())


def test_no_fixture_is_ignored_by_git() -> None:
    fixtures = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "fixtures").rglob("*") if path.is_file())
    own = [name for name in fixtures if "__pycache__" not in name]
    done = subprocess.run(
        ["git", "-c", "core.excludesFile=", "check-ignore", "--no-index", "--verbose", "--stdin"],
        input="\n".join(own),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    by_root = [line for line in done.stdout.splitlines() if line.startswith(".gitignore:")]
    assert (by_root, done.stderr) == ([], "")


def test_the_changelog_names_the_version() -> None:
    version = parse_toml((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert re.search(
        rf"^## (\[Unreleased\] )?\[?{re.escape(version)}\]?", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M
    )


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Version 2.0, January 2004" in text
    assert all(f"\n   {number}. " in text for number in range(1, 10))
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "ARCHITECTURE.md"])
def test_links_to_files_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([\w./-]+)\)", (ROOT / name).read_text("utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) < 150
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= {
        name.removeprefix("docs/") for name in re.findall(r"\]\((docs/[\w.-]+)\)", text)
    }


def test_makefile_targets_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    assert {"setup", "demo", "test", "docs", "bench", "soak", "clean"} <= targets
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100
