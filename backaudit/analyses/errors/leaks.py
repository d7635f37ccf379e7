"""Texts in answers that tell what the server is made of: exceptions, traces, statements."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.errors.requests import of_answer
from backaudit.backend.web.catching import Handler, ancestry, chosen, handler_of, handlers, reached
from backaudit.backend.web.exception_texts import exception_text
from backaudit.backend.web.responses import answering, answers, error_handlers, literal_text
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.project import Code, Node, Project
from backaudit.project.code import last_name
from backaudit.project.nodes import operands
from backaudit.project.operands import walk
from backaudit.project.strings import spelled_strings
from backaudit.rule import KNOWN, Assumed, Finding, Step, assume
from backaudit.sql import looks_like_query

_ON_A_PAGE = assume("effect", "the page shows the text to whoever asked")
_MAY_BE_OWN = assume("callee", "the text is not one that the project wrote for its clients")


class _Told(msgspec.Struct, frozen=True):
    """What tells a client a text: an answer, or the call that shows it on the next page."""

    node: Node
    on_a_page: bool = False

    @property
    def where(self) -> str:
        return "the next page" if self.on_a_page else "the answer"


def findings(project: Project) -> Iterator[Finding]:
    """Each answer and each message for the next page that holds the text of an exception or a statement."""
    bodies = dict.fromkeys([handler.code for handler in handlers(project)])
    bodies.update(dict.fromkeys(code for code, _ in project.once(error_handlers)))
    for code in bodies:
        if code.file.role == "production":
            yield from _answered(project, code)
            yield from _handed_up(project, code)
            yield from _shown(project, code)
    for code in answering(project):
        if code.file.role == "production":
            yield from _statements(project, code)


def _answered(project: Project, code: Code) -> Iterator[Finding]:
    final = code in answering(project)
    told: set[int] = set()
    for answer in answers(project, code):
        if (answer.how == "return" and not final) or answer.value in told or chosen(answer.node):
            continue
        source = next((s for s in (exception_text(project, part) for part in answer.body) if s is not None), None)
        assumed = _judge(project, source) if source is not None else None
        if source is not None and assumed is not None:
            told.add(answer.value)
            yield _finding(project, answer.node, source, assumed, "the answer")


def _handed_up(project: Project, code: Code) -> Iterator[Finding]:
    """``return None, str(error)`` of a helper whose caller puts the text into its answer, or on the next page."""
    if code in answering(project) or code.function.kind != "function":
        return
    for node, index, part in _returned(code):
        source = exception_text(project, part) if not chosen(node) else None
        assumed = _judge(project, source) if source is not None else None
        told = _told_above(project, code, index, frozenset({code})) if assumed is not None else None
        if source is not None and assumed is not None and told is not None:
            found = _finding(project, node, source, _ON_A_PAGE if told.on_a_page else assumed, told.where)
            step = Step(told.node.place.first_line(), f"a caller puts it into {told.where}")
            yield msgspec.structs.replace(found, trace=(*found.trace, step))


def _statements(project: Project, code: Code) -> Iterator[Finding]:
    """The text of a statement that the same body has run, in its answer."""
    run = {call.to(text).origin for call, text in _run(project, code)}
    for answer in answers(project, code) if run else ():
        if chosen(answer.node):
            continue
        if any(_shows(part, run) for part in answer.body):
            yield Finding(
                place=answer.place.first_line(),
                message="The text of the SQL statement is in the answer that the client gets.",
                assumed=assume("effect", "the text of the statement says more than the client knows"),
            )


def _run(project: Project, code: Code) -> Iterator[tuple[Node, Value]]:
    """The calls of a body that run SQL, with the value that holds its text."""
    for call in code.nodes(ops.Call):
        first = call.arg(0)
        if first is None or call.method not in ("execute", "executemany", "exec_driver_sql", "raw"):
            continue
        texts = (*spelled_strings(project, first), literal_text(first) or "")
        if any(looks_like_query(text) for text in texts):
            yield call, first.value


def _shows(node: Node, run: set[Node]) -> bool:
    """Whether a value is a statement, or a text or display made of it."""

    def put_in(here: Node) -> tuple[Value, ...]:
        is_text = here not in run and isinstance(here.op, (ops.Build, ops.Format, ops.Bin))
        return operands(here.op) if is_text else ()

    return any(part in run and not isinstance(part.op, ops.Const) for part in walk(node, put_in))


def _returned(code: Code) -> Iterator[tuple[Node, int, Node]]:
    """What a body returns: the statement, a part of its tuple with its position; -1 for a value that is not one."""
    for node in code.nodes(ops.Return):
        op = node.op
        if not isinstance(op, ops.Return) or op.value == NONE:
            continue
        value = node.to(op.value).origin
        parts = value.op.items if isinstance(value.op, ops.Build) and value.op.kind == "tuple" else ()
        yield from ((node, index, value.to(item)) for index, item in enumerate(parts))
        if not parts:
            yield node, -1, value


def _told_above(project: Project, code: Code, index: int, below: frozenset[Code]) -> _Told | None:
    """Where a caller tells a client what a function returns (that part of it)."""
    for call in project.callers(code):
        if call.code in below:
            continue
        told = _told(project, call, index)
        if told is not None:
            return told
        for handed_on in _handed_on(project, call, index):
            above = _told_above(project, call.code, handed_on, below | {call.code})
            if above is not None:
                return above
    return None


def _handed_on(project: Project, call: Node, index: int) -> Iterator[int]:
    """The parts of what the body of a call returns that hold what the call returned."""
    if call.code not in answering(project):
        yield from (place for _, place, part in _returned(call.code) if _holds(part, call, index))


def _told(project: Project, call: Node, index: int) -> _Told | None:
    """The answer, or the message for the next page, of the same body that holds what a call returns."""
    final = call.code in answering(project)
    for answer in answers(project, call.code):
        if (answer.how != "return" or final) and any(_holds(part, call, index) for part in answer.body):
            return _Told(answer.node)
    for shown in _messages(project, call.code):
        if any(_holds(part, call, index) for part in shown.args()):
            return _Told(shown, on_a_page=True)
    return None


def _holds(node: Node, call: Node, index: int) -> bool:
    def put_in(here: Node) -> tuple[Value, ...]:
        ends = isinstance(here.op, (ops.Call, ops.Attr)) or _taken_from(here) == call
        return () if ends else operands(here.op)

    return any(_is_part(here, call, index) for here in walk(node, put_in))


def _is_part(here: Node, call: Node, index: int) -> bool:
    """Whether a value is what a call returns, or that part of it."""
    if _taken_from(here) == call:
        return index < 0 or not isinstance(here.op, ops.Part) or here.op.index == index
    return here == call and index < 0


def _taken_from(here: Node) -> Node | None:
    """What a part is a part of, or an awaited value is waited for as."""
    op = here.op
    if isinstance(op, (ops.Part, ops.Await)):
        return here.to(op.base if isinstance(op, ops.Part) else op.value).origin.awaited
    return None


def _shown(project: Project, code: Code) -> Iterator[Finding]:
    """Texts for the next page."""
    for call in _messages(project, code):
        if chosen(call) or not reached(project, code):
            continue
        source = next((s for s in (exception_text(project, part) for part in call.args()) if s is not None), None)
        assumed = _judge(project, source) if source is not None else None
        if source is not None and assumed is not None:
            yield _finding(project, call, source, _ON_A_PAGE, "the next page")


def _messages(project: Project, code: Code) -> Iterator[Node]:
    """The calls of a body that show their text on the next page."""
    kind = project.models.kinds["tells-user"]
    for call in code.nodes(ops.Call):
        if call.func is not None and not kind.isdisjoint(project.names(call.func)):
            yield call


def _judge(project: Project, source: Node) -> Assumed | None:
    handler = handler_of(project, source)
    if handler is None:
        return KNOWN if _answers_everything(project, source.code) else None
    if isinstance(source.op, ops.Call):
        return KNOWN
    if chosen(source):
        return None
    if handler.broad:
        return KNOWN
    return _narrow(project, handler)


def _answers_everything(project: Project, code: Code) -> bool:
    return any(
        code is answering_code and {"Exception", "BaseException"} & set(map(last_name, caught))
        for answering_code, caught in project.once(error_handlers)
    )


def _narrow(project: Project, handler: Handler) -> Assumed | None:
    internal, harmless = project.models.kinds["internal-exceptions"], project.models.kinds["harmless-texts"]
    for name in handler.caught:
        if not harmless.isdisjoint(ancestry(project, name)):
            continue
        parts = name.split(".")
        if any(".".join(parts[:size]) in internal for size in range(1, len(parts) + 1)):
            return _MAY_BE_OWN if name.startswith("builtins.") else KNOWN
    return None


def _finding(project: Project, node: Node, source: Node, assumed: Assumed, where: str) -> Finding:
    handler = handler_of(project, source)
    what = "The traceback" if isinstance(source.op, ops.Call) else f"The text of what {_label(handler)} caught"
    steps = (
        [Step(source.place.first_line(), "the exception")] if handler is None else [Step(handler.place, handler.label)]
    )
    return Finding(
        place=node.place.first_line(),
        message=f"{what} is in {where} that the client gets.",
        assumed=assumed,
        trace=(*steps, Step(node.place.first_line(), f"its text goes into {where}")),
        request=of_answer(project, node, _status(project, node)),
    )


def _status(project: Project, node: Node) -> int | None:
    return next((answer.status for answer in answers(project, node.code) if answer.node == node), None)


def _label(handler: Handler | None) -> str:
    return f"`{handler.label}`" if handler is not None else "the application's error handler"
