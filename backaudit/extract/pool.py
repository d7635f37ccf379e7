"""Extracts many files in worker processes. A worker that dies or hangs costs only the file it was at.

Workers are fed one small batch at a time and answer file by file, so that the culprit of a death is known: it becomes
a Problem, and the rest of its batch goes to a new worker.
"""

from __future__ import annotations

import faulthandler
import gc
import hashlib
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from backaudit.crash import ENDING
from backaudit.extract import EVERYTHING, extract
from backaudit.facts.files import FileFacts
from backaudit.facts.problem import Problem
from backaudit.source import Limits, fingerprint, read
from backaudit.stamp import folder_stamp, library_stamp

if TYPE_CHECKING:
    from backaudit.cache import Cache
    from backaudit.discover import Found

# Python nests frames per level of an expression; libcst and the lowering need about ten for one.
RECURSION_LIMIT = 12_000
# Bytes of source after which a worker looks for garbage: a tree of the parser takes hundreds of times its text.
COLLECT_AFTER = 1_000_000
# A file that takes longer than this is taken for a hang. No result depends on it but that of the file itself.
HANG_SECONDS = 120.0
# Batches are about this many bytes, so that both workers stay busy to the end and messages stay few; larger ones where
# most of the code is not looked at, so that few files do not start a second worker.
BATCH_BYTES = 96_000
LIGHT_BATCH_BYTES = 384_000

# Whose code and data decide what is extracted, beside the extractors' own.
ASKED = ("facts", "vocabulary", "source.py", "toml.py")
_LIBRARIES = ("backaudit", "bandit", "detect-secrets", "libcst", "msgspec", "ruamel.yaml")
_ENCODER = msgspec.msgpack.Encoder()
_ANSWER = msgspec.msgpack.Decoder(FileFacts)
_PROBLEM = msgspec.msgpack.Decoder(Problem)

Progress = Callable[[int, int], None]


def extract_all(
    root: Path,
    found: Sequence[Found],
    *,
    jobs: int = 0,
    cache: Cache | None = None,
    digests: Mapping[str, bytes] | None = None,
    limits: Limits | None = None,
    wanted: Collection[str] = EVERYTHING,
    start_method: str | None = None,
    progress: Progress | None = None,
    hang_seconds: float = HANG_SECONDS,
) -> tuple[list[FileFacts], list[Problem]]:
    """The facts of all files, sorted by path, and what kept others from being read or analysed.

    ``jobs``: worker processes, 0 for one per processor. The result does not depend on it. ``digests``: of the files'
    bytes, where the caller has them already. ``wanted``: see :func:`backaudit.extract.extract`.
    """
    keys: dict[str, bytes] = {}
    if cache is not None:
        keys = _keys(found, fingerprints(root, found, limits) if digests is None else digests, limits, wanted)
    known = _known(cache, keys)
    todo = [item.path for item in found if item.path not in known]
    problems: list[Problem] = []
    if todo:
        workers = jobs or os.cpu_count() or 1
        pool = _Pool(root, limits or Limits(), frozenset(wanted), workers, start_method, hang_seconds)
        fresh, problems = pool.run(todo, progress)
        known.update((path, _ANSWER.decode(data)) for path, data in fresh.items())
        if cache is not None:
            cache.put_many({keys[path]: data for path, data in fresh.items() if path in keys})
    untracked = {item.path for item in found if not item.tracked}
    facts = [_as_tracked(known[path], path not in untracked) for path in sorted(known)]
    problems += [problem for file in facts for problem in file.problems]
    return facts, sorted(problems)


def _known(cache: Cache | None, keys: Mapping[str, bytes]) -> dict[str, FileFacts]:
    """The facts that were kept from an earlier run."""
    cached = cache.get_many(keys.values()) if cache is not None else {}
    return {path: kept for path, key in keys.items() if (kept := _kept(cached.get(key), path)) is not None}


def _as_tracked(facts: FileFacts, tracked: bool) -> FileFacts:
    return facts if tracked else msgspec.structs.replace(facts, tracked=False)


