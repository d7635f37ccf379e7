"""The tutorial in CONTRIBUTING.md, done as it says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.environments import ROOT, make_venv, run

pytestmark = pytest.mark.e2e

TUTORIAL = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## A rule package of your own")[2]
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> Iterator[tuple[dict[str, str], str]]:
    """The tutorial's blocks in order: (what stands behind the language, the text)."""
    for _, attributes, text in BLOCK.findall(TUTORIAL):
        yield {part.partition("=")[0]: part.partition("=")[2] for part in attributes.split()}, text


def follow(folder: Path, bin_folder: Path) -> dict[str, str]:
    """Write every file and run every command of the tutorial; the commands' output by their text."""
    said = {}
    for attributes, text in blocks():
        if "file" in attributes:
            path = folder / attributes["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        elif "run" in attributes:
            for line in text.strip().splitlines():
                done = run(command(line, bin_folder), cwd=folder, expect=int(attributes.get("exit", "0")))
                said[line] = done.stdout
    return said


def command(line: str, bin_folder: Path) -> list[str | Path]:
    """A line as the environment runs it; nothing is fetched for an installation."""
    program, *arguments = shlex.split(line)
    python = bin_folder / "python"
    if program == "pip":
        return [python, "-m", "pip", "--disable-pip-version-check", *arguments, "--no-deps", "--no-build-isolation"]
    assert program == "backaudit"
    return [python, "-m", "backaudit", *arguments]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("tutorial")
    return follow(folder, make_venv(tmp_path_factory.mktemp("environment")))


def test_the_new_rule_is_listed_and_explained(said: dict[str, str]) -> None:
    assert "acme/naive-time" in said["backaudit rules --select acme"]
    explained = said["backaudit explain acme/naive-time"]
    assert "A time is made without its time zone." in explained
    assert "datetime.now(timezone.utc)" in explained


def test_its_fixtures_hold(said: dict[str, str]) -> None:
    assert "backaudit test fixtures/acme" in said  # it exited with 0


def test_a_scan_reports_it(said: dict[str, str]) -> None:
    (scan,) = [text for line, text in said.items() if line.startswith("backaudit scan")]
    assert scan.count("This time does not know its time zone.") == 2
    assert "bad.py" in scan
    assert "good.py" not in scan
