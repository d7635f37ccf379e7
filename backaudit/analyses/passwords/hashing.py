"""Classes that hash the password that they are given: in their constructor, when they are saved, validated or set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Goal, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.vocabulary.meaning import meaning

_DEPTH = 3
_ON_THE_WAY = ("__init__", "save", "asave", "__setattr__", "__post_init__", "model_post_init")
_VALIDATORS = frozenset("validates validator field_validator model_validator root_validator".split())
_LISTENERS = ("listens_for", "listen", "receiver", "connect")
_SAYS_SO = meaning("passwords", "hashing-call")
_HASHING_COLUMNS = ("PasswordType", "HashedPassword", "PasswordHash", "HashColumn", "BcryptColumn")


def hashes(project: Project, code: Code, depth: int = 0) -> bool:
    """Whether a body calls a password hash, itself or through functions of the project."""
    known = project.once(_answers)
    if code not in known:
        known[code] = False  # what calls itself
        known[code] = any(_is_hash(project, call, depth) for call in code.nodes(ops.Call))
    return known[code]


def _answers(project: Project) -> dict[Code, bool]:
    return {}


def _is_hash(project: Project, call: Node, depth: int) -> bool:
    names = project.names(call.func) if call.func is not None else ()
    if any(name in project.models.hashers for name in names) or call.method in ("set_password", "make_password"):
        return True
    return depth < _DEPTH and any(hashes(project, code, depth + 1) for code in project.callees(call))


class _Hashed(Goal):
    """A value that a hash function made, or a function that calls itself one."""

    def __init__(self, project: Project) -> None:
        self._hashers = project.models.hashers

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        func = node.func if isinstance(node.op, ops.Call) else None
        names = search.project.names(func) if func is not None else ()
        telling = func is not None and _SAYS_SO.holds(node.method)
        return "it is hashed" if telling or any(name in self._hashers for name in names) else None

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        return isinstance(node.op, ops.Const)

    def through(self, search: Search, call: Node) -> Iterable[Node]:
        """``digest.hex()`` and its kin are still the digest."""
        return [call.receiver] if call.receiver is not None else []


def made_by_hash(project: Project, node: Node, access: Access, use: Value | None) -> bool:
    """Whether a hash function made (the part of) a value on one of the ways that it comes."""
    return next(Trace(project, _Hashed(project)).origins(node, access, use), None) is not None


def hashes_itself(project: Project, cls: ClassView, field: str) -> bool:
    """Whether what is given to ``field`` of an object of the class is hashed before it is kept."""
    for owner in project.lineage(cls.name):
        view = project.class_named(owner)
        if view is not None and (
            _in_methods(project, view, field) or _by_type(view, field) or _by_descriptor(project, view, field)
        ):
            return True
    return any(hashes(project, code) for code in _listening(project, cls))


def hashes_when_told(project: Project, cls: ClassView, field: str) -> bool:
    """Whether a method of the class puts a hash into ``field``, and the project calls it."""
    return any(
        made_by_hash(project, store.to(store.op.value), (), store.value)
        for store in cls.assigned.get(field, ())
        if isinstance(store.op, ops.SetAttr) and project.callers(store.code)
    )


def _in_methods(project: Project, cls: ClassView, field: str) -> bool:
    setter = cls.setters.get(field)
    if setter is not None:
        return hashes(project, setter)
    return any(
        hashes(project, code) for name, code in cls.methods.items() if name in _ON_THE_WAY or _validates(project, code)
    )


def _validates(project: Project, code: Code) -> bool:
    names = [name for decorator in code.decorators for name in project.names(decorator.func or decorator)]
    return any(name.rpartition(".")[2] in _VALIDATORS for name in names)


def _by_descriptor(project: Project, cls: ClassView, field: str) -> bool:
    """``synonym("_password", descriptor=property(get, set))``: the function that sets it hashes."""
    bind = cls.fields.get(field)
    made = bind.origin if bind is not None else None
    for call in (made, *(value.origin for value in made.keywords().values())) if made is not None else ():
        setter = call.arg(1, "fset") if call.call is not None and call.method == "property" else None
        code = cls.methods.get(setter.spelled) if setter is not None else None
        if code is not None and hashes(project, code):
            return True
    return False


def _by_type(cls: ClassView, field: str) -> bool:
    """``Column(PasswordType(...))``: the column's type hashes."""
    bind = cls.fields.get(field)
    if bind is None or bind.origin.call is None:
        return False
    parts = [bind.origin.func, *(part for arg in bind.origin.args() for part in (arg, arg.func))]
    return any(part is not None and part.spelled.rpartition(".")[2].strip("()") in _HASHING_COLUMNS for part in parts)


def _listening(project: Project, cls: ClassView) -> Iterator[Code]:
    """Functions that run when an object of the class is saved or set."""
    for method in _LISTENERS:
        for call in project.calls_of(method):
            if any(_is_about(project, argument, cls) for argument in call.args()):
                yield from _registered(project, call)


def _is_about(project: Project, argument: Node, cls: ClassView) -> bool:
    op = argument.origin.op
    about = argument.origin.to(op.base) if isinstance(op, ops.Attr) else argument
    return any(
        cls.name in project.lineage(found.name) or found.name in project.lineage(cls.name)
        for node in (argument, about)
        for found in project.denoted_classes(node)
    )


def _registered(project: Project, call: Node) -> Iterator[Code]:
    file = call.code.file
    for index, function in enumerate(file.facts.functions):
        if call.value in function.decorators and file.code(function.parent) is call.code:
            yield file.code(index)
    for argument in call.args():
        for name in project.types(argument):
            code = project.function_named(name[4:-1]) if name.startswith("def[") else None
            if code is not None:
                yield code
