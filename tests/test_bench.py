"""The measuring itself: what make bench prints is only as good as this."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest

from tests.bench import grown, material, measure, speed, trials

ANY = frozenset({0, 1})
HOLD = "import sys, time; data = bytearray(60_000_000); data[::4096] = b'x' * len(data[::4096]); time.sleep(0.6)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])"


def measured(code: str, tmp_path: Path, codes: frozenset[int] = ANY) -> measure.Run:
    return measure.run([sys.executable, "-c", code], cwd=tmp_path, env=os.environ, codes=codes, limit=60)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="the system tells no PSS")
def test_the_memory_of_children_counts(tmp_path: Path) -> None:
    assert measured(PARENT, tmp_path).megabytes > 57


def test_a_process_that_fails_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"exited with 3(.|\n)*no luck"):
        measured("import sys; print('no luck', file=sys.stderr); sys.exit(3)", tmp_path)


def test_a_process_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="did not end"):
        measure.run(
            [sys.executable, "-c", "import time; time.sleep(600)"], cwd=tmp_path, env=os.environ, codes=ANY, limit=0.2
        )


def test_contestants_take_turns() -> None:
    order: list[str] = []

    def contestant(name: str, seconds: float) -> measure.Run:
        order.append(name)
        return measure.Run(seconds + len(order), 10 * seconds, 0)

    found = measure.alternate({"a": lambda: contestant("a", 1), "b": lambda: contestant("b", 2)}, 3)
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert (found["a"].seconds, found["a"].megabytes) == (1 + 3, 10)


def test_the_small_project_has_fifty_files(tmp_path: Path) -> None:
    assert len(list(material.python_files(material.small(tmp_path)))) >= material.SMALL_FILES


def test_lines_are_counted_once_and_to_the_number_wanted(tmp_path: Path) -> None:
    for project in ("one", "two"):
        for name in ("same.py", "twin.py"):
            path = tmp_path / project / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("x = 1\n" * 10, "utf-8")
    (tmp_path / "two" / "other.py").write_text("y = 1\n" * 10, "utf-8")
    folder, count = material.distinct([tmp_path / "one", tmp_path / "two"], tmp_path / "out", 100)
    assert (count, sorted(path.name for path in material.python_files(folder))) == (20, ["other.py", "same.py"])
    _, fewer = material.distinct([tmp_path / "one", tmp_path / "two"], tmp_path / "out", 5)
    assert fewer == 10


def test_the_grown_back_end_is_python_and_as_long_as_was_asked(tmp_path: Path) -> None:
    folder, lines = grown.grown(tmp_path, 2_000)
    texts = [path.read_text("utf-8") for path in material.python_files(folder)]
    assert 2_000 <= lines == sum(text.count("\n") for text in texts) < 2_300
    assert [compile(text, "module", "exec") is None for text in texts if text].count(True) == 0


def test_mutations_are_those_of_their_seed(tmp_path: Path) -> None:
    data = Path(__file__).read_bytes()
    first, again, other = (trials.mutated(data, random.Random(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first not in (data, other)


def test_mutated_files_are_no_crash() -> None:
    assert trials.fuzz(seed=20, count=300)


def test_a_crash_of_the_bulk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    assert trials.bulk([tmp_path], seed=1, count=0)
    monkeypatch.setattr(trials, "scanned", lambda folder, paths, loaded: [(path, "crash") for path in paths])
    assert not trials.bulk([tmp_path], seed=1, count=0)
    assert "CRASH a.py" in capsys.readouterr().out


def test_foreign_code_is_drawn_by_a_seed_and_each_content_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8):
        (tmp_path / f"a{number}.py").write_text(f"x = {number % 4}\n")
    drawn: list[list[str]] = []

    def scanned(folder: Path, paths: list[str], loaded: object) -> list[tuple[str, str]]:
        drawn.append(paths)
        return []

    monkeypatch.setattr(trials, "scanned", scanned)
    for seed, count in ((1, 2), (1, 2), (1, 0)):
        trials.bulk([tmp_path], seed, count)
    first, again, everything = drawn
    assert first == again
    assert len(first) == 2
    assert everything == ["a0.py", "a1.py", "a2.py", "a3.py"]


def test_what_was_measured_is_a_table_that_says_what_was_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = speed.Bench(tmp_path, 1, [])
    bench.say("one file changed", 1.25, 0.9, "s")
    bench.say("ratio", 0.5, 1.4, "")
    assert list(bench.table())[2:] == ["| one file changed | 1.25 s, missed | 0.9 s |", "| ratio | 0.50 | 1.4 |"]
    assert bench.missed == ["one file changed"]
    assert "MISSED" in capsys.readouterr().out


def test_what_cannot_be_had_is_left_out_with_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def service() -> None:
        raise material.Missing("no such service")

    with speed.Bench(tmp_path, 1, []).where_it_can_be_had():
        service()
    assert capsys.readouterr().out == "  left out: no such service\n"


def test_the_dearest_rules_are_those_that_the_profile_tells(tmp_path: Path) -> None:
    lines = speed.Bench(tmp_path, 1, []).dearest(material.ROOT / "fixtures" / "apps" / "flask")
    assert 0 < len(lines) <= 10
    assert all(line.split()[1] == "s" and line.count("/") == 1 for line in lines)


def test_both_contestants_are_compared_by_clock_and_processor(tmp_path: Path) -> None:
    bench = speed.Bench(tmp_path, 2, [])
    ours = measure.Measured("ours", (measure.Run(2, 1, 0, 6), measure.Run(4, 1, 0, 8)))
    theirs = measure.Measured("theirs", (measure.Run(4, 1, 0, 3), measure.Run(4, 1, 0, 4)))
    bench.versus("case", ours, theirs, target=0.5, processor=1.4)
    assert [(row.value, row.reached) for row in bench.rows] == [(0.75, False), (2, False)]
