"""Whole processes measured from outside: wall time, and the peak of the summed PSS of the process and its children."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SAMPLE_SECONDS = 0.05
PROC = Path("/proc")


class Run(NamedTuple):
    """One process: wall time in seconds, peak of the summed PSS in MB (0 where the system tells none), exit code.

    ``processor``: the user time of the process and those it waited for, in seconds.
    """

    seconds: float
    megabytes: float
    code: int
    processor: float = 0.0


class Measured(NamedTuple):
    """Several runs of one command."""

    name: str
    runs: tuple[Run, ...]

    @property
    def seconds(self) -> float:
        return statistics.median(run.seconds for run in self.runs)

    @property
    def processor(self) -> float:
        return statistics.median(run.processor for run in self.runs)

    @property
    def megabytes(self) -> float:
        return max(run.megabytes for run in self.runs)


def run(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], codes: frozenset[int], limit: float = 3600
) -> Run:
    """Run a command to its end; RuntimeError with what it said if it exits with a code that is not of ``codes``."""
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        started = time.perf_counter()
        before = _processor()
        memory = _Memory(process.pid)
        memory.start()
        try:
            _, said = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            raise RuntimeError(f"{' '.join(command)} did not end within {limit:.0f} s") from None
        finally:
            seconds = time.perf_counter() - started
            memory.stop()
    if process.returncode not in codes:
        raise RuntimeError(
            f"{' '.join(command)} exited with {process.returncode}:\n{said.decode(errors='replace')[-4000:]}"
        )
    return Run(seconds, memory.peak / 1024, process.returncode, _processor() - before)


def _processor() -> float:
    """The user time of all processes that were waited for so far, where the system tells it."""
    return os.times().children_user


class _Memory(threading.Thread):
    """Samples the summed PSS, in kB, of a process and all below it."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._pid = pid
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(map(_pss, _family(self._pid))))

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _family(pid: int) -> list[int]:
    found, at = [pid], 0
    while at < len(found):
        for children in sorted((PROC / str(found[at]) / "task").glob("*/children")):
            found.extend(int(child) for child in _read(children).split())
        at += 1
    return found


def _pss(pid: int) -> int:
    for line in _read(PROC / str(pid) / "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _read(path: Path) -> str:
    """A file of /proc, empty if its process is gone or the system has none."""
    try:
        return path.read_text("ascii")
    except OSError:
        return ""


def alternate(contestants: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, Measured]:
    """Measure the contestants in turn, ``rounds`` times: a machine that slows down slows all of them."""
    runs: dict[str, list[Run]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name, contestant in contestants.items():
            runs[name].append(contestant())
            done = runs[name][-1]
            print(
                f"  {name}, run {number + 1}: {done.seconds:.2f} s, {done.megabytes:.0f} MB",
                file=sys.stderr,
                flush=True,
            )
    return {name: Measured(name, tuple(found)) for name, found in runs.items()}
