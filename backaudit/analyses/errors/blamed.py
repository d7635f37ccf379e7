"""What a client did, answered as the server's failure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from backaudit.analyses.errors.callers import vetted
from backaudit.analyses.errors.requests import never_runs, of_answer, showing
from backaudit.analyses.errors.vouching import compared
from backaudit.backend.access.missing import alike, none_giving
from backaudit.backend.access.missing import chain as chain_of
from backaudit.backend.web.catching import (
    Handler,
    ancestry,
    answered_globally,
    answers_in,
    escapes,
    handlers,
    handlers_in,
    reached_functions,
)
from backaudit.backend.web.makers import response_model
from backaudit.backend.web.responses import (
    Answer,
    answering,
    answers,
    literal_text,
    pairs_of,
)
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.flow.client import client_origin
from backaudit.project import Code, Node, Project
from backaudit.project.code import last_name
from backaudit.project.holding import conditions
from backaudit.project.nodes import operands
from backaudit.project.operands import made_of, walk
from backaudit.project.types import split
from backaudit.rule import KNOWN, Assumed, Finding, assume
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.protocols import CLIENT_ERRORS

_CLIENTS_FAULT = meaning("failures", "clients-fault")
_SERVERS_FAULT = meaning("failures", "servers-fault")


def findings(project: Project) -> Iterator[Finding]:
    """Each answer and exception that blames the server for what a client did."""
    told: set[Node] = set()
    for handler in handlers(project):
        for answer in _from_handler(project, handler):
            told.add(answer.node)
            yield _finding(answer, f"`{handler.label}` takes what is the client's doing", KNOWN)
    for code in reached_functions(project):
        for answer in answers(project, code):
            if answer.node in told or not _is_500(project, answer) or _in_handler(project, answer):
                continue
            if not _of_upstream(project, answer):
                text = _said(answer.body)
                if text is not None:
                    told.add(answer.node)
                    yield _finding(answer, f'"{text[:60]}" is the client\'s doing', KNOWN)
        yield from _raised(project, code)


def _is_500(project: Project, answer: Answer) -> bool:
    final = answer.how == "raise" or answer.node.code in answering(project)
    return final and answer.stated and answer.status in (500, 501)


def _in_handler(project: Project, answer: Answer) -> bool:
    """Whether a catch-all answers: that is another mistake."""
    return any(handler.holds(answer.value) and handler.broad for handler in handlers_in(project, answer.node.code))


def _of_upstream(project: Project, answer: Answer) -> bool:
    """Whether the answer stands in a handler of what another server did: its block asks one."""
    asking = project.models.sinks["url"]
    around = (h for h in handlers_in(project, answer.node.code) if h.holds(answer.value))
    return any(
        node.func is not None and any(name in asking for name in project.names(node.func))
        for node in chain.from_iterable(handler.tried() for handler in around)
        if isinstance(node.op, ops.Call)
    )


def _from_handler(project: Project, handler: Handler) -> Iterator[Answer]:
    if handler.broad or not handler.caught or not all(_meant(project, name) for name in handler.caught):
        return
    found = answers_in(project, handler)
    if any(answer.status in CLIENT_ERRORS for answer in found):
        return  # the client's part was told apart: what is left is the server's
    yield from (answer for answer in found if _is_500(project, answer))


def _meant(project: Project, name: str) -> bool:
    return not project.models.kinds["meant-exceptions"].isdisjoint(ancestry(project, name))


def _raised(project: Project, code: Code) -> Iterator[Finding]:
    """Plain exceptions with a text for the client that no one turns into an answer."""
    for node in code.nodes(ops.Raise):
        op = node.op
        exception = node.to(op.exception).origin if isinstance(op, ops.Raise) and op.exception != NONE else None
        func = exception.func if exception is not None else None
        if exception is None or func is None or response_model(project, exception) is not None:
            continue
        names = [name for name in project.names(func) if name in project.models.kinds["plain-exceptions"]]
        text = _said(tuple(exception.args()[:1])) if names else None
        if text is None or answered_globally(project, names) or _is_no_member_left(project, node):
            continue
        if not _clients_choice(project, node) or not _leaves(project, node, tuple(names)):
            continue
        if not never_runs(project, node, names[0]):
            path = escapes(project, node, tuple(names)) or ()
            yield Finding(
                place=node.place.first_line(),
                message=f'"{text[:60]}" is the client\'s doing, but this {last_name(names[0])} ends as a 500.',
                assumed=assume("word", "the text says whose doing it is") + vetted(path),
                request=showing(project, node, path, raises=names[0]),
            )


def _clients_choice(project: Project, node: Node) -> bool:
    """Whether what is asked before the raise is something that a client sent, or looked up by it."""
    return any(client_origin(project, part) is not None for part in _asked_before(project, node))


def _asked_before(project: Project, node: Node) -> Iterator[Node]:
    """What the conditions before an operation look at; of a look-up that finds nothing, by what it was looked up."""
    found = project.once(none_giving)
    for test, _ in conditions(node.code, node.value):
        for part in _leaves_of(node.to(test)):
            if part not in found:
                yield part
            else:
                given = (one for link in chain_of(part) for one in (*link.args(), *link.keywords().values()))
                yield from map(compared, given)


def _is_no_member_left(project: Project, node: Node) -> bool:
    """Whether an enumeration's members were gone through one by one before: what is left is a programmer's slip."""
    code = node.code
    asked = [code.node(test) for test, truth in conditions(code, node.value) if not truth]
    of_enum = [test.op.left for test in asked if isinstance(test.op, ops.Compare) and test.op.operator in ("==", "is")]
    members = [left for left in of_enum if _is_enum(project, code.node(left))]
    return len(members) > 1 and all(alike(code, left, members[0]) for left in members)


def _is_enum(project: Project, node: Node) -> bool:
    types = project.types(node)
    return bool(types) and all(project.inherits(split(name)[0], *_ENUMS) for name in types)


_ENUMS = ("enum.Enum", "enum.StrEnum", "enum.IntEnum")


def _leaves_of(test: Node) -> Iterator[Node]:
    """The values that a condition looks at."""
    return (node for node in walk(test, _looked_at) if not isinstance(node.op, _JOINING))


_JOINING = (ops.Compare, ops.Logic, ops.Unary, ops.Await)


def _looked_at(node: Node) -> tuple[Value, ...]:
    op = node.op
    if isinstance(op, ops.Call):
        return (*op.args, *(given for _, given in op.keywords))
    return operands(op) if isinstance(op, _JOINING) else ()


def _leaves(project: Project, node: Node, names: tuple[str, ...]) -> bool:
    code = node.code
    setter = code.cls is not None and code.function.name in ("__init__", "__setattr__", "__new__")
    if setter or _is_validator(project, code):
        return False
    given = _asks_given(project, node)
    return escapes(project, node, names, by=(lambda call: _hands_over(project, call)) if given else None) is not None


def _asks_given(project: Project, node: Node) -> bool:
    """Whether callers gave all that is asked before the raise: those count that hand over what a client sent."""
    code = node.code
    sent = [(part, client_origin(project, part)) for part in _asked_before(project, node)]
    return all(origin is None or (origin.node.code != code and _is_of_parameter(part)) for part, origin in sent)


def _is_of_parameter(node: Node) -> bool:
    """Whether a value is, or is made of, what the body's callers hand over."""
    given = (part.op for part in made_of(node))
    return any(isinstance(op, ops.Param) and (op.index > 0 or node.code.cls is None) for op in given)


def _hands_over(project: Project, call: Node) -> bool:
    given = (*call.args(), *(call.to(value) for _, value in call.call.keywords)) if call.call is not None else ()
    return any(client_origin(project, part) is not None for part in given)


def _is_validator(project: Project, code: Code) -> bool:
    """Whether a library calls it to validate, and answers its ValueError itself."""
    names = {last_name(name) for decorator in code.decorators for name in project.names(decorator)}
    return any("valid" in name for name in names)


def _said(body: tuple[Node, ...]) -> str | None:
    """The text in a body that says what the client did wrong."""
    for part in body:
        pairs = pairs_of(part.origin) or {}
        for text in (literal_text(part), *(literal_text(value) for value in pairs.values())):
            if text and _CLIENTS_FAULT.holds(text) and not _SERVERS_FAULT.holds(text):
                return text
    return None


def _finding(answer: Answer, why: str, assumed: Assumed) -> Finding:
    return Finding(
        place=answer.place.first_line(),
        message=f"{why}, but is answered with status {answer.status}.",
        assumed=assumed,
        request=of_answer(answer.node.code.project, answer.node, answer.status),
    )
