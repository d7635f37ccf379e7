"""A class of the project: its bases, its methods, and what it binds and is given."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING
from zlib import crc32

from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.facts.python import Class
from backaudit.project.nodes import Access, Node

if TYPE_CHECKING:
    from backaudit.project.code import Code, PythonFile


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


def _is_setter(code: Code) -> bool:
    return any(isinstance(d.op, ops.Attr) and d.op.name in ("setter", "deleter") for d in code.decorators)


def _set_by(setter: Code) -> str:
    """``password`` of ``@password.setter``, and of SQLAlchemy's ``@password.inplace.setter``."""
    for decorator in setter.decorators:
        op = decorator.op
        if isinstance(op, ops.Attr) and op.name in ("setter", "deleter"):
            return decorator.to(op.base).spelled.removesuffix(".inplace").rpartition(".")[2] or setter.function.name
    return setter.function.name
