"""What one Python file says: its functions, classes and imports, and indexes to find things by."""

from __future__ import annotations

from typing import Literal

import msgspec

from backaudit.facts.ops import NONE, Body, Value
from backaudit.facts.place import Span

ParamKind = Literal["positional", "normal", "keyword", "star", "dstar"]


class ParamFact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A parameter; ``annotation`` and ``default`` are values of the enclosing body."""

    name: str
    kind: ParamKind
    annotation: Value
    default: Value
    at: Span


class Function(msgspec.Struct, frozen=True, array_like=True):
    """A body of code: the module itself (index 0), a class body, a function or a lambda.

    ``parent`` indexes the enclosing body (-1 for the module), ``cls`` the class whose method (or body) this is.
    ``decorators`` and ``returns`` are values of the enclosing body. ``raw`` is the encoded :class:`Body`.
    """

    kind: Literal["module", "class", "function", "lambda"]
    name: str
    qualname: str
    parent: int
    cls: int
    params: tuple[ParamFact, ...]
    decorators: tuple[Value, ...]
    returns: Value
    is_async: bool
    is_generator: bool
    handlers: int
    doc: str
    at: Span
    name_at: Span
    raw: msgspec.Raw

    def decode(self) -> Body:
        """The operations; callers memoise, see :mod:`backaudit.project`."""
        return _BODY.decode(self.raw)


class Class(msgspec.Struct, frozen=True, array_like=True):
    """A class; its bases, keywords and decorators are values of the body ``parent``; ``body`` indexes functions."""

    name: str
    qualname: str
    parent: int
    bases: tuple[Value, ...]
    keywords: tuple[tuple[str, Value], ...]
    decorators: tuple[Value, ...]
    body: int
    doc: str
    at: Span
    name_at: Span


class ImportFact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """``import module as bound`` (``name`` empty) or ``from module import name as bound``; star imports bind ``*``."""

    module: str
    name: str
    bound: str
    level: int
    function: int
    at: Span


class PythonFacts(msgspec.Struct, frozen=True, array_like=True):
    """One file. ``calls`` and ``reads`` are the indexes: last name of a callee, and name of an attribute, key or global
    that is read or set, each to the bodies that do. Under :data:`VALUE_CALLS` ``calls`` has the bodies that call a
    value: an argument, an entry of a dictionary, what a call returned.
    """

    functions: tuple[Function, ...]
    classes: tuple[Class, ...]
    imports: tuple[ImportFact, ...]
    calls: dict[str, tuple[int, ...]]
    reads: dict[str, tuple[int, ...]]


VALUE_CALLS = "()"
_BODY = msgspec.msgpack.Decoder(Body)
ENCODER = msgspec.msgpack.Encoder()

__all__ = ["ENCODER", "NONE", "VALUE_CALLS", "Class", "Function", "ImportFact", "ParamFact", "PythonFacts"]
