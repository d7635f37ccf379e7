"""Views on facts: a file, and one of its bodies of code. They decode on demand and hold no knowledge."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar
from zlib import crc32

from backaudit.facts import ops
from backaudit.facts.ops import NONE, AnyOp, Body, Op, Region, Value
from backaudit.facts.place import Place
from backaudit.facts.python import Function, PythonFacts
from backaudit.project.classes import ClassView
from backaudit.project.nodes import ANY, Access, Node

if TYPE_CHECKING:
    from backaudit.project import Project

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
        found = [call for name in dict.fromkeys(names) for call in self._calls_by_name.get(name, ())]
        return iter(found if len(names) == 1 else sorted(found, key=lambda call: call.value))

    @cached_property
    def _calls_by_name(self) -> dict[str, list[Node]]:
        table: dict[str, list[Node]] = {}
        for call in self.nodes(ops.Call):
            table.setdefault(call.method, []).append(call)
        return table

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

    def stretch(self, at: Value) -> Value:
        """The first operation of those in one row with ``at``: no region, assertion or call is between them."""
        return self._stretches[bisect_right(self._stretches, at) - 1]

    @cached_property
    def _stretches(self) -> list[Value]:
        begun = {NONE, 0, *(end for region in self.body.regions for end in (region.first, region.last))}
        begun.update(value + 1 for value in self.before(len(self.ops), ops.Assert, ops.Call))
        return sorted(begun)

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

    @cached_property
    def firsts(self) -> list[Value]:
        """For each value of a body the first that is read from the same place: each is looked at once."""
        firsts: list[Value] = []
        known: dict[object, Value] = {}
        for value, op in enumerate(self.ops):
            origin = self.origin(value)
            if origin != value:
                firsts.append(firsts[origin])
                continue
            made = _made(op, firsts)
            firsts.append(value if made is None else known.setdefault(made, value))
        return firsts

    def __repr__(self) -> str:
        return f"<Code {self.path}:{self.function.qualname or '<module>'}>"


def _made(op: AnyOp, firsts: list[Value]) -> tuple[object, ...] | None:
    """What two values have in common that are read from the same place; None of one that is like no other."""
    if isinstance(op, ops.Attr):
        return ops.Attr, firsts[op.base], op.name
    if isinstance(op, ops.Item):
        return ops.Item, firsts[op.base], firsts[op.key]
    if isinstance(op, ops.Call):
        return None if op.keywords else (ops.Call, firsts[op.func], *(firsts[value] for value in op.args))
    if isinstance(op, ops.Const):
        return ops.Const, type(op.value), op.value
    return (ops.Name, op.name) if isinstance(op, ops.Name) else None


def _attribute(key: Node) -> str:
    """The attribute that is named by a value, or any."""
    return key.text if key.text is not None else ANY


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

    @property
    def bodies(self) -> Iterator[Code]:
        """The bodies of the module, its classes and functions, in the order of their indexes."""
        return (self.code(index) for index in range(len(self.facts.functions)))

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

    def called(self, name: str) -> str:
        """What a name of the module is called where it is defined, if an import binds it under this one."""
        return self._renamed.get(name, name)

    @cached_property
    def _renamed(self) -> dict[str, str]:
        imports = (item for item in self.facts.imports if item.name and item.name != "*")
        return {item.bound: item.name for item in imports if item.bound != item.name}

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
