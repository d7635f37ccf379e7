"""Temporary folders: in memory only where there is room for much, and where the user has not said otherwise."""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from backaudit import temporary
from backaudit.temporary import temporary_folder

Usage = namedtuple("Usage", "total used free")
PLENTY = 16 << 30


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the file system in memory; nothing is said about temporary files."""
    monkeypatch.setattr(temporary, "_MEMORY", tmp_path)
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def _with_room(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(PLENTY, PLENTY - free, free))


def test_many_files_are_in_memory_where_there_is_room(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_room(monkeypatch, PLENTY)
    with temporary_folder("pg", of_many_files=True) as folder:
        assert Path(folder).parent == memory
        assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
    assert not any(memory.iterdir())


def test_a_small_memory_is_left_alone(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_room(monkeypatch, 64 << 20)
    with temporary_folder("pg", of_many_files=True) as folder:
        assert Path(folder).parent != memory


def test_few_files_are_where_all_temporary_files_are(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_room(monkeypatch, PLENTY)
    with temporary_folder() as folder:
        assert Path(folder).parent != memory


def test_the_place_that_the_user_names_is_taken(
    memory: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_room(monkeypatch, PLENTY)
    named = tmp_path_factory.mktemp("named")
    monkeypatch.setenv("TMPDIR", str(named))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with temporary_folder("pg", of_many_files=True) as folder:
        assert Path(folder).parent == named
