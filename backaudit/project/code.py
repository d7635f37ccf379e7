"""Views on facts: a file, one of its bodies of code, a value in it. They decode on demand and hold no knowledge."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar
from zlib import crc32

from backaudit.facts import ops
from backaudit.facts.ops import NONE, AnyOp, Body, Op, Region, Value
from backaudit.facts.place import Place, Span
from backaudit.facts.python import Class, Function, PythonFacts

if TYPE_CHECKING:
    from backaudit.project import Project

Access = tuple[str | int, ...]
ANY = "*"
Role = Literal["production", "test", "migration", "script", "example"]
OpT = TypeVar("OpT", bound=ops.Op)


class Code:
    """One body of code: a module, class body, function or lambda of a file.

    Its hash is the same in every run, so that sets of bodies are walked in one order: what is asked first decides where
    a rule ends that asks too much.
    """

    __slots__ = ("__dict__", "_hash", "file", "function", "index", "made", "project")

    def __init__(self, project: Project, file: PythonFile, index: int) -> None:
        self._hash = crc32(f"{file.path}:{index}".encode())
        self.project = project
        self.file = file
        self.index = index
        self.function: Function = file.facts.functions[index]
        self.made: dict[Value, Node] = {}

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def body(self) -> Body:
        return self.function.decode()

    @cached_property
    def ops(self) -> tuple[AnyOp, ...]:
        return self.body.ops

    @property
    def path(self) -> str:
        return self.file.path

    @property
    def name(self) -> str:
        """The dotted name by which the project knows it: module, then qualified name."""
        qualname = self.function.qualname
        return f"{self.file.module}.{qualname}" if qualname else self.file.module

    @cached_property
    def key(self) -> str:
        """Its name, and its place among several of that name in the file (both branches of an ``if`` define it)."""
        before, _ = self.file.namesakes_of_function(self.index)
        return f"{self.name}#{before + 1}" if before else self.name

    @property
    def place(self) -> Place:
        return Place(self.file.path, self.function.name_at)

    @cached_property
    def parent(self) -> Code | None:
        return None if self.function.parent < 0 else self.file.code(self.function.parent)

    @cached_property
    def enclosing(self) -> Code | None:
        """The body in which this one's free names are looked up next: class bodies are skipped."""
        outer = self.parent
        while outer is not None and outer.function.kind == "class" and self.function.kind != "class":
            outer = outer.parent
        return outer

    @cached_property
    def defined(self) -> tuple[Code, ...]:
        """The bodies of the functions that this body defines."""
        return tuple(self.file.code(op.function) for op in self.ops if isinstance(op, ops.Def))

    @property
    def nested(self) -> Iterator[Code]:
        """This body and all bodies within it, outermost first."""
        yield self
        for inner in self.defined:
            yield from inner.nested

    @cached_property
    def cls(self) -> ClassView | None:
        return None if self.function.cls < 0 else self.file.class_view(self.function.cls)

    def node(self, value: Value) -> Node:
        """The one node of that operation."""
        found = self.made.get(value)
        if found is None:
            found = self.made[value] = Node(self, value)
        return found

    def nodes(self, kind: type[OpT]) -> Iterator[Node]:
        """The values that operations of one kind made, in evaluation order."""
        return (self.node(value) for value in self._by_kind.get(kind, ()))

    def calls_of(self, *names: str) -> Iterator[Node]:
        """The calls of what has one of these last names, whoever the receiver is."""
        return (call for call in self.nodes(ops.Call) if call.method in names)

    def before(self, use: Value, *kinds: type[Op]) -> list[Value]:
        """The operations of some kinds that stand before ``use``, in order."""
        found: list[Value] = []
        for kind in kinds:
            values = self._by_kind.get(kind, [])
            found += values[: bisect_left(values, use)]
        return sorted(found) if len(kinds) > 1 else found

    @cached_property
    def _by_kind(self) -> dict[type[Op], list[Value]]:
        table: dict[type[Op], list[Value]] = {}
        for value, op in enumerate(self.ops):
            table.setdefault(type(op), []).append(value)
        return table

    def outside(self, value: Value) -> Node | None:
        """A decorator, annotation or default of this function: a value of the enclosing body."""
        return None if value == NONE or self.parent is None else self.parent.node(value)

    @cached_property
    def decorators(self) -> tuple[Node, ...]:
        parent = self.parent
        return () if parent is None else tuple(parent.node(value) for value in self.function.decorators)

    def regions_of(self, value: Value) -> list[Region]:
        """The regions around an operation, innermost first."""
        regions = self.body.regions
        index = self._innermost[value] if 0 <= value < len(self.ops) else -1
        found = []
        while index >= 0:
            found.append(regions[index])
            index = regions[index].parent
        return found

    @cached_property
    def _innermost(self) -> list[int]:
        """For each operation the index of the innermost region around it, -1 for none."""
        found = [-1] * len(self.ops)
        for index, region in enumerate(self.body.regions):
            found[region.first : region.last] = [index] * (region.last - region.first)
        return found

    def beside(self, region: Region) -> list[Region]:
        """The regions of the same statement, itself included, in order."""
        return self._groups[region.group]

    @cached_property
    def _groups(self) -> dict[int, list[Region]]:
        table: dict[int, list[Region]] = {}
        for region in self.body.regions:
            table.setdefault(region.group, []).append(region)
        return table

    @cached_property
    def effects(self) -> dict[Value, list[Value]]:
        """For each object (by the value that made it): the operations that store into it or call its methods."""
        table: dict[Value, list[Value]] = {}
        for value, op in enumerate(self.ops):
            kind = type(op)
            if kind is ops.Call:
                func = self.ops[op.func]  # type: ignore[union-attr]
                if type(func) is ops.Attr:
                    table.setdefault(self.origin(func.base), []).append(value)
                elif type(func) is ops.Name and func.name == "setattr" and op.args:  # type: ignore[union-attr]
                    table.setdefault(self.origin(op.args[0]), []).append(value)  # type: ignore[union-attr]
            elif kind is ops.SetItem or kind is ops.SetAttr:
                table.setdefault(self.origin(op.base), []).append(value)  # type: ignore[union-attr]
        return table

    @cached_property
    def changes(self) -> dict[Value, list[tuple[Access, Value]]]:
        """As :attr:`effects`, by the object at the root: for each the part of it that an operation changes."""
        table: dict[Value, list[tuple[Access, Value]]] = {}
        for base, values in self.effects.items():
            root, path = self.root(base)
            table.setdefault(root, []).extend((path, value) for value in values)
        return table

    @cached_property
    def handed(self) -> dict[Value, list[tuple[Access, Value]]]:
        """For each object at the root of an argument: its part, and the call that gets it."""
        table: dict[Value, list[tuple[Access, Value]]] = {}
        for value in self._by_kind.get(ops.Call, ()):
            op = self.ops[value]
            assert isinstance(op, ops.Call)
            for argument in (*op.args, *(given for _, given in op.keywords)):
                root, path = self.root(argument)
                if not isinstance(self.ops[root], ops.Const):
                    table.setdefault(root, []).append((path, value))
        return table

    def root(self, value: Value) -> tuple[Value, Access]:
        """The object that a value is read from, and the part of it; a name that is not local is one object."""
        path: list[str | int] = []
        while True:
            op = self.ops[value]
            if type(op) is ops.Bind:
                value = op.value
            elif type(op) is ops.Attr:
                # What an object holds is the same by ``.name``, ``.__dict__["name"]`` and ``vars(…)["name"]``.
                if op.name != "__dict__":
                    path.append(op.name)
                value = op.base
            elif type(op) is ops.Call and self._is_vars(op):
                value = op.args[0]
            elif type(op) is ops.Item:
                path.append(self._key(op.key))
                value = op.base
            elif type(op) is ops.Name:
                return self._names[op.name], tuple(reversed(path))
            else:
                return value, tuple(reversed(path))

    def _key(self, value: Value) -> str | int:
        """The literal key, itself or by a module's constant; attributes of things are asked for nothing here."""
        keys = () if type(self.ops[self.origin(value)]) is ops.Attr else self.node(value).keys
        return keys[0] if len(keys) == 1 else ANY

    def _is_vars(self, call: AnyOp) -> bool:
        func = self.ops[call.func] if isinstance(call, ops.Call) and len(call.args) == 1 else None
        return type(func) is ops.Name and func.name == "vars"

    @cached_property
    def _names(self) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for value in self._by_kind.get(ops.Name, ()):
            found.setdefault(self.ops[value].name, value)  # type: ignore[union-attr]
        return found

    def sets_by_name(self, value: Value) -> Access:
        """The attribute that ``setattr`` sets, or any where names come with the values; empty for other operations."""
        node = self.node(value)
        op = node.op
        if isinstance(op, ops.SetItem):
            return (_attribute(node.to(op.key)),) if self._of_instance_dict(op.base) else ()
        if not isinstance(op, ops.Call):
            return ()
        if node.receiver is None:
            return (_attribute(node.to(op.args[1])),) if node.method == "setattr" and len(op.args) > 1 else ()
        updates = node.method in ("update", "setdefault")
        return (ANY,) if updates and self._of_instance_dict(node.receiver.value) else ()

    def _of_instance_dict(self, value: Value) -> bool:
        """Whether a value is the ``__dict__`` of an object."""
        op = self.ops[self.origin(value)]
        return (type(op) is ops.Attr and op.name == "__dict__") or (type(op) is ops.Call and self._is_vars(op))

    def rebinds(self, name: str) -> tuple[Node, ...]:
        """The binds by which bodies inside of this one give its name another value (``global``, ``nonlocal``)."""
        found = self._rebound.get(name)
        if found is None:
            found = self._rebound[name] = tuple(self._find_rebinds(name))
        return found

    def _find_rebinds(self, name: str) -> Iterator[Node]:
        scope = "global" if self.function.kind == "module" else "nonlocal"
        for index in dict.fromkeys(self.file.facts.reads.get(name, ())):
            other = self.file.code(index)
            if other is not self and (scope == "global" or other.is_inside(self)):
                for node in other.nodes(ops.Bind):
                    op = node.op
                    if isinstance(op, ops.Bind) and op.name == name and op.scope == scope:
                        yield node

    @cached_property
    def _rebound(self) -> dict[str, tuple[Node, ...]]:
        return {}

    def is_inside(self, other: Code) -> bool:
        """Whether this body stands in another."""
        outer = self.parent
        while outer is not None and outer is not other:
            outer = outer.parent
        return outer is not None

    @cached_property
    def results(self) -> tuple[Node, ...]:
        """The statements and expressions by which the body gives something back, in order."""
        found = sorted([*self._by_kind.get(ops.Return, ()), *self._by_kind.get(ops.Yield, ())])
        return tuple(self.node(value) for value in found if self.ops[value].value != NONE)

    def returned(self) -> list[Node]:
        """The values that the body returns."""
        return [node.to(node.op.value) for node in self.results if isinstance(node.op, ops.Return)]

    @cached_property
    def made_by(self) -> Node | None:
        """The definition of this function in the body around it."""
        for node in self.parent.nodes(ops.Def) if self.parent is not None else ():
            if isinstance(node.op, ops.Def) and node.op.function == self.index:
                return node
        return None

    def origin(self, value: Value) -> Value:
        """The value behind names: binds are followed to what they bind."""
        op = self.ops[value]
        while type(op) is ops.Bind:
            value = op.value
            op = self.ops[value]
        return value

    def __repr__(self) -> str:
        return f"<Code {self.path}:{self.function.qualname or '<module>'}>"


