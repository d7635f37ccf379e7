"""What a parameter of which nothing is declared is given: the types of the arguments of all calls by its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from backaudit.project.code import Code
from backaudit.project.nodes import Node

if TYPE_CHECKING:
    from backaudit.project import Project

# What is called from more places than this, by the same name, is handed whatever there is.
_MANY = 40
# Decorators that only say what stands first among the parameters.
_STATIC = "staticmethod"
_BOUND = ("classmethod", _STATIC)


def argument_types(project: Project, code: Code, index: int) -> tuple[str, ...]:
    """What a parameter is, if every call that names the function says the same of it; else nothing.

    What is handed rows of one table here and of another there is known only with the call. The calls are found by the
    types of what they call, and by nothing that is made of these: the answer may be asked for while they are sought.
    """
    found = {project.types(given) if given is not None else () for given in _arguments(project, code, index)}
    return found.pop() if len(found) == 1 else ()


def _arguments(project: Project, code: Code, index: int) -> Iterator[Node | None]:
    """What each call of a function gives a parameter; None where that is not written out."""
    if code.function.params[index].kind in ("star", "dstar") or not _is_plain(code):
        return
    targets = dict(_targets(project, code))
    found = dict.fromkeys(call for name in sorted(set(targets.values())) for call in project.calls_of(name))
    calls = [call for call in found if call.code.file.role == "production"]
    for call in calls if len(calls) <= _MANY else ():
        func = call.func
        if func is not None and not targets.keys().isdisjoint(project.types(func)):
            yield _written(call, code, index)


def _is_plain(code: Code) -> bool:
    """Whether a function is called as it is written: nothing stands in its place."""
    return code.function.kind == "function" and all(node.spelled in _BOUND for node in code.decorators)


def _targets(project: Project, code: Code) -> Iterator[tuple[str, str]]:
    """The types of what is called where a function runs, and the name by which it is called."""
    yield f"def[{code.key}]", code.function.name
    if code.function.name == "__init__" and code.cls is not None:
        heirs = (cls for cls in project.subclasses(code.cls.name) if project.method(cls.name, "__init__") == code)
        for cls in (code.cls, *heirs):
            yield f"type[{cls.name}]", cls.cls.name


def _written(call: Node, code: Code, index: int) -> Node | None:
    """What a call gives a parameter; None where it leaves it out or unpacks something."""
    op = call.call
    param = code.function.params[index]
    if op is None or op.star or op.dstar:
        return None
    for name, value in op.keywords:
        if name == param.name:
            return call.origin.to(value)
    bound = code.cls is not None and not any(node.spelled == _STATIC for node in code.decorators)
    at = index - (1 if bound else 0)
    return call.origin.to(op.args[at]) if param.kind != "keyword" and 0 <= at < len(op.args) else None
