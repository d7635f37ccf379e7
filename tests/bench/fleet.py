"""``make bench``: many repositories, against a shell loop over `backaudit scan`, and what the engine itself costs.

    python -m tests.bench.fleet [--count N] [--tasks N] [FOLDER]

FOLDER holds repositories to measure on; without it N are made of the fixtures. Both sides clone each repository without
history, begin with empty caches and write SARIF. The target: 1.8 times as many repositories an hour as the loop.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from io import StringIO
from pathlib import Path

import msgspec
import psutil

from backaudit.fleet import sources
from backaudit.fleet.cluster import Cluster, Encryption, connected, embedded
from backaudit.fleet.progress import Progress
from backaudit.fleet.records import Job, Outcome, Source
from backaudit.fleet.run import Fleet, Plan
from backaudit.fleet.store import Store
from tests.bench.measure import Run, run
from tests.fleet.repositories import Dask, from_fixtures, job

JOBS = 2
TARGET = 1.8
BIN = Path(sys.executable).parent
# A loop as anybody would write it.
LOOP = """
for repository in "$1"/*/; do
  git clone -q --depth 1 "file://$repository" "$2/clone"
  "$3" scan --quiet --fail-on never --format sarif --output "$2/$(basename "$repository").sarif" "$2/clone"
  rm -rf "$2/clone"
done
"""


def empty(payload: bytes) -> bytes:
    """A task that does nothing."""
    return msgspec.msgpack.encode(Outcome(status="ok", commit=msgspec.msgpack.decode(payload, type=Job).source.name))


def loop(folder: Path, temp: Path) -> Run:
    """A shell loop."""
    out = temp / "loop"
    out.mkdir()
    env = {**os.environ, "BACKAUDIT_CACHE_DIR": str(temp / "loop-cache")}
    command = ["sh", "-c", LOOP, "sh", str(folder), str(out), str(BIN / "backaudit")]
    return run(command, cwd=temp, env=env, codes=frozenset({0}))


def fleet(folder: Path, temp: Path) -> Run:
    """The fleet, its start and its store included."""
    env = {**os.environ, "BACKAUDIT_CACHE_DIR": str(temp / "fleet-cache")}
    command = [str(BIN / "backaudit"), "fleet", str(folder), "-q", "--store", str(temp / "store"), "-j", str(JOBS)]
    return run(command, cwd=temp, env=env, codes=frozenset({0, 3}))


def handed_out(cluster: Cluster, count: int, temp: Path) -> str:
    """So many tasks that do nothing, from the list to the store: what they took, of the clock and of the processor."""
    several = tuple(Source(name=f"r{number}", url=f"/{number}") for number in range(count))
    plan = Plan(sources=several, job=job(Source(name="", url=""), temp), tool="bench")
    with Store(temp / f"store-{time.monotonic_ns()}", writing=True) as store:
        began, worked = time.perf_counter(), time.process_time()
        Fleet(plan, store, lambda: "now", Progress(StringIO())).run(cluster)
        seconds, processor = time.perf_counter() - began, time.process_time() - worked
    each = f"{1000 * seconds / count:.2f} ms each, {1000 * processor / count:.2f} ms of this process"
    return f"{count:,} empty tasks in {seconds:.1f} s, {each}"


class Peak(threading.Thread):
    """The most resident memory of a process, in MB."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self.first = self.most = self._now()
        self.over = False

    def run(self) -> None:
        while not self.over:
            self.most = max(self.most, self._now())
            time.sleep(0.05)

    def _now(self) -> float:
        return float(self._process.memory_info().rss) / 1e6


def against_the_loop(folder: Path, count: int, temp: Path) -> None:
    """Both over the same repositories, one after the other."""
    ours, theirs = fleet(folder, temp), loop(folder, temp)
    ratio = theirs.seconds / ours.seconds
    for name, found in (("fleet", ours), ("loop", theirs)):
        hourly = f"{3600 * count / found.seconds:,.0f} repositories an hour"
        print(f"  {name}: {count} in {found.seconds:.1f} s, {hourly}; {found.megabytes:.0f} MB at most")
    print(f"  {ratio:.2f} times the loop (target {TARGET}){'' if ratio >= TARGET else ' MISSED'}")


def overhead(count: int, temp: Path) -> None:
    """The engine without any work: in this process, and on a scheduler with two workers."""
    with embedded(JOBS, lambda name: None, task=empty) as cluster:
        print(f"  embedded: {handed_out(cluster, count, temp)}")
    path = os.pathsep.join([str(Path(__file__).resolve().parent.parent.parent), os.environ.get("PYTHONPATH", "")])
    with ExitStack() as stack:
        dask = Dask(temp / "dask", 2, {"PYTHONPATH": path}, stack)
        peak = Peak(dask.scheduler.pid)
        peak.start()
        with connected(dask.address, Encryption(), lambda name: None, task=empty) as cluster:
            while cluster.places < JOBS:
                time.sleep(0.1)
            print(f"  scheduler: {handed_out(cluster, count, temp)}")
        peak.over = True
    print(f"  the scheduler's memory: {peak.first:.0f} MB at its start, {peak.most:.0f} MB at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60, help="repositories made of the fixtures")
    parser.add_argument("--tasks", type=int, default=10_000, help="empty tasks")
    parser.add_argument("folder", nargs="?", type=Path, help="repositories to measure on")
    options = parser.parse_args()
    temp = Path(tempfile.mkdtemp(prefix="backaudit-bench-"))
    try:
        folder = options.folder.resolve() if options.folder else from_fixtures(temp / "repositories", options.count)
        against_the_loop(folder, len(sources.read([str(folder)])), temp)
        overhead(options.tasks, temp)
    finally:
        shutil.rmtree(temp, ignore_errors=True)


if __name__ == "__main__":
    main()
