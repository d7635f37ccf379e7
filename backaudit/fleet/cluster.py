"""Dask, and nothing else of ours: where the tasks are run, in this process or on the workers of a scheduler.

What is sent is bytes, and a function that the workers have installed themselves.
"""

from __future__ import annotations

import ipaddress
import logging
import queue
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import urlopen
from uuid import uuid4

import dask
import msgspec
from distributed import Client, Future, LocalCluster, Security, get_worker
from distributed.scheduler import KilledWorker

from backaudit.fleet.keeper import Keepers
from backaudit.fleet.records import Job, Outcome, failed
from backaudit.gitremote import masked
from backaudit.usage import UsageError

STARTED = "backaudit-started"
# What is lost when a worker dies is tried so often again.
RETRIES = 2
_CONNECT_SECONDS = 20.0
_PAGE_SECONDS = 3.0
# Workers come and go; how many there are is asked as often.
_COUNT_SECONDS = 2.0
# Dask listens for its own pages in any case: where nobody shows them, to this machine alone.
_NOWHERE = "127.0.0.1:0"
# A connection that is not there for so long is not coming back.
_LOST_SECONDS = 10.0
_KEEPERS = Keepers()

Started = Callable[[str], None]
Task = Callable[[bytes], bytes]


class SchedulerLost(Exception):
    """The scheduler is gone: nothing that it was given will come back."""


class Encryption(msgspec.Struct, frozen=True):
    """The files of TLS, as Dask names them; empty: what Dask's own configuration says."""

    authority: str = ""
    certificate: str = ""
    key: str = ""

    def security(self) -> Security:
        """Dask's own form of it; UsageError where a file is not there, or no certificate."""
        given = {"tls_ca_file": self.authority, "tls_client_cert": self.certificate, "tls_client_key": self.key}
        said = {name: file for name, file in given.items() if file}
        found = Security(**said, require_encryption=True) if said else Security()
        try:
            found.get_connection_args("client")
        except (OSError, ValueError) as error:
            raise UsageError(f"The files of TLS cannot be used: {error}.") from error
        return found


class Workers(Protocol):
    """Who does the tasks: they are handed over, and come back in any order."""

    @property
    def places(self) -> int:
        """How many tasks are worked on at once."""

    def submit(self, name: str, job: bytes) -> None:
        """Hand over a task under a name that is not handed over yet."""

    def next(self, seconds: float) -> tuple[str, Outcome] | None:
        """A task that is done, None if there is none for so long; :class:`SchedulerLost` if none will be."""


class Cluster:
    """The workers of a scheduler, or a cluster in this process."""

    def __init__(
        self, client: Client, started: Started, task: Task, local: LocalCluster | None = None, *, is_shown: bool = True
    ) -> None:
        self._client, self._local, self._task = client, local, task
        self._is_shown = is_shown
        self._done: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        self._futures: dict[str, Future[Any]] = {}
        self._outcomes: deque[tuple[str, Outcome]] = deque()
        self._away = 0.0
        # Others may give the same names to the same scheduler.
        self._token, self._round = uuid4().hex[:12], 0
        self._places, self._counted = 1, -_COUNT_SECONDS
        self._started = started
        client.subscribe_topic(STARTED, self._heard)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._client.unsubscribe_topic(STARTED)
        _KEEPERS.close()
        self._client.close(timeout=2.0)
        if self._local is not None:
            self._local.close(timeout=5.0)

    @property
    def places(self) -> int:
        if time.monotonic() - self._counted > _COUNT_SECONDS:
            self._places = max(1, sum(self._threads().values()))
            self._counted = time.monotonic()
        return self._places

    @property
    def has_workers(self) -> bool:
        """Whether anybody is there to do the tasks; they may come later."""
        return bool(self._threads())

    def _threads(self) -> Mapping[str, int]:
        found: Mapping[str, int] = self._client.nthreads()
        return found

    @property
    def dashboard(self) -> str:
        """The address of Dask's own page, empty where it does not run."""
        link = str(self._client.dashboard_link or "") if self._is_shown else ""
        return link if link and _is_served(link) else ""

    def submit(self, name: str, job: bytes) -> None:
        self._round += 1
        future = self._client.submit(self._task, job, key=f"{name}#{self._token}-{self._round}", pure=False, retries=0)
        self._futures[str(future.key)] = future
        future.add_done_callback(self._done.put)

    def _heard(self, event: tuple[Any, Any]) -> None:
        """A worker has begun with a task, of ours or of somebody else's."""
        name, _, round = str(event[1]).rpartition("#")
        if round.startswith(self._token):
            self._started(name)

    def next(self, seconds: float) -> tuple[str, Outcome] | None:
        if not self._outcomes:
            self._collect(seconds)
        return self._outcomes.popleft() if self._outcomes else None

    def _collect(self, seconds: float) -> None:
        """Bring here what is done by now, all of it at once: to ask for each is a way of its own."""
        done: list[Future[bytes]] = []
        try:
            done.append(self._done.get(timeout=seconds))
            while True:
                done.append(self._done.get_nowait())
        except queue.Empty:
            pass
        if not done:
            self._check()
            return
        if any(future.status in ("cancelled", "lost") for future in done):
            raise SchedulerLost
        sound = [future for future in done if future.status == "finished"]
        for future, answer in zip(sound, self._gathered(sound), strict=True):
            self._came(future, msgspec.msgpack.decode(answer, type=Outcome))
        for future in done:
            if future.status == "error":
                self._came(future, _failure(future.exception()))

    def _gathered(self, futures: list[Future[bytes]]) -> list[bytes]:
        try:
            return list(self._client.gather(futures)) if futures else []
        except (CancelledError, OSError) as error:
            raise SchedulerLost from error

    def _came(self, future: Future[bytes], outcome: Outcome) -> None:
        self._futures.pop(str(future.key))
        self._outcomes.append((str(future.key).rpartition("#")[0], outcome))
        future.release()

    def _check(self) -> None:
        """A connection that does not come back is lost; one that does has lost nothing."""
        if self._client.status == "running":
            self._away = 0.0
            return
        self._away = self._away or time.monotonic()
        if self._client.status == "closed" or time.monotonic() - self._away > _LOST_SECONDS:
            raise SchedulerLost


