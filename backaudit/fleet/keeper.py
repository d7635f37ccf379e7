"""Who has a repository scanned within its limits: a child that takes too much is ended, and that is said."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock

import msgspec
import psutil

from backaudit.fleet.nursery import JOB, OUTCOME, SAID
from backaudit.fleet.records import Job, Limits, Outcome, failed
from backaudit.gitremote import masked
from backaudit.temporary import temporary_folder

# To look is to walk over all processes of the machine.
_LOOK_SECONDS = 0.5
_START_SECONDS = 120.0
_MEGABYTE = 1_000_000
_LAST_WORDS = 400


class Keeper:
    """A nursery of our own, which is started when it is needed and again when it died."""

    def __init__(self) -> None:
        self._nursery: subprocess.Popen[bytes] | None = None

    def scan(self, job: Job) -> Outcome:
        """What came of one task."""
        with temporary_folder("fleet") as name:
            folder = Path(name)
            (folder / JOB).write_bytes(msgspec.msgpack.encode(job))
            try:
                return self._kept(folder, job.limits)
            except (OSError, ValueError, EOFError):
                self.close()
                return failed("The process that scans died.", passing=True)

    def dismiss(self) -> None:
        """Tell the nursery that it is over; it ends what it runs. Another thread may wait for that."""
        nursery = self._nursery
        if nursery is not None and nursery.stdin is not None:
            with suppress(OSError):
                nursery.stdin.close()

    def close(self) -> None:
        """End the nursery, and with it what it runs."""
        self.dismiss()
        nursery, self._nursery = self._nursery, None
        if nursery is None:
            return
        try:
            nursery.wait(timeout=10.0)
        except subprocess.TimeoutExpired:
            nursery.kill()
            nursery.wait()
        if nursery.stdout is not None:
            nursery.stdout.close()

    def _kept(self, folder: Path, limits: Limits) -> Outcome:
        nursery = self._ready()
        assert nursery.stdin is not None
        nursery.stdin.write(os.fsencode(folder) + b"\n")
        nursery.stdin.flush()
        watch = _Watch(int(self._line(_START_SECONDS)), limits)
        while not self._has_said(_LOOK_SECONDS):
            watch.look()
        code = int(self._line(_LOOK_SECONDS))
        return watch.judged(code, folder)

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._nursery is None or self._nursery.poll() is not None:
            self._nursery = subprocess.Popen(
                [sys.executable, "-I", "-m", "backaudit.fleet.nursery"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
            self._line(_START_SECONDS)  # its stamp: it is ready
        return self._nursery

    def _has_said(self, seconds: float) -> bool:
        assert self._nursery is not None
        assert self._nursery.stdout is not None
        return bool(select.select([self._nursery.stdout], [], [], seconds)[0])

    def _line(self, seconds: float) -> bytes:
        assert self._nursery is not None
        assert self._nursery.stdout is not None
        if not self._has_said(seconds):
            raise EOFError
        line = self._nursery.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return line


class _Watch:
    """One child: how long it runs, and how much memory it and those that it started hold."""

    def __init__(self, pid: int, limits: Limits) -> None:
        self._pid = pid
        self._limits = limits
        self._began = time.monotonic()
        self._most = 0
        self._over = ""

    def look(self) -> None:
        """End the child if it is over a limit."""
        self._most = max(self._most, _memory(self._pid))
        if time.monotonic() - self._began > self._limits.seconds:
            self._over = f"It took longer than {self._limits.seconds:g} seconds and was ended."
        elif self._most > self._limits.megabytes * _MEGABYTE:
            self._over = f"It took more than {self._limits.megabytes:,} MB of memory and was ended."
        if self._over:
            _end(self._pid)

    def judged(self, code: int, folder: Path) -> Outcome:
        """What the child has left."""
        _end(self._pid)  # what it may have started and not ended
        if self._over:
            taken = time.monotonic() - self._began
            return msgspec.structs.replace(failed(self._over), seconds=taken, megabytes=self._most // _MEGABYTE)
        try:
            found = msgspec.msgpack.decode((folder / OUTCOME).read_bytes(), type=Outcome)
        except (OSError, msgspec.MsgspecError):
            return _died(code, folder)
        return msgspec.structs.replace(found, megabytes=self._most // _MEGABYTE)


class Keepers:
    """The keepers of this process: a task takes one that is free."""

    def __init__(self) -> None:
        self._free: list[Keeper] = []
        self._busy: list[Keeper] = []
        self._lock = Lock()

    def scan(self, job: Job) -> Outcome:
        """What came of one task."""
        with self._lock:
            keeper = self._free.pop() if self._free else Keeper()
            self._busy.append(keeper)
        try:
            return keeper.scan(job)
        finally:
            with self._lock:
                self._busy.remove(keeper)
                self._free.append(keeper)

    def close(self) -> None:
        """End all of them; what is scanned meanwhile comes back as failed."""
        with self._lock:
            free, self._free = self._free, []
            busy = list(self._busy)
        for keeper in busy:
            keeper.dismiss()
        for keeper in free:
            keeper.close()


def _memory(pid: int) -> int:
    """The resident memory of a process and of all that it started, what they share counted once for each."""
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total += one.memory_info().rss
    return total


def _end(pid: int) -> None:
    """End a child's whole session; it is gone already if nothing of it is left."""
    with suppress(OSError):
        os.killpg(pid, signal.SIGKILL)


def _died(code: int, folder: Path) -> Outcome:
    """A child that has left nothing was killed by somebody else, or has crashed: the last line that it said is why."""
    if code < 0:
        return failed(f"The process that scans was ended by signal {-code}.", passing=True)
    said = ""
    with suppress(OSError):
        lines = (folder / SAID).read_bytes()[-10_000:].decode("utf-8", "replace").strip().splitlines()
        said = masked(lines[-1])[:_LAST_WORDS] if lines else ""
    if said.startswith("MemoryError"):
        return failed("It took more memory than it may.")
    return failed(f"The process that scans failed: {said or f'it ended with {code}'}")
