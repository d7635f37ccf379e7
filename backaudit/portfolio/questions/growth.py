"""Which query gets slow first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from backaudit.analyses.indexes.missing import missing_indexes, unusable_forms
from backaudit.backend.data.queries import query_sites
from backaudit.facts.place import Place
from backaudit.facts.plans import PlanNode, Proof
from backaudit.portfolio.records import Question, Scorecard
from backaudit.portfolio.tables import own_tables
from backaudit.project import Project

_ASK = "Which query gets slow first at a million rows?"
_KINDS = ("filter", "join", "sort")


def ask(project: Project) -> Iterator[Question]:
    """Asked where there are tables; what a planner says of it is for ``backaudit prove``."""
    if not own_tables(project):
        return
    found = [index for kind in _KINDS for index in missing_indexes(project, kind)]  # type: ignore[arg-type]
    served = [index for index in found if project.role(index.first.place.path) == "production"]
    first = min(served, key=lambda index: (not index.first.core, index.first.place), default=None)
    if first is not None:
        columns = ", ".join(key.text for key in first.keys)
        answer = (
            f"The one that asks {first.table.name} by {columns}: no index serves it, so it reads every row. "
            f"`backaudit portfolio --prove` measures it."
        )
        yield Question(ask=_ASK, answer=answer, at=first.first.place)
        return
    form = next((one for one in project.once(unusable_forms)), None)
    if form is not None:
        answer = f"The one on {form.table.name}: the way it compares keeps a plain index from serving it."
        yield Question(ask=_ASK, answer=answer, at=form.place)
        return
    count = len(query_sites(project))
    answer = (
        f"None stands out: of {count} conditions, joins and orders that were read, each has an index or a small table."
    )
    yield Question(ask=_ASK, answer=answer, known=bool(count))


Measured = tuple[Place, str, Proof]


def measured(card: Scorecard, proofs: Sequence[Measured]) -> Scorecard:
    """The scorecard with the answer that a planner gives, where it was asked about one of its tables.

    ``proofs``: where a query stands, which table it asks, and both of its plans.
    """
    tables = {table.name for table in card.tables}
    own = [one for one in proofs if one[1] in tables]
    if not own:
        return card
    slowest = _told(min(own, key=lambda one: (-one[2].before.pages, one[0])), len(own))
    return replace(card, questions=tuple(slowest if one.ask == _ASK else one for one in card.questions))


def _told(one: Measured, asked: int) -> Question:
    place, table, proof = one
    of_all = f" Of {asked} that were tried it reads most." if asked > 1 else ""
    answer = (
        f"The one that asks {table} here: with {proof.rows:,} rows in each table {proof.server} reads "
        f"{proof.before.pages:,} pages for it, by a {_first(proof.before.root)}, and {proof.after.pages:,} "
        f"with `{proof.index}`.{of_all}"
    )
    return Question(ask=_ASK, answer=answer, at=place)


def _first(node: PlanNode) -> str:
    """The step in which rows are read: the innermost."""
    while node.children:
        node = node.children[0]
    return node.kind
