"""The cache: bytes kept between runs, by whoever can; never an error."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from backaudit.cache import BATCH, NAME, STAMP_EVERY, Cache, default_folder

posix = pytest.mark.skipif(os.name == "nt", reason="permissions are POSIX's")


def test_what_is_put_is_there_in_the_next_run(tmp_path: Path) -> None:
    with Cache(tmp_path / "c") as cache:
        cache.put_many({b"a": b"1", b"b": bytes(range(256))})
        cache.put(b"a", b"2")
    with Cache(tmp_path / "c") as cache:
        assert cache.get_many([b"a", b"b", b"c"]) == {b"a": b"2", b"b": bytes(range(256))}
        assert cache.get(b"c") is None


def test_more_keys_than_a_statement_takes(tmp_path: Path) -> None:
    items = {number.to_bytes(4, "big"): b"x" for number in range(BATCH * 3 + 1)}
    with Cache(tmp_path) as cache:
        cache.put_many(items)
        assert cache.get_many(items) == items


def test_without_a_folder_it_holds_nothing(tmp_path: Path) -> None:
    with Cache(None) as cache:
        cache.put(b"a", b"1")
        assert cache.get(b"a") is None
        assert not cache.usable


@posix
def test_the_folder_is_the_users_alone(tmp_path: Path) -> None:
    Cache(tmp_path / "new" / "c").close()
    assert stat.S_IMODE((tmp_path / "new" / "c").stat().st_mode) == 0o700
    (tmp_path / "open").mkdir(mode=0o755)
    Cache(tmp_path / "open").close()
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o700


@posix
def test_a_folder_that_is_a_link_or_anothers_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert not Cache(tmp_path / "link").usable
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert not Cache(tmp_path / "real").usable
    assert list((tmp_path / "real").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Cache(tmp_path / "file" / "c") as cache:
        cache.put(b"a", b"1")
        assert cache.get(b"a") is None


@pytest.mark.parametrize("damage", [b"", b"not a database" * 1000])
def test_a_damaged_database_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / NAME).write_bytes(damage)
    with Cache(tmp_path) as cache:
        assert cache.get(b"a") is None
        cache.put(b"a", b"1")
        assert cache.get(b"a") == b"1"


def test_damage_within_the_pages_is_survived(tmp_path: Path) -> None:
    with Cache(tmp_path) as cache:
        cache.put_many({bytes([number]) * 20: os.urandom(3000) for number in range(200)})
    data = bytearray((tmp_path / NAME).read_bytes())
    data[5000:-100] = b"\xff" * (len(data) - 5100)
    (tmp_path / NAME).write_bytes(data)
    with Cache(tmp_path) as cache:
        cache.get_many([bytes([number]) * 20 for number in range(200)])
        cache.put(b"new", b"1")
        cache.get(b"new")
    with Cache(tmp_path) as cache:
        cache.put(b"new", b"2")
        assert cache.get(b"new") == b"2"


def test_a_database_of_another_shape_is_no_error(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / NAME)
    connection.execute("CREATE TABLE facts (x)")
    connection.close()
    with Cache(tmp_path) as cache:
        cache.put(b"a", b"1")
        assert cache.get(b"a") is None


def test_a_busy_database_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backaudit.cache.BUSY_MS", 10)
    with Cache(tmp_path) as cache:
        cache.put(b"a", b"1")
        other = sqlite3.connect(tmp_path / NAME, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        cache.put(b"b", b"2")
        assert cache.get(b"a") == b"1"
        other.execute("ROLLBACK")
        other.close()
        assert cache.get(b"b") is None
        cache.put(b"b", b"2")
        assert cache.get(b"b") == b"2"


def test_the_least_recently_used_go_first_and_the_bound_holds(tmp_path: Path) -> None:
    bound, size = 1_000_000, 20_000
    with Cache(tmp_path, max_bytes=bound) as cache:
        for number in range(200):
            cache.put(number.to_bytes(4, "big"), os.urandom(size))
            if number % 5 == 0:
                assert cache.get((0).to_bytes(4, "big")) is not None, number
        kept = [number for number in range(200) if cache.get(number.to_bytes(4, "big"))]
    assert kept[0] == 0
    assert kept[1:] == list(range(kept[1], 200))
    assert 20 < len(kept) <= bound // size
    assert (tmp_path / NAME).stat().st_size < bound * 1.2


def test_reading_what_is_fresh_writes_nothing(tmp_path: Path) -> None:
    with Cache(tmp_path) as cache:
        cache.put(b"a", b"1")
    before = (tmp_path / NAME).read_bytes()
    with Cache(tmp_path) as cache:
        for _ in range(STAMP_EVERY * 2):
            cache.get(b"a")
    assert (tmp_path / NAME).read_bytes() == before


def _hammer(folder: Path, seed: int) -> None:
    with Cache(folder) as cache:
        for number in range(20):
            key = bytes([seed, number])
            cache.put(key, key * 100)
            assert cache.get(key) == key * 100


def test_several_processes_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_hammer, args=(tmp_path, seed)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with Cache(tmp_path) as cache:
        keys = [bytes([seed, number]) for seed in range(3) for number in range(20)]
        assert cache.get_many(keys) == {key: key * 100 for key in keys}


@pytest.mark.parametrize(
    ("environ", "platform", "folder"),
    [
        ({"BACKAUDIT_CACHE_DIR": "/x", "HOME": "/h"}, "linux", "/x/backaudit"),
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "linux", "/c/backaudit"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "linux", "/h/.cache/backaudit"),
        ({"HOME": "/h"}, "darwin", "/h/Library/Caches/backaudit"),
        ({"LOCALAPPDATA": "/l"}, "win32", "/l/backaudit/Cache"),
        ({}, "linux", None),
        ({}, "win32", None),
    ],
)
def test_the_folder_follows_the_platforms_custom(environ: dict[str, str], platform: str, folder: str | None) -> None:
    found = default_folder(environ, platform)
    assert found == (Path(folder) if folder else None)


def test_a_value_under_another_s_key_is_none(tmp_path: Path) -> None:
    with Cache(tmp_path) as cache:
        cache.put_many({b"one": b"first", b"two": b"second"})
    database = sqlite3.connect(tmp_path / NAME)
    database.execute("UPDATE facts SET value = (SELECT value FROM facts WHERE key = ?)", (b"one",))
    database.commit()
    database.close()
    with Cache(tmp_path) as cache:
        assert cache.get_many([b"one", b"two"]) == {b"one": b"first"}
