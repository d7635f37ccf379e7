"""The record of the last whole run: which programs failed. docs/coverage.md is made from it; tests hold both true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.matrix.compose import MISTAKE, Row
from tests.matrix.harness import Answer
from tests.matrix.pairs import rows
from tests.matrix.pieces import Variant, pieces
from tests.matrix.table import DOCUMENT, RECORD, document, failing


def save(answers: list[Answer]) -> None:
    """Write the record and the page of a whole run."""
    RECORD.write_text("".join(f"{line}\n" for line in sorted(failing(answers))), encoding="utf-8")
    DOCUMENT.write_text(document(answers), encoding="utf-8")


def recorded() -> list[Answer]:
    """The answers that the record tells of, for every program there is; ``shown`` is not kept."""
    lines = RECORD.read_text("utf-8").splitlines()
    return list(_answers(set(lines), rows()))


def _answers(failed: set[str], wanted: Iterable[Row]) -> Iterator[Answer]:
    for row in wanted:
        scenario = pieces().scenarios[row.scenario]
        variants: dict[str, Variant] = {MISTAKE: scenario.mistake, **scenario.twins}
        for name in variants:
            as_it_should = Answer(row, name, scenario.rule, name == MISTAKE, False)
            otherwise = as_it_should._replace(reported=not as_it_should.reported)
            yield otherwise if failing([otherwise])[0] in failed else as_it_should
