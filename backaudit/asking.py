"""Has the rules asked: in this process, or shared out over forked ones, each with its bound.

A rule is ended after so many steps of the engine, which are the same in every run, whatever was asked before it and
whatever the number of workers. Time ends only what takes none.

The project is linked once; what one family has asked is remembered before the others are shared out, since all build on
it. These are two groups, each with a worker of its own that answers rule by rule: one whose process dies costs itself
alone. What rules build on is found out once a worker, so that more groups would cost more than they gain. Whoever
asked, the answers are put together in the rules' own order.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import TYPE_CHECKING

import msgspec

from backaudit.check import Checked, Overdue, check
from backaudit.facts.problem import Problem
from backaudit.rule import Finding, Rule
from backaudit.times import QueryClock, Times, add

if TYPE_CHECKING:
    from backaudit.project import Project

# The dearest rule takes a thirtieth of them on half a million lines.
STEPS_OF_A_RULE = 20_000_000
# Of processor time, the last resort: the steps take a fifth of it.
SECONDS_OF_A_RULE = 900.0
# Of a worker that says nothing: its own watchdog has failed by then.
SECONDS_OF_SILENCE = 1_800.0
# Below this many functions forking costs more than it gains.
_WORTH_IT = 3_000
# What the families cost on large projects, in shares, beside others that ask alike. The first builds what all ask for.
_COSTS = {"validation": 15, "errors": 8, "passwords": 6, "indexes": 4, "portfolio": 4, "api": 2}
_FIRST = "auth"
# As many whatever the number of workers: what is asked in one process decides nothing, and is still the same.
_GROUPS = 2


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    """What one rule said in a worker; ``bounds``: the searches that were cut short meanwhile."""

    rule: str
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    bounds: tuple[Problem, ...]
    crashed: bool
    seconds: float
    queries: dict[str, float]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Answer)


@contextmanager
def watched(seconds: float = SECONDS_OF_A_RULE) -> Iterator[None]:
    """Raises :class:`Overdue` in what runs for longer than ``seconds`` of processor time, where the system can."""
    able = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not able:
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise Overdue(seconds)

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def limited(project: Project, steps: int = STEPS_OF_A_RULE) -> Iterator[None]:
    """Ends what takes more steps, or for ever."""
    with watched(), project.steps.at_most(steps):
        yield


def ask(
    project: Project, rules: Sequence[Rule], *, jobs: int, reraise: bool = False, times: Times | None = None
) -> Checked:
    """What the rules find; the same whatever ``jobs`` is. ``times`` gets what each rule and query took."""
    times = Times() if times is None else times
    clock = QueryClock()
    project.watch = clock.watch
    try:
        return _asked(project, rules, jobs, clock, times, reraise=reraise)
    finally:
        add(times.queries, clock.taken())


def _asked(
    project: Project, rules: Sequence[Rule], jobs: int, clock: QueryClock, times: Times, *, reraise: bool
) -> Checked:
    shared_out = [family for family in dict.fromkeys(rule.family for rule in rules) if family != _FIRST]
    # One worker is shared out too: there is one way of asking, whatever their number.
    if reraise or len(shared_out) < 2 or not _is_worth_sharing(project):
        return _here(project, rules, times, reraise=reraise)
    first = _here(project, [rule for rule in rules if rule.family == _FIRST], times)
    groups = [[rule for rule in rules if rule.family in families] for families in _grouped(shared_out)]
    add(times.queries, clock.taken())  # before it is inherited by those who count on
    others = _Sharing(project, groups, clock).run(min(max(jobs, 1), len(groups)))
    for name, answer in others.items():
        add(times.rules, {name: answer.seconds})
        add(times.queries, answer.queries)
    return _together(project, rules, first, others)


def _grouped(families: Sequence[str]) -> list[list[str]]:
    """Families in groups that cost about the same, the dearest first."""
    groups: list[list[str]] = [[] for _ in range(min(_GROUPS, len(families)))]
    for family in sorted(families, key=lambda family: (-_cost([family]), family)):
        min(groups, key=_cost).append(family)
    return groups


def _cost(families: Sequence[str]) -> int:
    return sum(_COSTS.get(family, 1) for family in families)


def _is_worth_sharing(project: Project) -> bool:
    """Whether workers can be forked here, and the project is large enough to pay for them."""
    functions = sum(len(file.facts.functions) for file in project.files.values())
    return sys.platform.startswith("linux") and functions >= _WORTH_IT


def _here(project: Project, rules: Sequence[Rule], times: Times, *, reraise: bool = False) -> Checked:
    """Ask the rules one after the other in this process."""
    said: list[Checked] = []
    for rule in rules:
        before = time.process_time()
        said.append(check(project, [rule], reraise=reraise, watch=lambda: limited(project)))
        add(times.rules, {rule.id: time.process_time() - before})
    return Checked(
        tuple(finding for one in said for finding in one.findings),
        tuple(problem for one in said for problem in one.problems),
        frozenset().union(*(one.crashed for one in said)),
    )


def _together(project: Project, rules: Sequence[Rule], first: Checked, others: dict[str, _Answer]) -> Checked:
    findings = [(rule, finding) for rule, finding in first.findings if rule.family == _FIRST]
    problems = list(first.problems)
    crashed = set(first.crashed)
    for rule in rules:
        answer = others.get(rule.id)
        if answer is not None:
            findings += [(rule, finding) for finding in answer.findings]
            problems += answer.problems
            crashed |= {rule.id} if answer.crashed else set()
            project.bounds.update(dict.fromkeys(answer.bounds))
    return Checked(tuple(findings), tuple(problems), frozenset(crashed))


class _Worker:
    def __init__(self, process: BaseProcess, pipe: Connection, rules: list[Rule]) -> None:
        self.process, self.pipe, self.rules = process, pipe, rules


class _Sharing:
    """Groups of rules over forked processes, one process a group."""

    def __init__(self, project: Project, groups: list[list[Rule]], clock: QueryClock) -> None:
        self._project = project
        self._clock = clock
        self._groups = groups
        self._answers: dict[str, _Answer] = {}
        self._context = multiprocessing.get_context("fork")

    def run(self, jobs: int) -> dict[str, _Answer]:
        gc.collect()
        gc.freeze()  # what the children look at only is not copied for the collector's sake
        workers: list[_Worker] = []
        try:
            while workers or self._groups:
                while self._groups and len(workers) < jobs:
                    workers.append(self._start(self._groups.pop(0)))
                workers = self._step(workers)
        finally:
            gc.unfreeze()
            for worker in workers:
                worker.process.kill()
                worker.process.join()
        return self._answers

    def _start(self, rules: list[Rule]) -> _Worker:
        ours, theirs = self._context.Pipe(duplex=False)
        known = (theirs, self._project, rules, self._clock)
        process = self._context.Process(target=_work, args=known, daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours, list(rules))

    def _step(self, workers: list[_Worker]) -> list[_Worker]:
        ready = wait([worker.pipe for worker in workers], timeout=SECONDS_OF_SILENCE)
        if not ready:
            for worker in workers:
                worker.process.kill()
        return [worker for worker in workers if worker.pipe not in ready or self._listen(worker)]

    def _listen(self, worker: _Worker) -> bool:
        """Take one answer; False when the worker has ended."""
        try:
            answer = _DECODER.decode(worker.pipe.recv_bytes())
        except (EOFError, OSError):
            worker.pipe.close()
            worker.process.join()
            if worker.rules:
                self._lose(worker.rules.pop(0), worker.rules)
            return False
        self._answers[answer.rule] = answer
        worker.rules = [rule for rule in worker.rules if rule.id != answer.rule]
        return True

    def _lose(self, rule: Rule, others: list[Rule]) -> None:
        """A rule whose process died: it is named, and those behind it are asked in a new one."""
        problem = Problem("", "crash", f'The rule "{rule.id}" made its process die. Its findings are missing.')
        self._answers[rule.id] = _Answer(rule.id, (), (problem,), (), True, 0.0, {})
        if others:
            self._groups.insert(0, others)


def _work(pipe: Connection, project: Project, rules: list[Rule], clock: QueryClock) -> None:
    """A worker's life: rules in their order, an answer for each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for rule in rules:
            before, started = len(project.bounds), time.process_time()
            said = check(project, [rule], watch=lambda: limited(project))
            findings = tuple(finding for _, finding in said.findings)
            bounds = tuple(project.bounds)[before:]
            seconds = time.process_time() - started
            crashed = bool(said.crashed)
            answer = _Answer(rule.id, findings, said.problems, bounds, crashed, seconds, clock.taken())
            pipe.send_bytes(_ENCODER.encode(answer))
    except (BrokenPipeError, OSError):
        return
