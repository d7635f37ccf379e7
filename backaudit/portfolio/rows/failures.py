"""Whether what goes wrong is answered with the right status, in one place and one shape, and written to a log."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.responses import answers, error_handlers
from backaudit.facts.place import Place
from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import counted, lack, served
from backaudit.project import Project
from backaudit.vocabulary.protocols import CLIENT_ERRORS


def row(project: Project) -> Row:
    """Statuses of clients' errors, central handlers, and logging."""
    answered = statuses(project)
    return Row(
        key="failures",
        title="Error handling",
        facts=tuple(_facts(project, answered)),
        lacks=tuple(_lacks(project, answered)),
        basis=any(status in CLIENT_ERRORS for status in answered),
    )


def statuses(project: Project) -> tuple[int, ...]:
    """All statuses that routes can answer, ascending; what frameworks refuse by themselves is among them."""
    return project.once(_statuses)


def _statuses(project: Project) -> tuple[int, ...]:
    found = {status for row in served(project) for status in row.statuses}
    frameworks = {row.framework for row in served(project) if any(one.checked for one in row.sent)}
    refused = (project.models.framework(name).refuses_with for name in frameworks)
    missing = {404} if _answers_404(project) else set()
    return tuple(sorted(found.union(filter(None, refused), missing, _of_handlers(project))))


def _of_handlers(project: Project) -> Iterator[int]:
    """What handlers for the whole application answer: the statuses that they are registered for, and their own."""
    for code, caught in project.once(error_handlers):
        if project.role(code.path) == "production":
            yield from (int(name) for name in caught if name.isdigit())
            yield from (answer.status for answer in answers(project, code) if answer.status and answer.stated)


def _answers_404(project: Project) -> bool:
    """Whether a look-up answers by itself that a row is not there."""
    known = project.models.kinds["answers-404"]
    lasts = sorted({name.rpartition(".")[2] for name in known})
    calls = (call for last in lasts for call in project.calls_of(last))
    return any(project.role(call.code.path) == "production" for call in calls)


def log_calls(project: Project) -> tuple[Place, ...]:
    """Where production code writes to a log."""
    return project.once(_log_calls)


def _log_calls(project: Project) -> tuple[Place, ...]:
    known = project.calls(*sorted(project.models.kinds["logs"]))
    return tuple(sorted({call.place for call in known if project.role(call.code.path) == "production"}))


def _facts(project: Project, answered: tuple[int, ...]) -> Iterator[Fact]:
    if answered:
        yield Fact(f"routes answer {' '.join(map(str, answered))}")
    handlers = [code for code, _ in project.once(error_handlers) if project.role(code.path) == "production"]
    if handlers:
        yield Fact(f"{counted(len(handlers), 'handler')} of exceptions for the whole application", handlers[0].place)
    logged = log_calls(project)
    if logged:
        yield Fact(f"{counted(len(logged), 'place')} write to a log", logged[0])


def _lacks(project: Project, answered: tuple[int, ...]) -> Iterator[Lack]:
    if not any(status in CLIENT_ERRORS for status in answered):
        yield lack(project, "failures/none", "no route answers a client's mistake with a status of its own")
    elif 404 not in answered and any("{" in row.path for row in served(project)):
        yield lack(project, "failures/not-found", "no route says that something is not there (404)")
    if not log_calls(project):
        yield lack(project, "failures/log", "nothing is written to a log")