def _is_starred(op: ops.AnyOp) -> bool:
    """Whether an item of a display is itself unpacked: ``(first, *rest)``."""
    return isinstance(op, ops.Build) and op.kind == "slice"


class Node:
    """A value: operation ``value`` of ``code``, made by :meth:`Code.node` alone, once, so that identity is equality.

    ``op`` is the operation, ``origin`` the node behind names (often itself). They are looked at a million times in a
    large project and therefore kept.
    """

    __slots__ = ("code", "op", "origin", "value")

    def __init__(self, code: Code, value: Value) -> None:
        self.code = code
        self.value = value
        self.op: AnyOp = code.ops[value]
        self.origin: Node = code.node(code.origin(value)) if type(self.op) is ops.Bind else self

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
        op = self.origin.op
        return self.to(op.func) if type(op) is ops.Call else None

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
        func = self.func
        op = func.origin.op if func is not None else None
        if isinstance(op, ops.Attr):
            return op.name
        if isinstance(op, ops.Name):
            return op.name
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


class ClassView:
    """A class of the project. Its hash is the same in every run, as a body's is."""

    __slots__ = ("__dict__", "_hash", "cls", "file", "index")

    def __init__(self, file: PythonFile, index: int) -> None:
        self._hash = crc32(f"{file.path}:{index}".encode())
        self.file = file
        self.index = index
        self.cls: Class = file.facts.classes[index]

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def name(self) -> str:
        """The dotted name by which the project knows it; of several of one name in a file the last has it alone."""
        written = f"{self.file.module}.{self.cls.qualname}"
        before, behind = self.file.namesakes_of_class(self.index)
        return f"{written}#{before + 1}" if behind else written

    @property
    def place(self) -> Place:
        return Place(self.file.path, self.cls.name_at)

    @cached_property
    def body(self) -> Code:
        return self.file.code(self.cls.body)

    @cached_property
    def outer(self) -> Code:
        return self.file.code(self.cls.parent)

    @cached_property
    def bases(self) -> tuple[Node, ...]:
        return tuple(self.outer.node(value) for value in self.cls.bases)

    @cached_property
    def methods(self) -> dict[str, Code]:
        """By name; properties and static methods included, setters not."""
        return {code.function.name: code for code in self._functions if not _is_setter(code)}

    @cached_property
    def setters(self) -> dict[str, Code]:
        """Property setters by the name of what they set: that of ``@name.setter``, whatever the function is called."""
        return {_set_by(code): code for code in self._functions if _is_setter(code)}

    @cached_property
    def _functions(self) -> list[Code]:
        functions = self.file.facts.functions
        return [
            self.file.code(index)
            for index, function in enumerate(functions)
            if function.cls == self.index and function.kind == "function"
        ]

    @cached_property
    def fields(self) -> dict[str, Node]:
        """Names that the class body binds, methods and nested classes excepted, in order: name to its bind."""
        body = self.body
        found: dict[str, Node] = {}
        for value, op in enumerate(body.ops):
            if isinstance(op, ops.Bind) and not isinstance(body.ops[op.value], (ops.Def, ops.ClassDef)):
                found[op.name] = body.node(value)
        return found

    @cached_property
    def inner(self) -> dict[str, ClassView]:
        """Classes defined in the body (``Meta``, ``Config``)."""
        body = self.body
        return {
            self.file.facts.classes[op.cls].name: self.file.class_view(op.cls)
            for op in body.ops
            if isinstance(op, ops.ClassDef)
        }

    @cached_property
    def assigned(self) -> dict[str, list[Node]]:
        """``self.name = value`` in the methods: name to the stores."""
        found: dict[str, list[Node]] = {}
        for method in self.methods.values():
            for node in method.nodes(ops.SetAttr):
                op = node.op
                assert isinstance(op, ops.SetAttr)
                base = method.ops[method.origin(op.base)]
                if isinstance(base, ops.Param) and base.index == 0:
                    found.setdefault(op.name, []).append(node)
        return found

    @cached_property
    def cells(self) -> dict[str, list[tuple[Access, Node]]]:
        """What methods change of ``self``: attribute to the part of ``self`` that an operation changes, and that."""
        found: dict[str, list[tuple[Access, Node]]] = {}
        for method in (*self.methods.values(), *self.setters.values()):
            for path, value in method.changes.get(0, ()) if method.function.params else ():
                op = method.ops[value]
                full = (*path, op.name) if isinstance(op, ops.SetAttr) else path or method.sets_by_name(value)
                if full:
                    found.setdefault(str(full[0]), []).append((path, method.node(value)))
        return found

    def values_of(self, name: str) -> Iterator[Node]:
        """What an attribute is given in the methods and in the body."""
        for store in self.assigned.get(name, ()):
            if isinstance(store.op, ops.SetAttr):
                yield store.to(store.op.value)
        if name in self.fields:
            yield self.fields[name].origin

    def __repr__(self) -> str:
        return f"<Class {self.name}>"


