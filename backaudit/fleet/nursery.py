"""The process that has the tool and its rules loaded, and forks a child for each repository: started by the keeper.

It reads a line for each task (the folder of the task), answers with the child's process id and then with how it ended.
When its standard input ends, whoever started it is gone: what runs is ended, and what is temporary is cleared away.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import shutil
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import BinaryIO

import msgspec

from backaudit import models, plugins
from backaudit.cache import default_folder
from backaudit.fleet.cache import shared
from backaudit.fleet.records import Job, Outcome
from backaudit.fleet.scanning import outcome
from backaudit.fleet.stamp import stamp
from backaudit.plugins import Loaded

JOB, OUTCOME, SAID, WORK = "job", "outcome", "said", "work"
_STRANGER = "another version of backaudit, of a rule package, of a library or of Python is installed there"
_MEGABYTE = 1 << 20
# What libraries map and never touch, in megabytes.
_MAPPED = 1_000


class Nursery:
    """The rules, loaded once, and the stamp of what is loaded."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._stamp = stamp(loaded.rules)
        self._context = multiprocessing.get_context("fork")

    def serve(self, orders: BinaryIO, answers: BinaryIO) -> None:
        """Take one task after another until there are no more."""
        _answer(answers, self._stamp)
        for line in iter(orders.readline, b""):
            folder = Path(os.fsdecode(line.rstrip(b"\n")))
            child = self._context.Process(target=self._child, args=(folder,), daemon=False)
            child.start()
            _answer(answers, str(child.pid))
            if not _waited(child, orders):
                _end(child)
                shutil.rmtree(folder, ignore_errors=True)
                return
            child.join()
            _answer(answers, str(child.exitcode))

    def _child(self, folder: Path) -> None:
        """One task, in a session and under limits of its own; what came of it is a file."""
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        _redirect(folder / SAID)
        job = msgspec.msgpack.decode((folder / JOB).read_bytes(), type=Job)
        _limit(job.limits.megabytes, job.limits.disk)
        found = self._outcome(job, folder / WORK)
        (folder / f"{OUTCOME}.new").write_bytes(msgspec.msgpack.encode(found))
        os.replace(folder / f"{OUTCOME}.new", folder / OUTCOME)

    def _outcome(self, job: Job, folder: Path) -> Outcome:
        if job.stamp != self._stamp:
            return Outcome(status="failed", reason=_STRANGER, stranger=True)
        folder.mkdir()
        with shared(default_folder(os.environ), job.facts) as cache:
            return outcome(job, self._loaded, cache, folder)


def main() -> None:
    """Serve whoever holds the other ends of our standard input and output."""
    # Both are handed over to the protocol: what a library prints must not get into it.
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _redirect(Path(os.devnull))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # whoever started us says when it is over
    sys.setrecursionlimit(5_000)
    gc.set_threshold(200_000, 20, 20)
    nursery = Nursery(plugins.load())
    _warm_up()
    gc.freeze()
    nursery.serve(orders, answers)


def _warm_up() -> None:
    """Load what every scan needs, so that no child has to."""
    import backaudit.extract.pool
    import backaudit.fix
    import backaudit.project
    import backaudit.report.json
    import backaudit.report.sarif
    import backaudit.survey.compose  # noqa: F401

    models.load()


def _answer(answers: BinaryIO, text: str) -> None:
    answers.write(f"{text}\n".encode())
    answers.flush()


def _waited(child: BaseProcess, orders: BinaryIO) -> bool:
    """Wait until the child has ended; False if whoever wants to know is gone before."""
    return orders.fileno() not in wait([child.sentinel, orders.fileno()])


def _end(child: BaseProcess) -> None:
    with suppress(OSError):
        os.killpg(child.pid or 0, signal.SIGKILL)
    child.kill()
    child.join()


def _redirect(path: Path) -> None:
    """Standard input is empty, and what is said goes to a file."""
    for target, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY | os.O_CREAT), (2, os.O_WRONLY | os.O_CREAT)):
        source = os.open(os.devnull if target == 0 else path, flags, 0o600)
        os.dup2(source, target)
        os.close(source)


def _limit(megabytes: int, disk: int) -> None:
    """The hard end: addresses for twice the memory that the keeper allows, and no file larger than the disk that is."""
    for kind, amount in ((resource.RLIMIT_AS, 2 * megabytes + _MAPPED), (resource.RLIMIT_FSIZE, disk)):
        _, most = resource.getrlimit(kind)
        wanted = amount * _MEGABYTE
        limit = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(kind, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