def fingerprints(root: Path, found: Sequence[Found], limits: Limits | None = None) -> dict[str, bytes]:
    """The digest of each file's bytes; files that cannot be read have none, the worker will say why."""
    limits = limits or Limits()
    digests: dict[str, bytes] = {}
    for item in found:
        try:
            digests[item.path] = fingerprint(root / item.path, limits.of(item.kind))
        except OSError:
            continue
    return digests


def _kept(data: bytes | None, path: str) -> FileFacts | None:
    """The facts that were kept; None if there are none, or they are damaged or of something else."""
    try:
        facts = _ANSWER.decode(data) if data is not None else None
    except (msgspec.MsgspecError, ValueError):
        return None
    return facts if facts is not None and facts.path == path else None


def _keys(
    found: Sequence[Found], digests: Mapping[str, bytes], limits: Limits | None, wanted: Collection[str]
) -> dict[str, bytes]:
    """All that the facts of a file depend on. bandit reads the interpreter's ``ast``, so its version counts too."""
    here = Path(__file__).parent
    stamps = [folder_stamp(str(folder)) for folder in (here, *(here.parent / name for name in ASKED))]
    base = b"\0".join([library_stamp(_LIBRARIES), *stamps, repr((limits, sorted(wanted))).encode()])
    return {
        item.path: hashlib.blake2b(
            b"\0".join((base, digests[item.path], item.path.encode("utf-8", "surrogateescape")))
        ).digest()
        for item in found
        if item.path in digests
    }


class _Worker:
    """A process, its pipe, and what it was given last."""

    def __init__(self, process: BaseProcess, pipe: Connection) -> None:
        self.process = process
        self.pipe = pipe
        self.batch: deque[str] = deque()
        self.since = 0.0


