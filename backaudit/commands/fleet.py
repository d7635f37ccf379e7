"""``fleet``: many repositories, and what is in the store of their runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backaudit.commands import CRASH, INTERRUPTED, OK
from backaudit.commands.common import load_rules, now
from backaudit.console import say, write

if TYPE_CHECKING:
    from backaudit.fleet.cluster import Cluster
    from backaudit.fleet.progress import Progress
    from backaudit.fleet.records import Job
    from backaudit.fleet.run import Fleet, Plan
    from backaudit.fleet.store import Store

# What backaudit[fleet] installs, and what a system without it lacks.
_PACKAGES = ("dask", "distributed", "psutil", "fsspec", "pyarrow")
_POSIX = ("fcntl", "resource")
_GO_ON = "the same command goes on with the rest."


def run(options: dict[str, Any]) -> int:
    """Scan all repositories."""
    with _installed():
        from backaudit.fleet.cluster import SchedulerLost
        from backaudit.fleet.progress import on_standard_error
        from backaudit.fleet.run import Fleet
        from backaudit.fleet.store import Store

        publish = _publishing(options["store"])
    plan = _plan(options)
    progress = on_standard_error(quiet=options["quiet"])
    with Store(options["store"], writing=True) as store:
        fleet = Fleet(plan, store, _time, progress)
        try:
            _worked(fleet, options, progress)
        except KeyboardInterrupt:
            say(f"interrupted: {fleet.said()}; {_GO_ON}")
            return INTERRUPTED
        except SchedulerLost:
            say(f"error: the scheduler is gone: {fleet.said()}; {_GO_ON}")
            return CRASH
        finally:
            publish(store)
    if not options["quiet"]:
        say(f"{fleet.said()}; `backaudit fleet report {options['store']} -o fleet.html` shows them")
    return CRASH if fleet.failures else OK


def report(store: Path, options: dict[str, Any]) -> int:
    """Show what is in a store."""
    with _installed():
        from backaudit.fleet import exporting
        from backaudit.fleet.store import Store
    with Store(store) as opened:
        for target in exporting.targets(options["formats"], options["outputs"]):
            text = exporting.exported(opened, target)
            if target.path is None:
                write(text)
    return OK


def _worked(fleet: Fleet, options: dict[str, Any], progress: Progress) -> None:
    with _cluster(options, progress) as cluster:
        if cluster.dashboard and not options["quiet"]:
            say(f"Dask's own page: {cluster.dashboard}")
        if not cluster.has_workers:
            say("the scheduler has no workers: the run begins when the first one comes")
        fleet.run(cluster)


def _publishing(path: Path) -> Callable[[Store], None]:
    """What is done with the store when a run has ended, however it has."""
    from backaudit.fleet.store import PARQUET

    if path.suffix != PARQUET:
        return lambda store: None
    from backaudit.fleet import parquet

    return parquet.write


def _plan(options: dict[str, Any]) -> Plan:
    """What is asked for, checked before anything begins."""
    from backaudit.fleet import sources
    from backaudit.fleet.run import Plan

    loaded, _ = load_rules()
    found = sources.read(options["sources"])
    return Plan(
        sources=tuple(found),
        job=_job(options, loaded),
        tool=version("backaudit"),
        since_last=options["since_last"],
    )


def _job(options: dict[str, Any], loaded: Any) -> Job:
    """What all tasks have in common."""
    from backaudit.cache import default_folder
    from backaudit.fleet import clones
    from backaudit.fleet.records import Job, Limits, Source
    from backaudit.fleet.stamp import stamp

    chosen: Path = options["clone_cache"] or clones.default_folder(default_folder(os.environ))
    facts: str = options["facts"] or ""
    return Job(
        source=Source(name="", url=""),
        stamp=stamp(loaded.rules),
        day=now().date().isoformat(),
        limits=Limits(seconds=options["seconds"], megabytes=options["memory"], disk=options["disk"]),
        clones=os.path.abspath(chosen),
        facts=facts if "://" in facts or not facts else os.path.abspath(facts),
        policy=_policy(options["policy"], loaded),
        strict=options["strict"],
    )


def _policy(file: Path | None, loaded: Any) -> str:
    """The text of the policy, once it is known to be right."""
    from backaudit.config import check_names
    from backaudit.fleet import policy
    from backaudit.regular import read_named
    from backaudit.rulenames import RuleNames
    from backaudit.usage import UsageError

    if file is None:
        return ""
    try:
        text = read_named(file).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"The policy {file} cannot be read: {reason}.") from error
    check_names(policy.read(text).config, RuleNames(loaded.rules))
    return text


def _cluster(options: dict[str, Any], progress: Progress) -> Cluster:
    from backaudit.fleet import cluster

    if not options["scheduler"]:
        jobs: int = options["jobs"] or os.cpu_count() or 1
        return cluster.embedded(jobs, progress.started, dashboard=options["dashboard"] or "")
    encryption = cluster.Encryption(options["tls_ca"] or "", options["tls_cert"] or "", options["tls_key"] or "")
    return cluster.connected(options["scheduler"], encryption, progress.started, insecure=options["insecure"])


@contextmanager
def _installed() -> Iterator[None]:
    """UsageError, with how to mend it, where what a fleet needs is not there."""
    from backaudit.usage import UsageError

    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in _POSIX:
            raise UsageError("a fleet needs Linux or macOS: there is no fcntl on this system.") from None
        if missing not in _PACKAGES:
            raise
        raise UsageError("a fleet needs more packages: pip install 'backaudit[fleet]'.") from None


def _time() -> str:
    return now().isoformat(timespec="seconds")
