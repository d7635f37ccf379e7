"""Literals that become somebody's password in another file: of the function that takes them, a parameter is one."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.extract.secrets.admission import admit
from backaudit.extract.secrets.names import kind_of_name
from backaudit.facts import ops
from backaudit.facts.secrets import SecretHit
from backaudit.project import Code, Node, Project
from backaudit.project.code import SERVING


def handed_over(project: Project) -> Iterator[tuple[Node, SecretHit]]:
    """The literals that calls give for a password by position, each with what it is."""
    seen: set[tuple[Code, int]] = set()
    for code, index in (*_named(project), *_hashed(project)):
        yield from _given(project, code, index, seen)


def _named(project: Project) -> Iterator[tuple[Code, int]]:
    """Parameters that are called a password."""
    for path in sorted(project.files):
        file = project.files[path]
        for number, function in enumerate(file.facts.functions):
            for index, param in enumerate(function.params):
                if kind_of_name(param.name) == "password":
                    yield file.code(number), index


def _hashed(project: Project) -> Iterator[tuple[Code, int]]:
    """Parameters that a password hash is made of, whatever they are called."""
    strong = sorted(name for name, strength in project.models.hashers.items() if strength == "strong")
    for call in project.calls(*strong):
        first = call.arg(0)
        while first is not None and first.origin.call is not None and first.origin.method == "encode":
            first = first.origin.receiver
        op = first.origin.op if first is not None else None
        if isinstance(op, ops.Param):
            yield call.code, op.index


def _given(project: Project, code: Code, index: int, seen: set[tuple[Code, int]]) -> Iterator[tuple[Node, SecretHit]]:
    if (code, index) in seen:
        return
    seen.add((code, index))
    name = code.function.params[index].name
    for call in project.callers(code):
        argument = project.argument(call, code, index)
        if argument is None or project.role(call.code.path) not in SERVING:
            continue
        made = argument.origin
        if isinstance(made.op, ops.Param):
            yield from _given(project, made.code, made.op.index, seen)
        elif made.text is not None and isinstance(made.op, ops.Const):
            hit = _hit(made, name)
            if hit is not None:
                yield made, hit


def _hit(literal: Node, name: str) -> SecretHit | None:
    strength = admit(name, "password", "seed", literal.text or "")
    if strength is None:
        return None
    return SecretHit(literal.at, "password", name, strength, "seed", (literal.at,))