def _attribute(key: Node) -> str:
    """The attribute that is named by a value, or any."""
    return key.text if key.text is not None else ANY


def _is_setter(code: Code) -> bool:
    return any(isinstance(d.op, ops.Attr) and d.op.name in ("setter", "deleter") for d in code.decorators)


def _set_by(setter: Code) -> str:
    """``password`` of ``@password.setter``, and of SQLAlchemy's ``@password.inplace.setter``."""
    for decorator in setter.decorators:
        op = decorator.op
        if isinstance(op, ops.Attr) and op.name in ("setter", "deleter"):
            return decorator.to(op.base).spelled.removesuffix(".inplace").rpartition(".")[2] or setter.function.name
    return setter.function.name


class PythonFile:
    """One Python file of the project."""

    def __init__(self, project: Project, path: str, facts: PythonFacts, module: str, role: Role) -> None:
        self.project = project
        self.path = path
        self.facts = facts
        self.module = module
        self.role = role
        self._codes: dict[int, Code] = {}
        self._classes: dict[int, ClassView] = {}

    def code(self, index: int) -> Code:
        found = self._codes.get(index)
        if found is None:
            found = self._codes[index] = Code(self.project, self, index)
        return found

    def class_view(self, index: int) -> ClassView:
        found = self._classes.get(index)
        if found is None:
            found = self._classes[index] = ClassView(self, index)
        return found

    def namesakes_of_function(self, index: int) -> tuple[int, int]:
        """How many functions of the same qualified name stand before one, and how many behind."""
        places = self._functions_by_name.get(self.facts.functions[index].qualname, [index])
        return places.index(index), len(places) - places.index(index) - 1

    def namesakes_of_class(self, index: int) -> tuple[int, int]:
        """How many classes of the same qualified name stand before one, and how many behind."""
        places = self._classes_by_name[self.facts.classes[index].qualname]
        return places.index(index), len(places) - places.index(index) - 1

    @cached_property
    def _functions_by_name(self) -> dict[str, list[int]]:
        kinds = ("function", "lambda")
        named = [(n, function.qualname) for n, function in enumerate(self.facts.functions) if function.kind in kinds]
        return _grouped(named)

    @cached_property
    def _classes_by_name(self) -> dict[str, list[int]]:
        return _grouped([(index, cls.qualname) for index, cls in enumerate(self.facts.classes)])

    @property
    def top(self) -> Code:
        """The module's own body."""
        return self.code(0)

    def classes(self) -> Iterator[ClassView]:
        return (self.class_view(index) for index in range(len(self.facts.classes)))

    def __repr__(self) -> str:
        return f"<PythonFile {self.path}>"


def _grouped(named: list[tuple[int, str]]) -> dict[str, list[int]]:
    table: dict[str, list[int]] = {}
    for index, name in named:
        table.setdefault(name, []).append(index)
    return table


SERVING = ("production", "script")


def last_name(name: str) -> str:
    return name.rpartition(".")[2]


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
