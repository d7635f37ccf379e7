"""What is to be done to the code, in its own terms: the fix stage turns it into edits of the files' text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from backaudit.facts.place import Place


class Change(msgspec.Struct, frozen=True, array_like=True, gc=False, tag_field="change"):
    """One change; those of a fix are made together or not at all."""


class Replace(Change, tag=0, frozen=True, array_like=True, gc=False):
    """``code`` in place of what stands at ``at``; ``{0}`` and so on stand for what is written at ``parts``."""

    at: Place
    code: str
    parts: tuple[Place, ...] = ()


class SetArgument(Change, tag=1, frozen=True, array_like=True, gc=False):
    """The keyword argument ``name`` of a call is ``code``, whether it was given before or not."""

    call: Place
    name: str
    code: str


class DropArgument(Change, tag=2, frozen=True, array_like=True, gc=False):
    """A call without its keyword argument ``name``."""

    call: Place
    name: str


class InsertLines(Change, tag=3, frozen=True, array_like=True, gc=False):
    """Statements of their own behind (or ``before``) the statement that ``at`` is a part of, indented as it is."""

    at: Place
    lines: tuple[str, ...]
    before: bool = False


class LogFailure(Change, tag=7, frozen=True, array_like=True, gc=False):
    """The ``except`` that begins at ``at`` logs what it caught first, by the logger of its file or one that is made."""

    at: Place


class Import(Change, tag=4, frozen=True, array_like=True, gc=False):
    """``import module``, or ``from module import name``, where the file does not have it already."""

    path: str
    module: str
    name: str = ""


class AddLine(Change, tag=5, frozen=True, array_like=True, gc=False):
    """A last line of a file that is no code, unless it is there; a file that is not there is made."""

    path: str
    line: str


# How a driver marks a value and is given it: ``?`` and ``%s`` with a tuple, ``$1`` with an argument for each value,
# ``:name`` with ``bindparams`` of SQLAlchemy's text, ``values`` with a keyword of that name and ``:name``.
MarkStyle = Literal["?", "%s", "$1", ":name", "values"]


class BindValues(Change, tag=6, frozen=True, array_like=True, gc=False):
    """The values that are put into the text of an SQL ``statement``, bound as parameters in ``call``."""

    call: Place
    statement: Place
    style: MarkStyle


class ListInClass(Change, tag=8, frozen=True, array_like=True, gc=False):
    """A further ``element`` of what a class lists as ``option``: ``Meta.indexes`` is one of an inner class.

    ``at``: the class's name. What is not there yet is made, the list in ``brackets``.
    """

    at: Place
    option: str
    element: str
    brackets: Literal["[]", "()"]


AnyChange: TypeAlias = (
    Replace | SetArgument | DropArgument | InsertLines | Import | AddLine | BindValues | LogFailure | ListInClass
)


def changed_paths(change: AnyChange) -> frozenset[str]:
    """The files whose text decides what a change is as an edit."""
    return frozenset(_paths(change))


def _paths(change: AnyChange) -> Iterator[str]:
    for name in change.__struct_fields__:
        value = getattr(change, name)
        if name == "path":
            yield value
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Place):
                yield part.path
