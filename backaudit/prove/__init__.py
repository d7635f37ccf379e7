"""Findings put to a real planner: each claim's tables are made and filled, its query explained twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from backaudit.facts.plans import Claim, Proof
from backaudit.facts.problem import Problem
from backaudit.issue import Issue, Report
from backaudit.prove.trials import Refused, Trials
from backaudit.sql import is_single_query

# What an index must save to be worth its writes: half of the cost, or two thirds of the pages.
_COST = 2.0
_PAGES = 3.0


class Proved(NamedTuple):
    """A report with what the planner said, and how many findings it contradicted."""

    report: Report
    withdrawn: int


def prove(report: Report, trials: Trials, progress: Callable[[int, int], None]) -> Proved:
    """The report with a proof at every finding that claims something, without those that the planner contradicts."""
    kept: list[Issue] = []
    problems: list[Problem] = list(report.problems)
    asked = [issue for issue in report.issues if issue.finding.claim is not None and issue.status == "new"]
    withdrawn = 0
    for issue in report.issues:
        claim = issue.finding.claim
        if claim is None or issue.status != "new":
            kept.append(issue)
            continue
        progress(asked.index(issue), len(asked))
        try:
            proof = tried(claim, trials)
        except Refused as error:
            problems.append(_unproved(issue, str(error)))
            kept.append(issue)
            continue
        if holds(proof):
            kept.append(replace(issue, finding=replace(issue.finding, proof=proof)))
        else:
            withdrawn += 1
    problems += [Problem(path="", kind="bound", message=text) for text in trials.left_out]
    notes = (*report.notes, _note(withdrawn)) if withdrawn else report.notes
    return Proved(replace(report, issues=tuple(kept), problems=tuple(problems), notes=notes), withdrawn)


def tried(claim: Claim, trials: Trials) -> Proof:
    """What the planner says of a claim; Refused if it cannot be asked. Without an index both plans are the same."""
    trials.build(claim.setup)
    sql = trials.filled(claim.query, claim.samples)
    if not is_single_query(sql):
        raise Refused("the query is not one SELECT")
    before = trials.explain(sql)
    after = trials.explain_with(claim.index, sql) if claim.index else before
    return Proof(sql=sql, index=claim.index, rows=trials.rows, server=trials.version, before=before, after=after)


def holds(proof: Proof) -> bool:
    """Whether the index is used and saves what a reader is promised."""
    cheaper = proof.before.cost >= _COST * proof.after.cost
    return cheaper or proof.times_fewer >= _PAGES


def _note(withdrawn: int) -> str:
    was = "1 finding was" if withdrawn == 1 else f"{withdrawn} findings were"
    return f"{was} withdrawn: on generated rows PostgreSQL gained nothing by the index."


def _unproved(issue: Issue, reason: str) -> Problem:
    place = issue.finding.place
    return Problem(
        path=place.path, kind="bound", line=place.span.line, message=f"{issue.rule.id} is not proved: {reason}."
    )
