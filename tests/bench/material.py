"""What is measured on: Django's source, a small project, and a million lines of many projects."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "bench-data"
DJANGO = "5.2.8"
SMALL_FILES = 50
SERVICE = ("https://github.com/netbox-community/netbox", "43fe81f9e833228c9869f7ddadb67e6c5f145060")


class Missing(Exception):
    """What is to be measured on cannot be had; the text says what."""


def django() -> Path:
    """The ``django/`` folder of Django's source distribution: that of ``BENCH_DJANGO``, or downloaded once by name."""
    given = os.environ.get("BENCH_DJANGO")
    if given:
        return Path(given)
    folder = DATA / f"django-{DJANGO}"
    if not folder.is_dir():
        DATA.mkdir(exist_ok=True)
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        source = ["--no-build-isolation", "--no-binary", ":all:", "--dest", str(DATA), f"Django=={DJANGO}"]
        subprocess.run([*download, *source], check=True, stdin=subprocess.DEVNULL)
        with tarfile.open(next(iter(sorted(DATA.glob("[Dd]jango-*.tar.gz"))))) as archive:
            _extract(archive, DATA)
    return folder / "django"


def service() -> Path:
    """A service of a quarter of a million lines with its tests: that of ``BENCH_SERVICE``, or cloned at one commit.

    Missing if it cannot be cloned.
    """
    given = os.environ.get("BENCH_SERVICE")
    if given:
        return Path(given)
    url, commit = SERVICE
    try:
        return fetch(DATA / f"{url.rpartition('/')[2]}-{commit[:12]}", url, commit)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Missing(f"{url} cannot be cloned") from error


def fetch(folder: Path, url: str, commit: str) -> Path:
    """A repository at a commit, in a folder that is made for it; CalledProcessError where it cannot be had."""
    if not (folder / ".git").is_dir():
        folder.mkdir(parents=True)
        for arguments in (
            ["init", "-q"],
            ["fetch", "-q", "--depth", "1", url, commit],
            ["checkout", "-q", "FETCH_HEAD"],
        ):
            subprocess.run(["git", *arguments], cwd=folder, check=True, stdin=subprocess.DEVNULL)
    return folder


def _extract(archive: tarfile.TarFile, into: Path) -> None:
    if hasattr(tarfile, "data_filter"):
        archive.extractall(into, filter="data")
        return
    unsafe = [
        member.name for member in archive.getmembers() if member.name.startswith("/") or ".." in Path(member.name).parts
    ]
    if unsafe:
        raise ValueError(f"paths out of the archive: {unsafe[:3]}")
    archive.extractall(into)


def small(into: Path) -> Path:
    """A project of fifty Python files: the three careless apps, and further resources of the FastAPI app."""
    folder = into / "small"
    apps = ROOT / "fixtures" / "apps"
    for name in ("fastapi", "flask", "django"):
        shutil.copytree(apps / name, folder / name)
    count = sum(1 for _ in python_files(folder))
    template = (apps / "fastapi" / "app" / "services" / "tasks.py").read_text("utf-8")
    for number in range(max(0, SMALL_FILES - count)):
        path = folder / "fastapi" / "app" / "services" / f"resource_{number}.py"
        path.write_text(template.replace("Task", f"Task{number}"), "utf-8")
    return folder


def python_files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.py")) if path.is_file() and not path.is_symlink())


def distinct(sources: Iterable[Path], into: Path, lines: int) -> tuple[Path, int]:
    """Projects copied side by side until they hold ``lines`` lines; a file that is there already is left out."""
    folder = into / f"lines-{lines}"
    seen: set[bytes] = set()
    count = 0
    for source in sources:
        for path in python_files(source):
            if count >= lines:
                return folder, count
            text = path.read_bytes()
            digest = hashlib.sha256(text).digest()
            if digest in seen or b"\0" in text:
                continue
            seen.add(digest)
            target = folder / source.name / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
            count += text.count(b"\n")
    return folder, count


def megabytes(folder: Path) -> float:
    """The size of a folder's Python files in MB."""
    return sum(path.stat().st_size for path in python_files(folder)) / 1e6