class _Pool:
    def __init__(
        self,
        root: Path,
        limits: Limits,
        wanted: frozenset[str],
        jobs: int,
        start_method: str | None,
        hang_seconds: float,
    ) -> None:
        self._root = root
        self._wanted = wanted
        self._limits = limits
        self._jobs = jobs
        self._context = multiprocessing.get_context(start_method or _start_method())
        self._hang = hang_seconds
        self._answers: dict[str, bytes] = {}
        self._problems: list[Problem] = []
        self._batches: deque[list[str]] = deque()
        self._pipes: list[Connection] = []

    def run(self, paths: Sequence[str], progress: Progress | None) -> tuple[dict[str, bytes], list[Problem]]:
        self._batches.extend(self._cut(paths))
        workers = [self._start() for _ in range(min(self._jobs, len(self._batches)))]
        try:
            while workers:
                workers = self._step(workers)
                if progress is not None:
                    progress(len(self._answers) + len(self._problems), len(paths))
        finally:
            for worker in workers:
                worker.process.kill()
                worker.process.join()
        return self._answers, self._problems

    def _cut(self, paths: Sequence[str]) -> list[list[str]]:
        """Batches of about equal weight, large files first: the last batches then end together."""
        sized = sorted(((_size(self._root / path), path) for path in paths), key=lambda item: (-item[0], item[1]))
        batches: list[list[str]] = []
        full = BATCH_BYTES if "code" in self._wanted else LIGHT_BATCH_BYTES
        weight = 0
        for size, path in sized:
            if not batches or weight + size > full:
                batches.append([])
                weight = 0
            batches[-1].append(path)
            weight += size + 1_000
        return batches

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        # A forked child inherits the pipes of its siblings: unless it closes them, no end of a pipe is ever seen.
        inherited = [*self._pipes, ours] if self._context.get_start_method() == "fork" else []
        arguments = (theirs, self._root, self._limits, self._wanted, inherited)
        process = self._context.Process(target=_work, args=arguments, daemon=True)  # type: ignore[attr-defined]
        with _uninterrupted(), nullcontext() if self._context.get_start_method() == "fork" else _elsewhere():
            process.start()
        theirs.close()
        self._pipes.append(ours)
        worker = _Worker(process, ours)
        self._feed(worker)
        return worker

    def _feed(self, worker: _Worker) -> bool:
        """Give a worker its next batch; False if there is none."""
        if not self._batches:
            return False
        worker.batch = deque(self._batches.popleft())
        worker.since = time.monotonic()
        worker.pipe.send(list(worker.batch))
        return True

    def _step(self, workers: list[_Worker]) -> list[_Worker]:
        ready = wait([worker.pipe for worker in workers], timeout=1.0)
        going: list[_Worker] = []
        for worker in workers:
            if worker.pipe in ready:
                going += self._listen(worker)
            elif time.monotonic() - worker.since > self._hang:
                worker.process.kill()
                going += self._bury(worker, "took too long and was stopped")
            else:
                going.append(worker)
        return going

    def _listen(self, worker: _Worker) -> list[_Worker]:
        try:
            tag, data = worker.pipe.recv_bytes(), worker.pipe.recv_bytes()
        except (EOFError, OSError):
            return self._bury(worker, "made the worker process die")
        path = worker.batch.popleft()
        worker.since = time.monotonic()
        if tag == b"facts":
            self._answers[path] = data
        else:
            self._problems.append(_PROBLEM.decode(data))
        if worker.batch or self._feed(worker):
            return [worker]
        worker.pipe.send(None)
        worker.process.join()
        worker.pipe.close()
        return []

    def _bury(self, worker: _Worker, what: str) -> list[_Worker]:
        """Name the file a worker was lost at, and go on with the rest in a new one."""
        worker.pipe.close()
        worker.process.join()
        path = worker.batch.popleft()
        self._problems.append(Problem(path, "crash", f"The file {what}; the other files were analysed."))
        if worker.batch:
            self._batches.appendleft(list(worker.batch))
        return [self._start()] if self._batches else []


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold signals back while a process is forked: in between, the child would answer them with a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *ENDING})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Stand in the interpreter's own folder while it starts a process: that begins with an import from where it is."""
    try:
        before = os.getcwd()
    except OSError:  # the folder is gone: nothing in it can be imported
        yield
        return
    os.chdir(os.path.dirname(os.__file__))
    try:
        yield
    finally:
        with suppress(OSError):  # it went away meanwhile
            os.chdir(before)


def _work(
    pipe: Connection, root: Path, limits: Limits, wanted: frozenset[str], inherited: Sequence[Connection]
) -> None:
    """A worker's life: batches of paths in, facts or problems out, until told to stop or the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all: the parent ends its workers and says so
    faulthandler.disable()  # whoever waits for us tells of our death, and at which file
    for ending in ENDING:
        signal.signal(ending, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    for other in inherited:
        other.close()
    gc.disable()
    gc.freeze()  # what the parent had before is no garbage of ours, and is not looked through again and again
    sys.setrecursionlimit(RECURSION_LIMIT)
    uncollected = 0
    try:
        while True:
            batch = pipe.recv()
            if batch is None:
                return
            for path in batch:
                tag, data = _one(root, path, limits, wanted)
                pipe.send_bytes(tag)
                pipe.send_bytes(data)
                uncollected += _size(root / path)
                if uncollected > COLLECT_AFTER:
                    gc.collect()
                    uncollected = 0
    except (EOFError, OSError, KeyboardInterrupt):
        return


def _one(root: Path, path: str, limits: Limits, wanted: frozenset[str]) -> tuple[bytes, bytes]:
    source = read(root, path, limits)
    if isinstance(source, Problem):
        return b"problem", _ENCODER.encode(source)
    try:
        return b"facts", _ENCODER.encode(extract(source, wanted=wanted))
    except Exception as error:  # noqa: BLE001  # the one place where an extractor's crash is caught and named
        return b"problem", _ENCODER.encode(Problem(path, "crash", f"An extractor failed: {type(error).__name__}."))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _start_method() -> str:
    # ``fork`` shares what is imported already; elsewhere it is unsafe or absent.
    return "fork" if sys.platform.startswith("linux") else "spawn"
