"""Where a constant pattern is matched against text: calls of ``re``, and validators of fields."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.validation.sinks import Sink
from backaudit.facts import ops
from backaudit.flow.patterns import pattern_of
from backaudit.project import Node, Project

_SERVING = ("production", "script")


class Match(msgspec.Struct, frozen=True):
    """``pattern`` is matched against the argument of ``sink``; ``whole``: all of it has to match."""

    sink: Sink
    pattern: str
    whole: bool


def matches(project: Project) -> Iterator[Match]:
    """Calls that match a constant pattern against a text that is no constant."""
    for method in sorted(project.models.kinds["pattern-methods"]):
        for call in project.calls_of(method):
            pattern, text = pattern_of(call), _text(project, call, method)
            if pattern is None or text is None or project.role(call.code.path) not in _SERVING:
                continue
            if project.constant(text) is None:
                yield Match(Sink(call, text, "match", told=False), pattern, method == "fullmatch")


def _text(project: Project, call: Node, method: str) -> Node | None:
    """What is matched: behind the pattern where the module is asked, and behind a replacement."""
    of_module = call.func is not None and f"re.{method}" in project.names(call.func)
    compiled = not of_module and call.receiver is not None and project.resolved(call.receiver).method == "compile"
    if not (of_module or compiled):
        return None
    return call.arg((1 if of_module else 0) + (method in project.models.kinds["text-second"]), "string")


def judged_fields(project: Project) -> Iterator[tuple[Node, str]]:
    """Validators of fields that match a constant pattern, where no other validator limits the length."""
    for name in sorted(project.models.kinds["pattern-validators"]):
        for call in project.calls(name):
            given = call.arg(0, "regex")
            known = project.constant(given) if given is not None else None
            if known is None or known.text is None or project.role(call.code.path) != "production":
                continue
            if not _is_limited(project, call):
                yield call, known.text


def _is_limited(project: Project, validator: Node) -> bool:
    """Whether the field that a validator belongs to also limits its length."""
    for field in validator.code.nodes(ops.Call):
        if field.value <= validator.value or not _holds(field, validator):
            continue
        limits = project.models.kinds["length-validators"]
        others = [inner.origin for inner in _given(field)]
        named = any(other.func is not None and not limits.isdisjoint(project.names(other.func)) for other in others)
        longest = field.argument(("max_length", "max"))
        return named or longest is not None
    return False


def _holds(field: Node, validator: Node) -> bool:
    return any(inner.origin.value == validator.value for inner in _given(field))


def _given(field: Node) -> list[Node]:
    """The arguments of a field, and what stands in lists among them."""
    return [inner for argument in field.args() for inner in argument.origin.elements()]
