"""Ways through a handler that end as a 500 whoever asks: no answer, names without a value, an exception given back."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors import nowhere
from backaudit.backend.access.missing import alike
from backaudit.backend.web.catching import catches, reached_functions
from backaudit.backend.web.responses import Answer, answering, answers
from backaudit.backend.web.routes import by_handler
from backaudit.backend.web.ways import Methods, Ways
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Project
from backaudit.rule import KNOWN, Assumed, Finding, Step, assume


def findings(project: Project) -> Iterator[Finding]:
    """Each handler with a way that has no answer, each name that may have no value, each exception given back."""
    for code in project.once(by_handler):
        if code.file.role == "production" and code.function.kind == "function":
            yield from _without_answer(project, code)
    for code in reached_functions(project):
        yield from _without_value(project, code)
    yield from nowhere.findings(project)
    for code in answering(project):
        yield from _given_back(project, code)


_ANOTHER_VALUE = assume("purpose", "what is told apart can be another than was let through before")
_EMPTY = assume("purpose", "what the function gives that is asked can be empty")

# -- no answer ---------------------------------------------------------------------------------------------------------


def _without_answer(project: Project, code: Code) -> Iterator[Finding]:
    assumed = _needs_answer(project, code)
    if assumed is None or code.function.is_generator or not (_answers_otherwise(code) or _does_nothing(code)):
        return
    methods = _methods(project, code)
    if Ways(project, code, methods).falls_off():
        if not Ways(project, code, methods, trusting=True).falls_off():
            assumed += _EMPTY
        if _is_told_apart(code):
            assumed += _ANOTHER_VALUE
        yield Finding(
            place=code.place.first_line(1),
            message=f"A way through `{code.function.name}` has no answer: None is no response, so it is a 500.",
            assumed=assumed,
        )


def _is_told_apart(code: Code) -> bool:
    """``if kind not in KINDS: raise``, and then one ``if`` for each of them."""
    asked = [op for op in code.ops if isinstance(op, ops.Compare)]
    members = [op.left for op in asked if op.operator in ("in", "not in")]
    single = [op.left for op in asked if op.operator == "=="]
    return any(sum(alike(code, left, one) for one in single) > 1 for left in members)


def _needs_answer(project: Project, code: Code) -> Assumed | None:
    """What is supposed for None not to be sent; None where it can be."""
    kinds = project.models.kinds
    frameworks = {route.framework for route in project.once(by_handler)[code]}
    if not frameworks or not frameworks <= kinds["refuses-no-answer"]:
        return None
    view = code.cls
    if view is not None and not kinds["sends-no-answer"].isdisjoint(project.lineage(view.name)):
        return None
    names = [frozenset(project.names(decorator.func or decorator)) for decorator in code.decorators]
    if any(not kinds["sends-no-answer"].isdisjoint(name) for name in names):
        return None
    own = any(project.callees(decorator) or not name for decorator, name in zip(code.decorators, names, strict=True))
    return assume("wrapper", "its decorator makes no answer of None") if own else KNOWN


def _answers_otherwise(code: Code) -> bool:
    """Whether some way has an answer: a body without any may be meant to give none, by what it calls."""
    return any(isinstance(op, ops.Return) and op.value != NONE for op in code.ops)


def _does_nothing(code: Code) -> bool:
    """Whether a body is not written yet: it only asks about the request, and neither calls nor works anything out."""
    return all(isinstance(op, _IDLE) for op in code.ops)


_IDLE = (ops.Param, ops.Const, ops.Name, ops.Attr, ops.Compare, ops.Logic, ops.Unary)


def _methods(project: Project, code: Code) -> Methods:
    """The HTTP methods with which a handler is run; None where any may be."""
    methods = [route.methods for route in project.once(by_handler)[code]]
    if not methods or not all(methods):
        return None
    return frozenset(name for names in methods for name in names) - {"HEAD", "OPTIONS"}


_ANOTHER_WAY = assume("purpose", "the ways that give it no value can be gone")

# -- no value ----------------------------------------------------------------------------------------------------------


def _without_value(project: Project, code: Code) -> Iterator[Finding]:
    for use, name, bound in Ways(project, code).unbound():
        if catches(project, use, ("builtins.UnboundLocalError",)) is not None:
            continue
        yield Finding(
            place=use.place.first_line(),
            message=f"`{name}` has no value on some way to this line: an UnboundLocalError, and a 500.",
            assumed=KNOWN if _by_method(code, bound) else _ANOTHER_WAY,
            trace=(Step(code.node(bound).place.first_line(), f"`{name}` is set here, on some ways only"),),
        )


def _by_method(code: Code, bound: int) -> bool:
    """Whether the client's method alone decides whether the name is set."""
    around = [region for region in code.regions_of(bound) if region.kind in ("then", "else") and region.test != NONE]
    return len(around) == 1 and code.node(around[0].test).origin.spelled.endswith(".method")


# -- an exception as the answer ----------------------------------------------------------------------------------------


def _given_back(project: Project, code: Code) -> Iterator[Finding]:
    for answer in answers(project, code):
        if answer.how == "return" and _is_refused(project, answer):
            name = answer.maker.rpartition(".")[2]
            yield Finding(
                place=answer.place.first_line(),
                message=f"This {name} is returned, not raised: it is no response, so it is a 500, not {answer.status}.",
            )


def _is_refused(project: Project, answer: Answer) -> bool:
    refused = project.models.kinds["refused-when-returned"]
    name: str | None = answer.maker
    while name:
        if name in refused:
            return answer.node.code.file.role == "production"
        name = project.models.exceptions.get(name)
    return False
