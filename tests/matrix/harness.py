"""Scans programs in this process, many of them: what each rule reports, and what that says of a row."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import NamedTuple

from backaudit import check, models, plugins
from backaudit.extract import extract
from backaudit.plugins import Loaded
from backaudit.project import link
from backaudit.rule import Rule
from backaudit.source import Source, decode
from tests.matrix.compose import MISTAKE, Program, Row, programs

_CODE = frozenset({"code"})
_CHUNK = 20


class Answer(NamedTuple):
    """Whether the rule in question reported on a program, and whether a default scan shows it."""

    row: Row
    variant: str
    rule: str
    reported: bool
    shown: bool

    @property
    def is_mistake(self) -> bool:
        return self.variant == MISTAKE

    @property
    def name(self) -> str:
        return f"{self.row} × {self.variant}"

    @property
    def verdict(self) -> str:
        """``missed``: a mistake that is not reported; ``wrong``: a careful twin that is; else nothing."""
        if self.is_mistake:
            return "" if self.reported else "missed"
        return "wrong" if self.reported else ""


@cache
def loaded() -> Loaded:
    """All rules, once for a process."""
    return plugins.load(reraise=True)


@cache
def _rules() -> dict[str, Rule]:
    return {rule.id: rule for rule in loaded().rules}


@cache
def _known() -> models.Models:
    return models.load()


def ask(program: Program, rules: Sequence[Rule]) -> list[tuple[str, bool]]:
    """The rules that report on a program, and whether each is shown by default."""
    facts = [extract(_source(path, text), wanted=_CODE) for path, text in sorted(program.files.items())]
    unread = [problem for file in facts for problem in file.problems]
    assert not unread, (program.name, unread)
    project = link(facts, _known().knowledge, _known())
    checked = check.check(project, rules, reraise=True)
    return [
        (rule.id, (finding.shown or rule.shown) == "core" and finding.confidence != "low")
        for rule, finding in checked.findings
    ]


def answer(program: Program) -> Answer:
    """What the rule of its scenario says of a program."""
    said = ask(program, [_rules()[program.rule]])
    return Answer(program.row, program.variant, program.rule, bool(said), any(shown for _, shown in said))


def answers(rows: Iterable[Row], jobs: int = 0) -> list[Answer]:
    """The answers for all programs of these rows, in their order, from several processes."""
    wanted = list(rows)
    chunks = [wanted[at : at + _CHUNK] for at in range(0, len(wanted), _CHUNK)]
    workers = jobs or os.cpu_count() or 1
    if workers == 1 or len(chunks) < 2:
        return [found for chunk in chunks for found in _chunk(chunk)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return [found for part in pool.map(_chunk, chunks) for found in part]


def _chunk(rows: Sequence[Row]) -> list[Answer]:
    return list(_answers(rows))


def _answers(rows: Iterable[Row]) -> Iterator[Answer]:
    for row in rows:
        for program in programs(row):
            yield answer(program)


def _source(path: str, text: str) -> Source:
    source = decode(path, text.encode())
    assert isinstance(source, Source), source
    return source
