"""A value in a body of code, and what it is asked: what it is literally, what it calls, what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backaudit.facts import ops
from backaudit.facts.ops import NONE, AnyOp, Value
from backaudit.facts.place import Place, Span

if TYPE_CHECKING:
    from backaudit.project.code import Code

Access = tuple[str | int, ...]
ANY = "*"


def _is_starred(op: ops.AnyOp) -> bool:
    """Whether an item of a display is itself unpacked: ``(first, *rest)``."""
    return isinstance(op, ops.Build) and op.kind == "slice"


class Node:
    """A value: operation ``value`` of ``code``, made by :meth:`Code.node` alone, once, so that identity is equality.

    ``op`` is the operation, ``origin`` the node behind names (often itself). They are looked at a million times in a
    large project and therefore kept, as is what a call calls.
    """

    __slots__ = ("_func", "_method", "code", "op", "origin", "value")

    def __init__(self, code: Code, value: Value) -> None:
        self.code = code
        self.value = value
        self.op: AnyOp = code.ops[value]
        self.origin: Node = code.node(code.origin(value)) if type(self.op) is ops.Bind else self
        self._func: Node | None = None
        self._method: str | None = None

    def __repr__(self) -> str:
        return f"<Node {self.code.path}:{self.op}>"

    @property
    def at(self) -> Span:
        return self.op.at

    @property
    def place(self) -> Place:
        return Place(self.code.file.path, self.op.at)

    def to(self, value: Value) -> Node:
        """Another value of the same body."""
        return self.code.made.get(value) or self.code.node(value)

    @property
    def const(self) -> str | int | float | bool | None:
        """The literal it is, or None (also for a literal None)."""
        op = self.origin.op
        return op.value if isinstance(op, ops.Const) else None

    @property
    def keys(self) -> tuple[str | int, ...]:
        """The keys that it may be, each a literal (``"a" if test else "b"``); empty if it may be anything else.

        A constant of a module or of a class (``session[NEXT_KEY]``) is the literal that it stands for.
        """
        op = self.origin.op
        if isinstance(op, (ops.Name, ops.Import, ops.Attr)):
            constant = self.code.project.constant(self.origin)
            op = op if constant is None else constant.op
        if isinstance(op, ops.Choice):
            found = [self.origin.to(value).keys for value in (op.then, op.other)]
            return tuple(key for keys in found for key in keys) if all(found) else ()
        known = op.value if isinstance(op, ops.Const) else None
        return (known,) if isinstance(known, (str, int)) and not isinstance(known, bool) else ()

    @property
    def text(self) -> str | None:
        """The string it literally is (str or bytes), else None."""
        value = self.const
        return value if isinstance(value, str) else None

    @property
    def is_none(self) -> bool:
        """Whether it is a literal None."""
        op = self.origin.op
        return isinstance(op, ops.Const) and op.value is None

    @property
    def awaited(self) -> Node:
        """What ``await`` waits for, behind names; of anything else the value itself."""
        node = self.origin
        return node.to(node.op.value).origin if isinstance(node.op, ops.Await) else node

    def elements(self) -> list[Node]:
        """The items of a display (``a, b`` between brackets), or else the value alone."""
        op = self.op
        return [self.to(item) for item in op.items] if isinstance(op, ops.Build) else [self]

    def pair(self) -> tuple[Node, Node] | None:
        """Both elements of a tuple of two, behind names; None for anything else."""
        here = self.origin
        op = here.op
        if not isinstance(op, ops.Build) or op.kind != "tuple" or len(op.items) != 2:
            return None
        return here.to(op.items[0]), here.to(op.items[1])

    @property
    def is_self(self) -> bool:
        """Whether it is the first parameter of its function, as ``self`` is."""
        op = self.origin.op
        return isinstance(op, ops.Param) and op.index == 0

    @property
    def is_dict(self) -> bool:
        """Whether it is the display of a dictionary."""
        op = self.origin.op
        return isinstance(op, ops.Build) and op.kind == "dict"

    def entries(self) -> list[tuple[Node, Node]]:
        """The keys and values of a dictionary's display, behind names; without those that ``**`` unpacks."""
        return [(key, value) for key, value in self.entries_and_unpacked() if key is not None]

    def entries_and_unpacked(self) -> list[tuple[Node | None, Node]]:
        """As :meth:`entries`, in order, and with each mapping that ``**`` unpacks, which has no key."""
        here = self.origin
        op = here.op
        pairs = zip(op.keys, op.items, strict=True) if isinstance(op, ops.Build) and op.kind == "dict" else ()
        return [(None if key == NONE else here.to(key), here.to(item)) for key, item in pairs]

    # -- calls -----------------------------------------------------------------------------------------------------

    @property
    def call(self) -> ops.Call | None:
        op = self.origin.op
        return op if type(op) is ops.Call else None

    @property
    def func(self) -> Node | None:
        """What a call calls, None of anything else."""
        op = self.origin.op
        if self._func is None and type(op) is ops.Call:
            self._func = self.to(op.func)
        return self._func

    def arg(self, position: int | None = None, name: str | None = None) -> Node | None:
        """An argument by position, by keyword, or by either."""
        call = self.call
        if call is None:
            return None
        for keyword, value in call.keywords:
            if keyword == name:
                return self.to(value)
        if position is None:
            return None
        return self.to(call.args[position]) if position < len(call.args) else self._unpacked(position - len(call.args))

    def _unpacked(self, position: int) -> Node | None:
        """An argument that a tuple or list holds which is unpacked: ``execute(*query)``."""
        call = self.call
        display = self.to(call.star[0]).origin if call is not None and call.star else None
        op = display.op if display is not None else None
        if display is None or not isinstance(op, ops.Build) or op.kind not in ("tuple", "list"):
            return None
        items = [display.to(item) for item in op.items[: position + 1]]
        plain = len(items) > position and not any(_is_starred(item.op) for item in items)
        return items[position] if plain else None

    def argument(self, which: tuple[int | str, ...]) -> Node | None:
        """The first argument that is given of several, each by its position or its name, as tables write them."""
        return next(iter(self.arguments(which)), None)

    def arguments(self, which: tuple[int | str, ...]) -> list[Node]:
        """All that are given of the arguments that a table names by position or name, each once; ``*`` is for all."""
        if "*" in which:
            return self.args()
        given = (self.arg(key) if isinstance(key, int) else self.arg(None, key) for key in which)
        return list(dict.fromkeys(node for node in given if node is not None))

    def args(self) -> list[Node]:
        """All arguments, unpacked ones included."""
        call = self.call
        if call is None:
            return []
        values = [*call.args, *call.star, *(value for _, value in call.keywords), *call.dstar]
        return [self.to(value) for value in values]

    def keywords(self) -> dict[str, Node]:
        call = self.call
        return {} if call is None else {name: self.to(value) for name, value in call.keywords}

    @property
    def receiver(self) -> Node | None:
        """For a method call: what stands before the dot."""
        func = self.func
        op = func.op if func is not None else None
        return self.to(op.base) if isinstance(op, ops.Attr) else None

    @property
    def method(self) -> str:
        """The last name of the callee, empty if it has none."""
        if self._method is None:
            self._method = self._found_method()
        return self._method

    def _found_method(self) -> str:
        func = self.func
        op = func.origin.op if func is not None else None
        if type(op) is ops.Attr:
            return op.name
        if type(op) is ops.Name:
            return self.code.file.called(op.name)
        if isinstance(op, ops.Import):
            return op.name or op.module.rpartition(".")[2]
        # What the same body defines is called by the name that the definition gives it.
        if isinstance(op, ops.ClassDef):
            return self.code.file.facts.classes[op.cls].name
        return self.code.file.facts.functions[op.function].name if isinstance(op, ops.Def) else ""

    def is_call_of(self, kind: str) -> bool:
        """Whether it calls what the tables of libraries list under a kind, by its last name."""
        return self.method in self.code.project.models.kinds[kind]

    @property
    def spelled(self) -> str:
        """How the code writes it, as far as it is a dotted name (``user.password``); else empty."""
        op = self.op
        if isinstance(op, ops.Attr):
            base = self.to(op.base).spelled
            return f"{base}.{op.name}" if base else op.name
        if isinstance(op, (ops.Name, ops.Param, ops.Bind, ops.Phi)):
            return op.name
        if isinstance(op, ops.Item):
            key = self.to(op.key).const
            base = self.to(op.base).spelled
            return f"{base}[{key!r}]" if base and isinstance(key, (str, int)) else base
        if isinstance(op, ops.Call):
            func = self.to(op.func).spelled
            return f"{func}()" if func else ""
        if isinstance(op, ops.Await):
            return self.to(op.value).spelled
        return ""


