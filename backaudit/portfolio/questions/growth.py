"""Which query gets slow first."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.missing import missing_indexes, unusable_forms
from backaudit.backend.data.queries import query_sites
from backaudit.portfolio.records import Question
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
            f"`backaudit prove` shows the plan before and after."
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
