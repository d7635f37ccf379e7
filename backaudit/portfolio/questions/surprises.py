"""What a client and a log get of an error that nobody expected."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.responses import error_handlers
from backaudit.facts.place import Place
from backaudit.portfolio.records import Question
from backaudit.portfolio.rows.failures import log_calls
from backaudit.project import Project

_ASK = "A handler raises something that nobody expected: what does the client see, and where do you find it?"
_EVERYTHING = frozenset({"builtins.Exception", "builtins.BaseException", "500"})


def ask(project: Project) -> Iterator[Question]:
    """Asked of every back end."""
    handler = _last_resort(project)
    logged = [place for place in log_calls(project) if handler is not None and place.path == handler.path]
    if handler is not None:
        kept = "and logs it" if logged else "and no call there writes it to a log"
        answer = f"A handler for every exception answers in the API's own shape {kept}."
        yield Question(ask=_ASK, answer=answer, at=handler)
    else:
        answer = (
            "The framework's own 500, with nothing of the error in it while debug mode is off, and its traceback in "
            "the server's log: no handler for every exception was found."
        )
        yield Question(ask=_ASK, answer=answer)


def _last_resort(project: Project) -> Place | None:
    found = (code.place for code, names in project.once(error_handlers) if not _EVERYTHING.isdisjoint(names))
    return next((place for place in found if project.role(place.path) == "production"), None)
