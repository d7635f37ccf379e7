"""Two runs over the same tree say the same, byte for byte: however many workers, whatever the hash seed and cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("fastapi", "flask", "django")


def scanned(project: Path, work: Path, *options: str, seed: str) -> dict[str, bytes]:
    """The reports of one whole process, by format."""
    formats = ("sarif", "json", "html", "text")
    asked = [word for name in formats for word in ("--format", name, "--output", str(work / f"report.{name}"))]
    done = subprocess.run(
        [sys.executable, "-m", "backaudit", "scan", "--strict", "--fail-on", "never", *asked, *options, "."],
        cwd=project,
        env={**os.environ, "PYTHONHASHSEED": seed, "XDG_CACHE_HOME": str(work / "cache"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: (work / f"report.{name}").read_bytes() for name in formats}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three careless apps in one tree, so that there is much to be said in some order."""
    folder = tmp_path_factory.mktemp("project") / "shop"
    for name in APPS:
        shutil.copytree(ROOT / "fixtures" / "apps" / name, folder / name)
    return folder


def test_reports_do_not_depend_on_workers_seed_or_cache(project: Path, tmp_path: Path) -> None:
    first = scanned(project, tmp_path, "--jobs", "1", "--no-cache", seed="0")
    assert first["json"].count(b'"rule"') > 10
    assert scanned(project, tmp_path, "--jobs", "2", seed="1") == first  # fills the cache
    assert scanned(project, tmp_path, "--jobs", "3", seed="2") == first  # the kept result

    (project / "fastapi" / "added.py").write_text("VALUE = 1\n", "utf-8")
    with_more = scanned(project, tmp_path, "--jobs", "2", seed="3")  # kept facts, one file extracted anew
    assert scanned(project, tmp_path, "--jobs", "1", "--no-cache", seed="4") == with_more


def test_reports_do_not_depend_on_the_absolute_path(project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "some where" / "shop"
    shutil.copytree(project, elsewhere)
    here = scanned(project, tmp_path, "--no-cache", seed="5")
    assert scanned(elsewhere, tmp_path, "--no-cache", seed="6") == here
