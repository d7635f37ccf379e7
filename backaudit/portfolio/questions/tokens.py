"""What a stolen token can do, and for how long."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.revocation import revokes
from backaudit.portfolio.accounts import duration, issues_tokens, shortest
from backaudit.portfolio.records import Question
from backaudit.portfolio.stack import served
from backaudit.project import Project

_ASK = "What can a stolen token do, and for how long?"


def ask(project: Project) -> Iterator[Question]:
    """Asked where the code signs tokens, or settings say how long they live."""
    made, said = issues_tokens(project), shortest(project)
    if not made and said is None:
        return
    asking = sum(row.authenticates for row in served(project))
    does = f"All that its owner can, on the {asking} routes that ask who is calling"
    ends = "; the code can take it back before" if revokes(project) else "; nothing in the code can take it back before"
    if said is None:
        answer = f"{does}. How long is not said in the code that signs it{ends} it ends."
        yield Question(ask=_ASK, answer=answer, at=made[0].place, known=False)
    else:
        yield Question(ask=_ASK, answer=f"{does}, for {duration(said[1])}{ends} that.", at=said[0])
