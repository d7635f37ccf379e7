"""Classes that hash the password that they are given: in their constructor, when they are saved, validated or set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Goal, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.vocabulary.meaning import meaning

_SAYS_SO = meaning("passwords", "hashing-call")


def hashes(project: Project, code: Code) -> bool:
    """Whether a body calls a password hash, itself or through functions of the project."""
    return bool(project.solved(_hashing, code))


def _hashing(project: Project, code: Code) -> Iterator[bool]:
    if any(_is_hash(project, call) for call in code.nodes(ops.Call)):
        yield True


def _is_hash(project: Project, call: Node) -> bool:
    names = project.names(call.func) if call.func is not None else ()
    if any(name in project.models.hashers for name in names) or call.method in ("set_password", "make_password"):
        return True
    return any(hashes(project, code) for code in project.callees(call))


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


def password_hash(project: Project, node: Node, use: Value | None) -> bool:
    """Whether a function that is made for passwords alone made a value: what it is kept as is a password's hash."""
    return next(Trace(project, _SlowlyHashed(project)).origins(node, (), use), None) is not None


class _SlowlyHashed(_Hashed):
    """What a password hash made, whatever it is called."""

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        func = node.func if isinstance(node.op, ops.Call) else None
        names = search.project.names(func) if func is not None else ()
        return "it is hashed" if any(self._hashers.get(name) == "strong" for name in names) else None


def hashed_if_there(project: Project, node: Node, use: Value, key: str) -> bool:
    """``if "password" in values: values["password"] = hash(...)`` before the use: it is hashed wherever it is there.

    ``if given.password: given.password = hash(...)`` says the same of an object.
    """
    code = node.code
    for effect in code.effects.get(node.value, ()):
        value = _put_under(code, effect, key) if effect < use else None
        if value is not None and _asks_for(code, effect, key) and made_by_hash(project, value, (), effect):
            return True
    return False


def _put_under(code: Code, effect: Value, key: str) -> Node | None:
    """What an operation puts into an object under a key, or as an attribute."""
    op = code.ops[effect]
    if isinstance(op, ops.SetAttr):
        return code.node(op.value) if op.name == key else None
    is_it = isinstance(op, ops.SetItem) and code.node(op.key).text == key
    return code.node(op.value) if is_it and isinstance(op, ops.SetItem) else None


def _asks_for(code: Code, effect: Value, key: str) -> bool:
    """Whether nothing but the key's own presence decides whether an operation runs."""
    tests = [code.node(region.test) for region in code.regions_of(effect) if region.test >= 0]
    return all(_is_about_key(test, key) for test in tests)


def _is_about_key(test: Node, key: str) -> bool:
    op = test.origin.op
    if isinstance(op, ops.Compare):
        sides = (test.to(op.left), test.to(op.right))
        return any(side.text == key or _reads_key(side, key) for side in sides)
    return _reads_key(test, key)


def _reads_key(node: Node, key: str) -> bool:
    made = node.origin
    if isinstance(made.op, ops.Item):
        return made.to(made.op.key).text == key
    first = made.arg(0) if made.call is not None and made.method in ("get", "pop") else None
    return (first is not None and first.text == key) or (isinstance(made.op, ops.Attr) and made.op.name == key)


def hashes_itself(project: Project, cls: ClassView, field: str) -> bool:
    """Whether what is given to ``field`` of an object of the class is hashed before it is kept."""
    for view in project.lineage_views(cls.name):
        if _in_methods(project, view, field) or _by_type(project, view, field) or _by_descriptor(project, view, field):
            return True
    return any(hashes(project, code) for code in _listening(project, cls))


def hashes_on_the_way(project: Project, cls: ClassView, field: str) -> bool:
    """Whether a field is read as its hash: a descriptor or the column's own type stands between."""
    return any(_by_type(project, view, field) for view in project.lineage_views(cls.name))


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
    passed = project.models.kinds["set-on-the-way"]
    return any(
        hashes(project, code) for name, code in cls.methods.items() if name in passed or _validates(project, code)
    )


def _validates(project: Project, code: Code) -> bool:
    names = [name for decorator in code.decorators for name in project.names(decorator.func or decorator)]
    return any(name.rpartition(".")[2] in project.models.kinds["field-validators"] for name in names)


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


def _by_type(project: Project, cls: ClassView, field: str) -> bool:
    """``Column(PasswordType(...))``: the column's type hashes, or what stands in the class under that name does."""
    bind = cls.fields.get(field)
    if bind is None or bind.origin.call is None:
        return False
    if any(_on_its_way(project, made) for made in (bind.origin, *bind.origin.args())):
        return True
    parts = [bind.origin.func, *(part for arg in bind.origin.args() for part in (arg, arg.func))]
    names = {part.spelled.rpartition(".")[2].strip("()") for part in parts if part is not None}
    return not project.models.kinds["hashing-columns"].isdisjoint(names)


def _on_its_way(project: Project, made: Node) -> bool:
    """A descriptor, a column type or a field of the project that hashes or encrypts what passes through it."""
    classes = [*project.instances(made), *project.denoted_classes(made)]
    found = (project.method(cls.name, name) for cls in classes for name in sorted(project.models.kinds["column-hooks"]))
    return any(code is not None and (hashes(project, code) or _encrypts(project, code)) for code in found)


def _encrypts(project: Project, code: Code) -> bool:
    known = project.models.kinds["encrypting"]
    calls = (call for call in code.nodes(ops.Call) if call.func is not None)
    return any(not known.isdisjoint(project.names(call.func)) for call in calls if call.func is not None)


def _listening(project: Project, cls: ClassView) -> Iterator[Code]:
    """Functions that run when an object of the class is saved or set."""
    for method in sorted(project.models.kinds["listeners"]):
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
