"""``make bench``: whole processes in the same run, against bandit and semgrep, in medians and ratios.

    python -m tests.bench.speed [--rounds N] [--only CASE ...] [FOLDER ...]

FOLDERs are the projects whose lines make up the case of a million distinct lines; without any it is left out.
``BENCH_DJANGO`` names the ``django/`` folder of an unpacked source distribution; without it one is downloaded.
``BENCH_SERVICE`` names a large service; without it one is cloned at a pinned commit. bandit is of the version that
``constraints.txt`` pins, semgrep is installed beside; ``BENCH_SEMGREP`` names the rules that it is given, else its own
for Python. What cannot be had is left out with a line. At the end stands a table, of what was measured in this run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.bench import editing, grown, material
from tests.bench.material import Missing
from tests.bench.measure import Measured, Run, alternate, run

JOBS = 2
FOUND_OR_NOT = frozenset({0, 1})
CRASHED = 3
CASES = (
    *("start", "django", "warm", "changed", "service", "small", "hook", "numbers", "dearest", "semgrep"),
    *("editor", "grown", "million"),
)
STEPS = (10_000, 100_000, 1_000_000)
BIN = Path(sys.executable).parent
DEAREST = 10
STAGED = 10
NUMBERS = 180_000
SEMGREP = "semgrep==1.185.0"
SEMGREP_RULES = "p/python"


class Row(NamedTuple):
    """A line of the table: what was measured, in which unit, and what is to be reached, None for nothing."""

    what: str
    value: float
    unit: str
    target: float | None

    @property
    def reached(self) -> bool:
        return self.target is None or self.value <= self.target


class Bench:
    """The cases, each a method ``case_NAME`` that prints what it measured."""

    def __init__(self, temp: Path, rounds: int, folders: list[Path]) -> None:
        self.temp, self.rounds, self.folders = temp, rounds, folders
        self.django = temp / "django"
        self.missed: list[str] = []
        self.rows: list[Row] = []

    # -- contestants -----------------------------------------------------------------------------------------------

    def scan(self, folder: Path, *, cold: bool, options: tuple[str, ...] = ("--strict",)) -> Run:
        """``backaudit scan``; cold with an empty cache, else with what the last run left there."""
        if cold:
            self.forget()
        report = ["--format", "sarif", "--output", str(self.temp / "report.sarif"), "--jobs", str(JOBS)]
        command = [str(BIN / "backaudit"), "scan", *options, *report, "."]
        done = run(command, cwd=folder, env=self.environment, codes=FOUND_OR_NOT | {CRASHED})
        if done.code == CRASHED:
            self.missed.append("a run without a crash")
        return done

    @property
    def environment(self) -> dict[str, str]:
        """That of every run: a cache of its own, and modules that are compiled once, as where it is installed."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**kept, "XDG_CACHE_HOME": str(self.temp / "cache")}

    def forget(self) -> None:
        shutil.rmtree(self.temp / "cache", ignore_errors=True)

    def bandit(self, folder: Path) -> Run:
        command = [str(BIN / "bandit"), "-q", "-r", ".", "-f", "json", "-o", str(self.temp / "bandit.json")]
        return run(command, cwd=folder, env=self.environment, codes=FOUND_OR_NOT)

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
        self.versus("django cold", ours, theirs, target=0.75, processor=1.4)
        self.say("django cold, memory", ours.megabytes, 600, "MB")

    def case_warm(self) -> None:
        """Django's package again, nothing changed."""
        self.scan(self._django(), cold=True)
        found = self.alone("warm", lambda: self.scan(self.django, cold=False))
        self.say("django warm", found.seconds, 0.3, "s")
        self.say("django warm, processor time", found.processor, None, "s")

    def case_changed(self) -> None:
        """Django's package again, one file changed before every run."""
        self.scan(self._django(), cold=True)
        path = self.django / "contrib" / "auth" / "models.py"

        def changed() -> Run:
            path.write_text(f"{path.read_text('utf-8')}\n\ndef added_{path.stat().st_size}():\n    return 1\n", "utf-8")
            return self.scan(self.django, cold=False)

        found = self.alone("one file changed", changed)
        self.say("django, one file changed", found.seconds, 0.9, "s")
        self.say("django, one file changed, processor time", found.processor, None, "s")

    def case_service(self) -> None:
        """A service of a quarter of a million lines with its tests, cold, against bandit."""
        ours, theirs = self.against_bandit(material.service(), self.rounds)
        self.versus("service cold", ours, theirs, target=0.6)
        self.say("service cold, memory", ours.megabytes, None, "MB")

    def case_small(self) -> None:
        """A project of fifty files, cold, warm, and with one file changed."""
        folder = material.small(self.temp / "small-project")
        ours, theirs = self.against_bandit(folder, self.rounds)
        self.versus("50 files cold", ours, theirs)
        self.say("50 files cold", ours.seconds, 0.7, "s")
        found = self.alone("warm", lambda: self.scan(folder, cold=False))
        self.say("50 files warm", found.seconds, 0.25, "s")
        path = next(material.python_files(folder))

        def changed() -> Run:
            path.write_text(f"{path.read_text('utf-8')}\n\ndef added_{path.stat().st_size}():\n    return 1\n", "utf-8")
            return self.scan(folder, cold=False)

        found = self.alone("one file changed", changed)
        self.say("50 files, one changed", found.seconds, 0.4, "s")

    def case_hook(self) -> None:
        """The hook on secrets, with ten files staged, cold and warm."""
        folder = material.small(self.temp / "hook")
        who = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
        for arguments in (("init", "-q"), ("add", "--all"), (*who, "commit", "-q", "-m", "all")):
            subprocess.run(["git", *arguments], cwd=folder, check=True, stdin=subprocess.DEVNULL)
        for path in sorted(folder.rglob("*.py"))[:STAGED]:
            path.write_text(f"{path.read_text('utf-8')}\nADDED = 1\n", "utf-8")
        subprocess.run(["git", "add", "--all"], cwd=folder, check=True, stdin=subprocess.DEVNULL)
        hook = ("--staged", "--select", "secrets")
        for name, is_cold, target in (("cold", True, 0.4), ("warm", False, 0.2)):
            found = self.alone(name, lambda: self.scan(folder, cold=is_cold, options=hook))  # noqa: B023
            self.say(f"staged hook, {name}", found.seconds, target, "s")

    def case_numbers(self) -> None:
        """A list of numbers, the text that takes most memory for its size, in one worker."""
        folder = self.temp / "numbers"
        folder.mkdir()
        rows = (
            f"    {', '.join(str(n * 7919 % 100_003) for n in range(row, row + 10))},\n"
            for row in range(0, NUMBERS, 10)
        )
        (folder / "table.py").write_text(f"TABLE = [\n{''.join(rows)}]\n", "utf-8")
        found = self.alone("numbers", lambda: self.scan(folder, cold=True))
        self.say("a list of numbers, memory per MB", found.megabytes / material.megabytes(folder), 300, "MB")

    def case_dearest(self) -> None:
        """The ten dearest rules of each corpus, in processor time, as ``--profile`` tells."""
        corpora = {"django": self._django, "service": material.service}
        for name, corpus in corpora.items():
            with self.where_it_can_be_had():
                folder = corpus()
                print(f"  {name}:")
                for line in self.dearest(folder):
                    print(f"    {line}")

    def dearest(self, folder: Path) -> list[str]:
        """The lines of the dearest rules, the dearest first."""
        report = ["--format", "sarif", "--output", str(self.temp / "report.sarif"), "--jobs", str(JOBS), "--no-cache"]
        command = [str(BIN / "backaudit"), "scan", "--strict", "--fail-on", "never", "--profile", *report, "."]
        done = subprocess.run(command, cwd=folder, env=self.environment, capture_output=True, text=True, check=False)
        told = [line.removeprefix("backaudit:").strip() for line in done.stderr.splitlines()]
        return [line for line in told if line.count(" s  ") == 1 and "/" in line][:DEAREST]

    def case_semgrep(self) -> None:
        """Django's package, against semgrep with its Python rules."""
        program = self._semgrep()
        rules = os.environ.get("BENCH_SEMGREP", SEMGREP_RULES)
        said = ["--quiet", "--json", "--output", str(self.temp / "semgrep.json")]
        command = [str(program), "scan", "--metrics", "off", "--config", rules, *said, "."]
        folder = self._django()
        contestants = {
            "backaudit": lambda: self.scan(folder, cold=True),
            "semgrep": lambda: run(command, cwd=folder, env=self.environment, codes=FOUND_OR_NOT),
        }
        try:
            found = alternate(contestants, self.rounds)
        except RuntimeError as error:
            raise Missing(f"semgrep did not run: {str(error).splitlines()[0][-200:]}") from error
        ours, theirs = found["backaudit"], found["semgrep"]
        self.say("semgrep against backaudit on django, wall (at least 6)", theirs.seconds / ours.seconds, None, "times")

    def _semgrep(self) -> Path:
        """semgrep's program, installed in an environment of its own."""
        place = material.DATA / SEMGREP.replace("==", "-")
        program = place / "bin" / "semgrep"
        if not program.exists():
            material.DATA.mkdir(exist_ok=True)
            python = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            try:
                subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, stdin=subprocess.DEVNULL)
                subprocess.run([*python, SEMGREP], check=True, stdin=subprocess.DEVNULL, capture_output=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise Missing(f"{SEMGREP} cannot be installed") from error
        return program

    @contextlib.contextmanager
    def where_it_can_be_had(self) -> Iterator[None]:
        """What is done here is left out, with a line, where something that it needs cannot be had."""
        try:
            yield
        except Missing as error:
            print(f"  left out: {error}", flush=True)

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

    def versus(
        self, what: str, ours: Measured, theirs: Measured, target: float | None = None, processor: float | None = None
    ) -> None:
        """The ratios of two contestants, run by run: by the clock, and in processor time."""
        for name, one in (("backaudit", ours), ("bandit", theirs)):
            print(
                f"  {what}: {name} {one.seconds:.2f} s, {one.processor:.2f} s of processor time, {one.megabytes:.0f} MB"
            )
        pairs = list(zip(ours.runs, theirs.runs, strict=True))
        self.say(
            f"{what}, wall against bandit's", statistics.median(a.seconds / b.seconds for a, b in pairs), target, ""
        )
        ratio = statistics.median(a.processor / b.processor for a, b in pairs)
        self.say(f"{what}, processor time against bandit's", ratio, processor, "")

    def say(self, what: str, value: float, target: float | None, unit: str) -> None:
        row = Row(what, value, unit, target)
        self.rows.append(row)
        print(f"  {what}: {value:.2f} {unit}".rstrip() + ("" if target is None else f" (to reach: {target:g})"), end="")
        print("" if row.reached else "  MISSED", flush=True)
        if not row.reached:
            self.missed.append(what)

    def table(self) -> Iterator[str]:
        """All that was measured, as it stands in the documentation."""
        yield "| case | measured | to reach |"
        yield "|---|---|---|"
        for row in self.rows:
            target = "" if row.target is None else f"{row.target:g} {row.unit}".rstrip()
            yield (
                f"| {row.what} | {row.value:.2f} {row.unit}".rstrip()
                + f"{'' if row.reached else ', missed'} | {target} |"
            )


def load() -> str:
    """How busy the machine is, where it says so."""
    found = os.getloadavg() if hasattr(os, "getloadavg") else ()
    return f"{os.cpu_count()} processors, load {', '.join(f'{each:.1f}' for each in found) or 'unknown'}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("folders", nargs="*", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="backaudit-bench-") as temp:
        bench = Bench(Path(temp), options.rounds, [folder.resolve() for folder in options.folders])
        print(f"before: {load()}")
        for case in options.only:
            method = getattr(bench, f"case_{case}")
            print(f"{case}: {method.__doc__}", flush=True)
            with bench.where_it_can_be_had():
                method()
        print(f"after: {load()}", *bench.table(), sep="\n")
    print(f"missed: {', '.join(dict.fromkeys(bench.missed))}" if bench.missed else "every figure was reached")
    return 0


if __name__ == "__main__":
    sys.exit(main())