def operands(op: AnyOp) -> tuple[Value, ...]:
    """The values that an operation reads."""
    if isinstance(op, ops.Call):
        return (op.func, *op.args, *op.star, *(value for _, value in op.keywords), *op.dstar)
    if isinstance(op, ops.Build):
        return (*op.items, *op.keys)
    if isinstance(op, (ops.Phi, ops.Logic)):
        return op.values
    return tuple(getattr(op, field) for field in _OPERANDS.get(type(op), ()))


_OPERANDS: dict[type[AnyOp], tuple[str, ...]] = {
    ops.Attr: ("base",),
    ops.Item: ("base", "key"),
    ops.Format: ("value",),
    ops.Bin: ("left", "right"),
    ops.Compare: ("left", "right"),
    ops.Unary: ("value",),
    ops.Choice: ("test", "then", "other"),
    ops.Element: ("base",),
    ops.Part: ("base",),
    ops.Comp: ("value", "key"),
    ops.Await: ("value",),
    ops.Yield: ("value",),
    ops.Enter: ("value",),
    ops.Bind: ("value",),
    ops.SetAttr: ("base", "value"),
    ops.SetItem: ("base", "key", "value"),
    ops.Return: ("value",),
    ops.Raise: ("exception", "cause"),
    ops.Delete: ("value",),
    ops.Assert: ("test", "message"),
    ops.Discard: ("value",),
}
