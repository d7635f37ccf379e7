"""``make soak``: hundreds of small repositories, made of the fixtures, on two workers of which one is killed.

    python -m tests.bench.many [COUNT]

All of them have to come back, and the reports of a sample to be those of single scans, to the byte, or it exits with 1.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.fleet.repositories import alone, begun, cluster, from_fixtures, reports, stored

COUNT = 300
SAMPLE = 15


def scanned(folder: Path, store: Path, temp: Path) -> int:
    """Scan all of them, and kill a worker when a third is done; the command's exit code."""
    with cluster(temp, workers=2) as dask:
        process = begun(folder, "--store", store, "-q", "--scheduler", dask.address, home=temp)
        third = sum(1 for _ in folder.iterdir()) // 3
        while process.poll() is None and (not store.exists() or len(_stored(store)) < third):
            time.sleep(0.5)
        dask.workers[0].kill()
        _, said = process.communicate()
    print(said, end="")
    return process.returncode


def _stored(store: Path) -> set[str]:
    """What has come back; nothing while the store is only being made."""
    try:
        return set(stored(store))
    except Exception:  # noqa: BLE001  # whatever it is, it is asked again
        return set()


def same(folder: Path, store: Path, temp: Path) -> list[str]:
    """The repositories of the sample whose reports are not those of a single scan."""
    found = reports(store)
    names = sorted(found)[:: max(1, len(found) // SAMPLE)]
    clones = temp / "clones"
    clones.mkdir()
    return [name for name in names if found[name] != alone(folder / name, clones)]


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    temp = Path(tempfile.mkdtemp(prefix="backaudit-soak-"))
    try:
        folder = from_fixtures(temp / "repositories", count)
        store = temp / "store.sqlite3"
        began = time.perf_counter()
        code = scanned(folder, store, temp)
        seconds = time.perf_counter() - began
        lost = [name for name, scan in stored(store).items() if scan["status"] != "ok"]
        differing = same(folder, store, temp)
        well = code == 0 and len(stored(store)) == count and not lost and not differing
        print(f"{count} repositories in {seconds:.0f} s, {3600 * count / seconds:,.0f} an hour; a worker was killed")
        print(f"  exit code {code}, lost: {lost}, differing: {differing}{'' if well else '  FAILED'}")
        return 0 if well else 1
    finally:
        shutil.rmtree(temp, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
