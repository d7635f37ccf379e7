"""Failures whose code is handed to a helper that makes the answer: ``self.reply(code="401001")``, with status 200."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.web.bodies import pairs_at
from backaudit.backend.web.makers import response_model
from backaudit.backend.web.responses import Answer, answers
from backaudit.backend.web.statuses import status_of, told_before
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.rule import KNOWN, Assumed, Finding, assume
from backaudit.vocabulary.meaning import meaning

_OK = 200
_CODE_KEYS = meaning("failures", "code-key")
_LONGER = assume("word", "a code that begins with the digits of a failing status tells of a failure")
# So many digits has a status, and the longest code of an application that begins with one.
_DIGITS = 3
_MOST = 6


class Envelope(msgspec.Struct, frozen=True):
    """A function that answers with what it is given: which parameter is the code, under which key; which the status.

    ``status``: the node that gives it, None where the answer has the framework's own.
    """

    code: Code
    key: str
    index: int
    status: Node | None


def findings(project: Project) -> Iterator[Finding]:
    """Each call that hands the code of a failure to such a function, and leaves the status at that of a success."""
    for envelope in project.once(envelopes):
        for call in project.callers(envelope.code):
            told = _told(project, envelope, call) if call.code.file.role == "production" else None
            if told is not None:
                what, assumed = told
                yield Finding(
                    place=call.place.first_line(),
                    message=f"The failure (`{envelope.key}` is {what} in the body) is answered with status {_OK}.",
                    assumed=assumed,
                )


def envelopes(project: Project) -> tuple[Envelope, ...]:
    """The functions of the project that put a parameter of theirs under a code's key of an answer."""
    found: dict[tuple[Code, int], Envelope] = {}
    for file in project.files.values():
        for index, function in enumerate(file.facts.functions if file.role == "production" else ()):
            code = file.code(index)
            for answer in answers(project, code) if function.params and _keeps_code(code) else ():
                for one in _of_answer(project, code, answer):
                    found.setdefault((code, one.index), one)
    return tuple(found.values())


def _keeps_code(code: Code) -> bool:
    """Whether a body makes a mapping in which a parameter stands under a code's key."""
    for node in code.nodes(ops.Build):
        pairs = [(key.text or "", value) for key, value in node.entries()]
        if any(_CODE_KEYS.holds(key.lower()) and isinstance(value.origin.op, ops.Param) for key, value in pairs):
            return True
    return False


def _of_answer(project: Project, code: Code, answer: Answer) -> Iterator[Envelope]:
    for body in answer.body if answer.how == "return" else ():
        pairs = pairs_at(body, answer.value) if body.code is code else None
        for key, value in (pairs or {}).items():
            op = value.origin.op
            if _CODE_KEYS.holds(key) and isinstance(op, ops.Param):
                yield Envelope(code, key, op.index, _stated(project, answer))


def _stated(project: Project, answer: Answer) -> Node | None:
    """What gives an answer its status, if anything does."""
    before = told_before(project, answer.node)
    op = answer.node.op
    value = answer.node.to(op.value).origin if isinstance(op, ops.Return) else answer.node
    pair = value.pair()
    if before is not None or pair is not None:
        return before or (pair[1] if pair is not None else None)
    named = response_model(project, value) if value.call is not None else None
    return value.argument(named[1].status) if named is not None else None


def _told(project: Project, envelope: Envelope, call: Node) -> tuple[str, Assumed] | None:
    """The code of a failure that a call hands over, if the answer has the status of a success."""
    status = envelope.status
    sent = _OK if status is None else status_of(project, _given(project, envelope.code, status, call) or status)
    handed = project.argument(call, envelope.code, envelope.index)
    return failure_code(project, handed) if handed is not None and sent == _OK else None


def _given(project: Project, code: Code, value: Node, call: Node) -> Node | None:
    op = value.origin.op
    if not isinstance(op, ops.Param) or value.origin.code is not code:
        return None
    return project.argument(call, code, op.index) or project.default(code, op.index)


def failure_code(project: Project, node: Node) -> tuple[str, Assumed] | None:
    """The code of a failure that a value is: a failing status, or a longer number that begins with one."""
    constant = project.constant(node)
    written = str(constant.const) if constant is not None and not isinstance(constant.const, bool) else ""
    status = int(written[:_DIGITS]) if written.isdigit() and len(written) <= _MOST else status_of(project, node)
    if status is None or not 400 <= status < 600:
        return None
    return written or str(status), KNOWN if len(written) <= _DIGITS else _LONGER
