"""The matrix of generated programs: they are sound, cover what they say, and docs/coverage.md tells how they fare."""

from __future__ import annotations

import ast
from functools import cache
from itertools import combinations

import pytest

from tests.matrix import table
from tests.matrix.compose import MISTAKE, Program, Row, programs, verbs_of
from tests.matrix.harness import answers, loaded
from tests.matrix.pairs import rows, triples, unreachable
from tests.matrix.pieces import pieces
from tests.matrix.record import recorded
from tests.matrix.sense import FACTORS, reasons, values
from tests.matrix.slots import UnknownSlot, fill

# Of so many rows one is scanned by `make test`; `make matrix` scans them all.
SAMPLE = 6
PARTS = 8


@cache
def every_program() -> tuple[Program, ...]:
    return tuple(program for row in rows() for program in programs(row))


def test_slots_keep_the_margin_and_take_empty_lines_away() -> None:
    assert fill("if x:\n    $body\n    $none\n", {"body": "a\nb", "none": ""}) == "if x:\n    a\n    b\n"
    assert fill("${word}s", {"word": "note"}) == "notes"
    with pytest.raises(UnknownSlot):
        fill("$nothing", {})
    with pytest.raises(UnknownSlot):
        fill("x = $two", {"two": "a\nb"})


def test_every_sensible_pair_of_pieces_stands_in_a_program() -> None:
    held = {pair for row in rows() for pair in combinations(zip(FACTORS, row, strict=True), 2)}
    assert held.isdisjoint(reasons())
    for one, other in combinations(FACTORS, 2):
        wanted = {((one, x), (other, y)) for x in values(one) for y in values(other)}
        assert wanted - held - set(reasons()) == {pair for pair in unreachable() if pair in wanted}


def test_the_choice_of_programs_does_not_change() -> None:
    assert triples(20) == triples(20)
    assert len({*rows(), *triples(20)}) == len(rows()) + 20


def test_every_program_is_python() -> None:
    for program in every_program():
        for path, text in program.files.items():
            ast.parse(text, filename=f"{program.name}: {path}")


def test_a_twin_is_another_program_than_the_mistake() -> None:
    for row in rows()[::10]:
        made = programs(row)
        assert len({str(program.files) for program in made}) == len(made) > 1


def test_a_store_writes_every_verb_or_its_lack_is_told() -> None:
    for name, store in pieces().stores.items():
        assert set(store.verbs) <= set(pieces().verbs), name
        for scenario in values("scenario"):
            asked = verbs_of(pieces().scenarios[scenario])
            if store.verbs and not asked <= set(store.verbs):
                assert (("scenario", scenario), ("store", name)) in reasons()


def test_every_rule_of_the_matrix_is_there() -> None:
    known = {rule.id for rule in loaded().rules}
    assert {scenario.rule for scenario in pieces().scenarios.values()} <= known


def test_the_page_is_what_the_record_says() -> None:
    assert table.DOCUMENT.read_text("utf-8") == table.document(recorded()), "run `make matrix`"


@pytest.mark.parametrize("part", range(PARTS))
def test_the_record_is_what_a_scan_says(part: int) -> None:
    sample: list[Row] = list(rows()[::SAMPLE])[part::PARTS]
    wanted = {answer.name: answer.reported for answer in recorded() if answer.row in set(sample)}
    found = {answer.name: answer.reported for answer in answers(sample, jobs=1)}
    changed = [name for name in wanted if wanted[name] != found[name]]
    assert changed == [], "run `make matrix`"


def test_most_mistakes_are_found_and_hardly_a_twin_is_reported() -> None:
    known = recorded()
    mistakes = [answer for answer in known if answer.variant == MISTAKE]
    wrong = [answer.name for answer in known if answer.verdict == "wrong"]
    assert sum(answer.reported for answer in mistakes) >= 0.7 * len(mistakes)
    assert len(wrong) <= 0.01 * len(known)
