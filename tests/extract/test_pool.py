"""The worker pool: same facts whatever the workers, and no file takes another down."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from backaudit.cache import Cache
from backaudit.discover import Found
from backaudit.extract import extract as real
from backaudit.extract import pool
from backaudit.extract.pool import extract_all
from backaudit.facts.files import FileFacts
from backaudit.source import Limits, Source, kind_of


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number in range(12):
        (tmp_path / f"m{number}.py").write_text(f"def f{number}(x):\n    return g(x, {number})\n" * 20)
    return tmp_path


def found(root: Path) -> list[Found]:
    names = sorted(path.name for path in root.iterdir() if path.is_file())
    return [Found(name, kind_of(name), True) for name in names]


def test_the_number_of_workers_changes_nothing(tree: Path) -> None:
    one, _ = extract_all(tree, found(tree), jobs=1)
    three, _ = extract_all(tree, found(tree), jobs=3)
    assert one == three
    assert [file.path for file in one] == sorted(file.path for file in one)


def test_spawned_workers_say_the_same(tree: Path) -> None:
    forked, _ = extract_all(tree, found(tree)[:3], jobs=1)
    spawned, _ = extract_all(tree, found(tree)[:3], jobs=1, start_method="spawn")
    assert forked == spawned


def test_a_cache_answers_for_unchanged_files_and_only_for_them(
    tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Cache(tmp_path_factory.mktemp("cache") / "c") as cache:
        cold, _ = extract_all(tree, found(tree), jobs=1, cache=cache)
        warm, _ = extract_all(tree, found(tree), jobs=1, cache=cache)
        (tree / "m0.py").write_text("y = 2\n")
        changed, _ = extract_all(tree, found(tree), jobs=1, cache=cache)
    assert cold == warm
    assert changed[1:] == cold[1:]
    assert changed[0] != cold[0]


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file called ``die.py`` kills its worker, ``hang.py`` never ends, ``raise.py`` is an extractor's bug."""

    def extract(source: Source, **options: Any) -> FileFacts:
        if source.path == "die.py":
            os.kill(os.getpid(), signal.SIGKILL)
        if source.path == "crash.py":
            os.kill(os.getpid(), signal.SIGSEGV)
        if source.path == "hang.py":
            time.sleep(3600)
        if source.path == "raise.py":
            raise RuntimeError("secret = 'hunter2'")
        return real(source, **options)

    monkeypatch.setattr(pool, "extract", extract)


@pytest.mark.usefixtures("trap")
@pytest.mark.parametrize("name", ["die.py", "hang.py", "raise.py"])
def test_a_lost_worker_costs_only_its_file(tree: Path, name: str) -> None:
    (tree / name).write_text("x = 1\n")
    # Long enough for a busy machine to start a worker, short enough to wait for.
    hang = 15.0 if name == "hang.py" else pool.HANG_SECONDS
    facts, problems = extract_all(tree, found(tree), jobs=2, start_method="fork", hang_seconds=hang)
    assert [file.path for file in facts] == sorted(f"m{number}.py" for number in range(12))
    assert [(problem.path, problem.kind) for problem in problems] == [(name, "crash")]
    assert "hunter2" not in problems[0].message


@pytest.mark.usefixtures("trap")
def test_the_death_of_a_worker_is_told_by_its_problem_alone(tree: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tree / "crash.py").write_text("x = 1\n")
    faulthandler.enable()
    _, problems = extract_all(tree, found(tree), jobs=2, start_method="fork")
    assert [problem.path for problem in problems] == ["crash.py"]
    assert capfd.readouterr().err == ""


def test_deep_nesting_costs_only_its_statement(tree: Path) -> None:
    (tree / "deep.py").write_text("x = " + "(" * 3000 + "1" + ")" * 3000 + "\n")
    facts, problems = extract_all(tree, found(tree), jobs=2)
    assert len([file for file in facts if file.python is not None]) == 13
    assert [(problem.path, problem.kind) for problem in problems] == [("deep.py", "bound")]


def test_what_is_too_large_is_named(tree: Path) -> None:
    (tree / "big.py").write_text("x = 1\n" * 1000)
    facts, problems = extract_all(tree, found(tree), jobs=1, limits=Limits({"python": 2000}))
    assert [(problem.path, problem.kind) for problem in problems] == [("big.py", "too-large")]
    assert len(facts) == 12