def work(job: bytes) -> bytes:
    """One task, as a worker does it."""
    known = msgspec.msgpack.decode(job, type=Job)
    worker = get_worker()
    worker.log_event(STARTED, str(worker.get_current_task()))
    found = _KEEPERS.scan(known)
    return msgspec.msgpack.encode(msgspec.structs.replace(found, worker=str(worker.name)))


def embedded(jobs: int, started: Started, *, dashboard: str = "", task: Task = work) -> Cluster:
    """A cluster in this process: the scans are processes of their own, and need no more of it than a thread each."""
    _quiet()
    if not dashboard:
        dask.config.set({"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []})
    local = LocalCluster(
        n_workers=1,
        threads_per_worker=jobs,
        processes=False,
        memory_limit=0,
        dashboard_address=dashboard or _NOWHERE,
        worker_dashboard_address=_NOWHERE,
        silence_logs=logging.CRITICAL,
    )
    return Cluster(Client(local, set_as_default=False), started, task, local, is_shown=bool(dashboard))


def connected(
    address: str, encryption: Encryption, started: Started, *, insecure: bool = False, task: Task = work
) -> Cluster:
    """The workers of a scheduler elsewhere; UsageError where it cannot be reached, or may not be in the clear."""
    _quiet()
    _check_address(address, insecure)
    security = encryption.security()
    if address.startswith("tls://") and security.get_connection_args("client")["ssl_context"] is None:
        raise UsageError("tls:// wants --tls-ca, --tls-cert and --tls-key, or Dask's own configuration of them.")
    try:
        client = Client(address, security=security, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"The scheduler at {masked(address)} cannot be reached: {_first_line(error)}") from error
    return Cluster(client, started, task)


def _failure(error: BaseException | None) -> Outcome:
    """What became of a task whose worker is no more, or could not do it at all."""
    if isinstance(error, KilledWorker):
        return failed(f"The worker died with it, {error.allowed_failures + 1} times.")
    return failed(f"The worker failed: {masked(_first_line(error))}", passing=True)


def _is_served(link: str) -> bool:
    """Whether there is such a page: a scheduler names the address of its own even where it has none."""
    try:
        with urlopen(link, timeout=_PAGE_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def _check_address(address: str, insecure: bool) -> None:
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname:
        raise UsageError("--scheduler wants the address of a Dask scheduler: tcp://HOST:PORT, or tls://HOST:PORT.")
    if parts.scheme == "tls" or insecure:
        return
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port)
    except OSError as error:
        raise UsageError(f"The scheduler's host {parts.hostname} is not known: {error.strerror}.") from error
    public = [str(one[4][0]) for one in found if not ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_private]
    if public:
        raise UsageError(
            f"{address} is a public address ({public[0]}), and tcp:// is neither encrypted nor asks who is there: "
            "whoever reaches the scheduler runs code on its workers. Use tls:// with --tls-ca, --tls-cert and "
            "--tls-key, or say --insecure."
        )


def _quiet() -> None:
    """What Dask says of its own affairs is not for whoever reads ours; a death costs a task as often as we say."""
    dasks = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    for name in (*dasks, "tornado", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [logging.NullHandler()], False
    dask.config.set({"distributed.scheduler.allowed-failures": RETRIES, "distributed.comm.timeouts.connect": "10s"})


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return f"{lines[0].rstrip('.') if lines else type(error).__name__}."
