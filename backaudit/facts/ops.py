"""The body of a function, lowered: a flat table of operations in evaluation order, in SSA form.

A value is named by the index of the operation that made it (``Value``); ``NONE`` (-1) stands for "absent". A local
variable that is read needs no operation of its own: the reader names the value directly, so def-use edges are the
table itself. Where control joins, a :class:`Phi` says which values may arrive. A :class:`Region` is a contiguous run
of operations under one branch, loop, handler or ``with``; regions nest.

Nothing here knows a model or another file: which call is a source, a sink or a guard is answered after linking.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from backaudit.facts.place import Span

Value: TypeAlias = int
Literals: TypeAlias = bool | int | float | str | None

NONE: Value = -1


class Op(msgspec.Struct, frozen=True, array_like=True, gc=False, tag_field="op"):
    """One operation; ``at`` is the exact span of the expression or statement."""

    at: Span


class Const(Op, tag=0, frozen=True, array_like=True, gc=False):
    """A literal; implicit concatenation is folded. Numbers beyond 64 bits and ``...`` are :class:`Opaque`.

    Bytes are kept as text, one code point a byte, with ``binary`` set.
    """

    value: Literals
    binary: bool = False


class Name(Op, tag=1, frozen=True, array_like=True, gc=False):
    """A name that this body does not bind at this point: global, free, class-level or builtin."""

    name: str


class Param(Op, tag=2, frozen=True, array_like=True, gc=False):
    """Parameter ``index`` of the function, in the order of :attr:`Function.params`."""

    name: str
    index: int


class Attr(Op, tag=3, frozen=True, array_like=True, gc=False):
    base: Value
    name: str


class Item(Op, tag=4, frozen=True, array_like=True, gc=False):
    """``base[key]``."""

    base: Value
    key: Value


class Call(Op, tag=5, frozen=True, array_like=True, gc=False):
    """A call. ``args`` are the positional arguments before any ``*``; ``star`` and ``dstar`` the unpacked ones."""

    func: Value
    args: tuple[Value, ...]
    keywords: tuple[tuple[str, Value], ...] = ()
    star: tuple[Value, ...] = ()
    dstar: tuple[Value, ...] = ()


BuildKind = Literal["tuple", "list", "set", "dict", "slice", "fstring"]


class Build(Op, tag=6, frozen=True, array_like=True, gc=False):
    """A display. For ``dict``, ``keys`` run beside ``items``, ``NONE`` where a mapping is unpacked with ``**``."""

    kind: BuildKind
    items: tuple[Value, ...]
    keys: tuple[Value, ...] = ()


class Format(Op, tag=7, frozen=True, array_like=True, gc=False):
    """A replacement field of an f-string."""

    value: Value
    conversion: str
    spec: str


class Bin(Op, tag=8, frozen=True, array_like=True, gc=False):
    """Arithmetic: ``operator`` is the Python token (``+ - * / // % @ ** << >> & | ^``)."""

    operator: str
    left: Value
    right: Value


class Compare(Op, tag=9, frozen=True, array_like=True, gc=False):
    """One comparison (``== != < <= > >= in, not in, is, is not``); a chain is an ``and`` of several."""

    operator: str
    left: Value
    right: Value


class Logic(Op, tag=10, frozen=True, array_like=True, gc=False):
    """``and`` / ``or``."""

    operator: str
    values: tuple[Value, ...]


class Unary(Op, tag=11, frozen=True, array_like=True, gc=False):
    operator: str
    value: Value


class Phi(Op, tag=12, frozen=True, array_like=True, gc=False):
    """Where control joins: the value of ``name`` is one of ``values``."""

    name: str
    values: tuple[Value, ...]


class Choice(Op, tag=13, frozen=True, array_like=True, gc=False):
    """``then if test else other``."""

    test: Value
    then: Value
    other: Value


class Element(Op, tag=14, frozen=True, array_like=True, gc=False):
    """An element of ``base``, as a loop or comprehension gets it."""

    base: Value


class Part(Op, tag=15, frozen=True, array_like=True, gc=False):
    """The ``index``-th part of an unpacked value; a starred rest has ``index`` -1."""

    base: Value
    index: int


class Comp(Op, tag=16, frozen=True, array_like=True, gc=False):
    """A comprehension or generator expression; ``kind`` is list, set, dict or generator."""

    kind: str
    value: Value
    key: Value


class Def(Op, tag=17, frozen=True, array_like=True, gc=False):
    """A nested ``def`` or ``lambda``: ``function`` indexes the file's functions."""

    function: int


class ClassDef(Op, tag=18, frozen=True, array_like=True, gc=False):
    cls: int


class Await(Op, tag=19, frozen=True, array_like=True, gc=False):
    value: Value


class Yield(Op, tag=20, frozen=True, array_like=True, gc=False):
    """``yield value``; ``delegates`` for ``yield from``."""

    value: Value
    delegates: bool


class Caught(Op, tag=21, frozen=True, array_like=True, gc=False):
    """The exception that a handler caught; ``types`` is the handler's expression, ``NONE`` if bare."""

    types: Value


class Enter(Op, tag=22, frozen=True, array_like=True, gc=False):
    """What ``with value as ...`` binds."""

    value: Value


class Import(Op, tag=23, frozen=True, array_like=True, gc=False):
    """What an import binds: module ``module`` (``name`` empty) or its attribute; ``level`` counts leading dots."""

    module: str
    name: str
    level: int


class Opaque(Op, tag=24, frozen=True, array_like=True, gc=False):
    """A value nothing is known of."""


class Bind(Op, tag=30, frozen=True, array_like=True, gc=False):
    """``name = value``: the same value under a name. ``scope`` is ``local`` unless declared otherwise."""

    name: str
    value: Value
    annotation: Value = NONE
    scope: Literal["local", "global", "nonlocal"] = "local"


class SetAttr(Op, tag=31, frozen=True, array_like=True, gc=False):
    base: Value
    name: str
    value: Value
    annotation: Value = NONE


class SetItem(Op, tag=32, frozen=True, array_like=True, gc=False):
    base: Value
    key: Value
    value: Value


class Return(Op, tag=34, frozen=True, array_like=True, gc=False):
    value: Value


class Raise(Op, tag=35, frozen=True, array_like=True, gc=False):
    exception: Value
    cause: Value


class Delete(Op, tag=36, frozen=True, array_like=True, gc=False):
    value: Value


class Assert(Op, tag=37, frozen=True, array_like=True, gc=False):
    test: Value
    message: Value


class Discard(Op, tag=38, frozen=True, array_like=True, gc=False):
    """An expression statement: ``value`` is computed and dropped."""

    value: Value


AnyOp: TypeAlias = (
    Const | Name | Param | Attr | Item | Call | Build | Format | Bin | Compare | Logic | Unary | Phi | Choice
    | Element | Part | Comp | Def | ClassDef | Await | Yield | Caught | Enter | Import | Opaque | Bind | SetAttr
    | SetItem | Return | Raise | Delete | Assert | Discard
)  # fmt: skip

RegionKind = Literal[
    "body", "then", "else", "loop", "loop-else", "try", "except", "try-else", "finally", "with", "case", "comp", "lazy"
]


class Region(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Operations ``first`` (inclusive) to ``last`` (exclusive) under one condition.

    ``test``: the condition (then, else, loop, case, lazy), the iterated value (for), the context manager (with), or the
    handler's exception types (except; ``NONE`` if bare). ``exits``: how control leaves when it never falls off the end:
    ``return``, ``raise``, ``continue``, ``break``, or empty. ``group``: equal for the branches of one statement (the
    try, its handlers, else and finally; the then and the else of an ``if``).
    """

    kind: RegionKind
    parent: int
    first: int
    last: int
    test: Value
    exits: str
    group: int
    at: Span


class Body(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """``final``: the value of each name when control leaves the end of the body (what closures and importers see).

    ``exits``: how control leaves when it never falls off the end of the body; empty if it can.
    """

    ops: tuple[AnyOp, ...]
    regions: tuple[Region, ...]
    final: dict[str, Value]
    exits: str = ""
