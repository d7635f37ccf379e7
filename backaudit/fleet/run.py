"""One run: every repository becomes a task, the largest first, and what comes back goes into the store at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from statistics import median

import msgspec

from backaudit.fleet.cluster import RETRIES, Workers
from backaudit.fleet.progress import Progress
from backaudit.fleet.records import Job, Known, Source
from backaudit.fleet.store import DONE, INTERRUPTED, Run, Store
from backaudit.usage import UsageError

# So many tasks for each place are handed over: enough to keep all busy, and little for the scheduler to hold.
AHEAD = 16
_WAIT_SECONDS = 0.5

Clock = Callable[[], str]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a run. ``job`` is what all tasks have in common."""

    sources: tuple[Source, ...]
    job: Job
    tool: str
    since_last: bool = False


class Fleet:
    """Hands out the tasks of a run and keeps what comes back."""

    def __init__(self, plan: Plan, store: Store, clock: Clock, progress: Progress) -> None:
        self._plan, self._store, self._clock, self._progress = plan, store, clock, progress
        self._sources = {source.name: source for source in plan.sources}
        self._attempts = dict.fromkeys(self._sources, 0)
        self._counts: dict[str, int] = {}
        self._waiting: list[str] = []
        self._away = 0

    def run(self, workers: Workers) -> None:
        """Work through all repositories. Whatever ends it, what has come back is in the store."""
        job = self._plan.job
        run = self._store.begin(self._plan.tool, job.stamp, job.policy, len(self._sources), self._clock())
        known = self._store.known(run, since_last=self._plan.since_last)
        self._waiting = [source.name for source in reversed(ordered(self._plan.sources, self._store.durations()))]
        self._progress.begin(len(self._waiting), run.resumed)
        status = INTERRUPTED
        try:
            while self._waiting or self._away:
                self._hand_over(workers, known)
                self._take_back(workers, run)
            status = DONE
        finally:
            self._store.end(run.id, status, self._clock())
            self._progress.end()

    @property
    def failures(self) -> int:
        """How many repositories could not be scanned."""
        return self._counts.get("failed", 0)

    def said(self) -> str:
        """What has become of the repositories."""
        done = sum(self._counts.values())
        parts = [
            f"{self._counts[status]:,} {status}"
            for status in ("unchanged", "empty", "failed")
            if status in self._counts
        ]
        return f"{done:,} of {len(self._sources):,} repositories are in the store" + "".join(
            f", {part}" for part in parts
        )

    def _hand_over(self, workers: Workers, known: dict[str, Known]) -> None:
        most = AHEAD * workers.places if self._waiting else 0
        while self._waiting and self._away < most:
            name = self._waiting.pop()
            self._attempts[name] += 1
            job = msgspec.structs.replace(self._plan.job, source=self._sources[name], known=known.get(name))
            workers.submit(name, msgspec.msgpack.encode(job))
            self._away += 1

    def _take_back(self, workers: Workers, run: Run) -> None:
        done = workers.next(_WAIT_SECONDS)
        self._progress.tick()
        if done is None:
            return
        name, outcome = done
        self._away -= 1
        if outcome.stranger:
            # It would fail at all that is left, and faster than the others scan it.
            raise UsageError(f"the worker {outcome.worker} cannot take part: {outcome.reason}.")
        if outcome.status == "failed" and outcome.passing and self._attempts[name] <= RETRIES:
            self._waiting.append(name)
            return
        self._store.put(run.id, self._sources[name], outcome, self._attempts[name], self._clock())
        self._counts[outcome.status] = self._counts.get(outcome.status, 0) + 1
        self._progress.done(name, outcome)


def ordered(sources: Sequence[Source], durations: dict[str, float]) -> list[Source]:
    """The repositories that take longest first, by their last scan, else by their size; unknown ones in between."""
    sizes = {source.name: float(source.size) for source in sources if source.size}
    pace = _pace(sizes, durations)
    guessed = {name: size * pace for name, size in sizes.items()} | durations
    with suppress(ValueError):
        middle = median(guessed[source.name] for source in sources if source.name in guessed)
        return sorted(sources, key=lambda source: (-guessed.get(source.name, middle), source.name))
    return list(sources)


def _pace(sizes: dict[str, float], durations: dict[str, float]) -> float:
    """Seconds a byte, of the repositories of which both are known."""
    both = [durations[name] / size for name, size in sizes.items() if name in durations]
    return median(both) if both else 1e-6
