"""``make bench``: whole processes on the same machine in the same run, against bandit, in medians and ratios.

    python -m tests.bench.speed [--rounds N] [--only CASE ...] [FOLDER ...]

FOLDERs are the projects whose lines make up the case of a million distinct lines; without any it is left out.
``BENCH_DJANGO`` names the ``django/`` folder of an unpacked source distribution; without it one is downloaded.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import editing, grown, material
from tests.bench.measure import Measured, Run, alternate, run

JOBS = 2
FOUND_OR_NOT = frozenset({0, 1})
CRASHED = 3
CASES = ("start", "django", "warm", "changed", "small", "editor", "grown", "million")
STEPS = (10_000, 100_000, 1_000_000)
BIN = Path(sys.executable).parent


class Bench:
    """The cases, each a method ``case_NAME`` that prints what it measured."""

    def __init__(self, temp: Path, rounds: int, folders: list[Path]) -> None:
        self.temp, self.rounds, self.folders = temp, rounds, folders
        self.django = temp / "django"
        self.missed: list[str] = []

    # -- contestants -----------------------------------------------------------------------------------------------

    def scan(self, folder: Path, *, cold: bool) -> Run:
        """``backaudit scan --strict``; cold with an empty cache, else with what the last run left there."""
        cache = self.temp / "cache"
        if cold:
            shutil.rmtree(cache, ignore_errors=True)
        report = ["--format", "sarif", "--output", str(self.temp / "report.sarif"), "--jobs", str(JOBS)]
        env = {**os.environ, "XDG_CACHE_HOME": str(cache)}
        command = [str(BIN / "backaudit"), "scan", "--strict", *report, "."]
        done = run(command, cwd=folder, env=env, codes=FOUND_OR_NOT | {CRASHED})
        if done.code == CRASHED:
            self.missed.append("a run without a crash")
        return done

    def bandit(self, folder: Path) -> Run:
        command = [str(BIN / "bandit"), "-q", "-r", ".", "-f", "json", "-o", str(self.temp / "bandit.json")]
        return run(command, cwd=folder, env=os.environ, codes=FOUND_OR_NOT)

    def against_bandit(self, folder: Path, rounds: int) -> tuple[Measured, Measured]:
        """Alternating cold runs of both."""
        contestants = {"backaudit": lambda: self.scan(folder, cold=True), "bandit": lambda: self.bandit(folder)}
        found = alternate(contestants, rounds)
        return found["backaudit"], found["bandit"]

    def alone(self, name: str, contestant: Callable[[], Run]) -> Measured:
        return alternate({name: contestant}, self.rounds)[name]

    # -- cases -----------------------------------------------------------------------------------------------------

    def case_start(self) -> None:
        """Starting up: ``--help`` and ``version``."""
        for argument in ("--help", "version"):
            command = [str(BIN / "backaudit"), argument]
            found = self.alone(argument, lambda: run(command, cwd=self.temp, env=os.environ, codes=frozenset({0})))  # noqa: B023
            self.say(f"backaudit {argument}", found.seconds, 0.15, "s")

    def case_django(self) -> None:
        """Django's package, cold, against bandit."""
        ours, theirs = self.against_bandit(self._django(), self.rounds)
        self.versus("django cold", ours, theirs, target=1.0)
        self.say("django cold, memory", ours.megabytes, 600, "MB")

    def case_warm(self) -> None:
        """Django's package again, nothing changed."""
        self.scan(self._django(), cold=True)
        found = self.alone("warm", lambda: self.scan(self.django, cold=False))
        self.say("django warm", found.seconds, 0.6, "s")

    def case_changed(self) -> None:
        """Django's package again, one file changed before every run."""
        self.scan(self._django(), cold=True)
        path = self.django / "contrib" / "auth" / "models.py"

        def changed() -> Run:
            path.write_text(f"{path.read_text('utf-8')}\n\ndef added_{path.stat().st_size}():\n    return 1\n", "utf-8")
            return self.scan(self.django, cold=False)

        found = self.alone("one file changed", changed)
        self.say("django, one file changed", found.seconds, 1.0, "s")

    def case_small(self) -> None:
        """A project of fifty files, cold and warm."""
        folder = material.small(self.temp)
        ours, theirs = self.against_bandit(folder, self.rounds)
        self.versus("50 files cold", ours, theirs)
        self.say("50 files cold", ours.seconds, 2.0, "s")
        found = self.alone("warm", lambda: self.scan(folder, cold=False))
        self.say("50 files warm", found.seconds, 0.4, "s")

    def case_editor(self) -> None:
        """The language server on 100,000 lines: from what the editor tells to what it is told."""
        folder, count = grown.grown(self.temp, 100_000)
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))
        found = asyncio.run(editing.session(folder, files))
        print(f"  {count:,} lines: {found.first:.1f} s until the first file is answered for the first time")
        for what, seconds in (("a file opened", found.opened), ("a file edited", found.edited)):
            self.say(f"{what}, median", statistics.median(seconds), 1.0, "s")
            self.say(f"{what}, slowest", max(seconds), None, "s")
        self.say("a file saved, until the whole project is told anew", found.saved, None, "s")
        shutil.rmtree(folder)

    def case_grown(self) -> None:
        """A made-up back end whose modules call each other: how the processor time grows with it."""
        pace = []
        for lines in STEPS:
            folder, count = grown.grown(self.temp, lines)
            size = material.megabytes(folder)
            done = self.scan(folder, cold=True)
            pace.append(done.processor / size)
            print(f"  {count:,} lines, {size:.1f} MB: {done.processor:.1f} s of processor time, {pace[-1]:.2f} s/MB")
            shutil.rmtree(folder)
        self.say("processor time per MB, last to first", pace[-1] / pace[0], 1.3, "")

    def case_million(self) -> None:
        """A million distinct lines, and how the time grows on the way there."""
        if not self.folders:
            print("  left out: no folders were given")
            return
        pace = []
        for lines in STEPS:
            folder, count = material.distinct(self.folders, self.temp, lines)
            size = material.megabytes(folder)
            if count < lines:
                print(f"  the folders hold {count:,} distinct lines, fewer than {lines:,}")
            ours, theirs = self.against_bandit(folder, 1)
            pace.append(ours.seconds / size)
            print(f"  {count:,} lines, {size:.1f} MB: {pace[-1]:.2f} s/MB")
            self.versus(f"{count:,} lines cold", ours, theirs)
            self.say(f"{count:,} lines, memory", ours.megabytes, 4096, "MB")
        self.say("time per MB, last to first", pace[-1] / pace[0], 1.3, "")

    def _django(self) -> Path:
        if not self.django.is_dir():
            shutil.copytree(material.django(), self.django)
        return self.django

    # -- saying it -------------------------------------------------------------------------------------------------

    def versus(self, what: str, ours: Measured, theirs: Measured, target: float | None = None) -> None:
        ratios = [a.seconds / b.seconds for a, b in zip(ours.runs, theirs.runs, strict=True)]
        print(f"  {what}: backaudit {ours.seconds:.2f} s {ours.megabytes:.0f} MB, ", end="")
        print(f"bandit {theirs.seconds:.2f} s {theirs.megabytes:.0f} MB")
        self.say(f"{what}, ratio to bandit", statistics.median(ratios), target, "")

    def say(self, what: str, value: float, target: float | None, unit: str) -> None:
        reached = target is None or value <= target
        print(f"  {what}: {value:.2f} {unit}".rstrip() + ("" if target is None else f" (to reach: {target:g})"), end="")
        print("" if reached else "  MISSED", flush=True)
        if not reached:
            self.missed.append(what)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("folders", nargs="*", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="backaudit-bench-") as temp:
        bench = Bench(Path(temp), options.rounds, [folder.resolve() for folder in options.folders])
        for case in options.only:
            method = getattr(bench, f"case_{case}")
            print(f"{case}: {method.__doc__}", flush=True)
            method()
    print(f"missed: {', '.join(dict.fromkeys(bench.missed))}" if bench.missed else "every figure was reached")
    return 0


if __name__ == "__main__":
    sys.exit(main())
