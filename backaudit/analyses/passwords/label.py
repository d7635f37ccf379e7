"""What values are followed for: client input that does harm as text, and passwords."""

from __future__ import annotations

from collections.abc import Iterable

from backaudit.analyses.passwords.hashing import hashed_if_there, hashes, hashes_itself, hashes_when_told, made_by_hash
from backaudit.analyses.passwords.omitted import leaves_out, reads_password, removed
from backaudit.backend.web.reads import key_read
from backaudit.backend.web.records import RouteParam
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.client import can_have
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Goal, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning, words
from backaudit.vocabulary.names import means_password, means_password_hash, means_person

# A value, or the field of a form that holds it (``form.password.data``).
_VALUES: tuple[Access, ...] = ((), ("data",))
_TEXTS = frozenset(("builtins.str", "builtins.bytes", "builtins.None", "None", "types.NoneType", "builtins.NoneType"))


class Password(Goal):
    """A password as somebody typed it: what its name says, unless a hash function came between."""

    def __init__(self, project: Project) -> None:
        models = project.models
        self._hashers = models.hashers
        self._stored = models.kinds.get("table-bases", frozenset())
        self._no_password = models.kinds.get("password-enders", frozenset())
        self._schemas = models.kinds.get("closed-schemas", frozenset())
        self._scalars = models.kinds.get("harmless-types", frozenset()) | _TEXTS

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        if isinstance(op, ops.Param):
            return self._named(search, node, op, access)
        if isinstance(op, ops.Attr) and means_password(op.name) and access in _VALUES:
            return self._attribute(search.project, node, op)
        if isinstance(op, ops.Bind) and means_password(op.name) and not access:
            return f"`{op.name}` is a password that is made up here" if is_made_up(search.project, node) else None
        if isinstance(op, ops.Item):
            entry = self._entry(search.project, node, op) if not access else None
            if entry is not None:
                return entry
        if len(access) == 1 and isinstance(access[0], str) and means_password(access[0]):
            return self._part_of_body(search.project, node, access[0])
        if isinstance(op, ops.Call):
            return self._read(search.project, node, op, access)
        return None

    def _entry(self, project: Project, node: Node, op: ops.Item) -> str | None:
        """The password under a key of what a client sends."""
        key, base = node.to(op.key).text, node.to(op.base)
        if key is None or not means_password(key) or not self._is_given(project, base):
            return None
        if made_by_hash(project, base, (key,), node.value):
            return None
        return f"`{node.spelled or key}` is a password"

    def _part_of_body(self, project: Project, node: Node, key: str) -> str | None:
        """The password in a whole form or body, where the same code reads it by that name."""
        op = node.op
        func = node.to(op.func) if isinstance(op, ops.Call) else node if isinstance(op, ops.Attr) else None
        names = project.names(func) if func is not None else ()
        what = next((project.models.sources[name] for name in names if name in project.models.sources), "")
        carries = any(word in what for word in ("form", "body", "JSON", "parsed"))
        return f"`{key}` of {what} is a password" if carries and reads_password(node.code) else None

    def _named(self, search: Search, node: Node, op: ops.Param, access: Access) -> str | None:
        project = search.project
        # ``password.data``: of a form's field, what stands in it.
        last = str(access[-1]) if access and access != ("data",) else op.name
        if not means_password(last) or (access and not isinstance(access[-1], str)):
            return None
        client = client_input(project, node.code, op.index)
        if client is not None:
            if access and (client.where == "path" or (_is_open(project, client) and not _tells(project, node.code))):
                return None
            has = can_have(project, client.types, access, self._scalars)
            return f"`{'.'.join([op.name, *map(str, access)])}` is the password that the client sends" if has else None
        if access in _VALUES and _uncalled(project, node) and self._may_be_given(search, node, op):
            return f"`{op.name}` is a password"
        return None

    def _may_be_given(self, search: Search, node: Node, op: ops.Param) -> bool:
        """Of a function that is called on objects of unknown types: whether one of these calls gives a password."""
        calls = _namesakes(search.project, node.code)
        known = search.project.once(_given)
        if calls and node not in known:
            known[node] = False  # what calls itself
            given = [value for call in calls if (value := _passed(call, node.code, op.index)) is not None]
            traces = (Trace(search.project, type(self)(search.project)).origins(v, (), v.value) for v in given)
            known[node] = any(True for origins in traces for _ in origins)
        return not calls or known[node]

    def _attribute(self, project: Project, node: Node, op: ops.Attr) -> str | None:
        base = node.to(op.base)
        if not self._is_given(project, base) or made_by_hash(project, base, (op.name,), node.value):
            return None
        return f"`{node.spelled}` is a password"

    def _is_given(self, project: Project, base: Node) -> bool:
        """Whether an object holds what a client sent: not a row of a table, nor configuration, nor a module."""
        types = project.types(base)
        for name in types:
            head, over = split(name)
            cls = over if head == "type" else head
            if head in ("module", "ext", "def", "type") or self._is_stored(project, cls):
                return head == "ext" and any(n in project.models.sources for n in project.names(base))
            if any("settings" in owner.lower() or "config" in owner.lower() for owner in project.lineage(cls)):
                return False
        if types:
            return True
        if _is_fetched(base):
            return False
        spelled = base.spelled.lower()
        return not any(word in spelled for word in ("settings", "config", "env", "conf", "url", "args", "options"))

    def _is_stored(self, project: Project, cls: str) -> bool:
        return not self._stored.isdisjoint(project.lineage(cls))

    def _read(self, project: Project, node: Node, op: ops.Call, access: Access) -> str | None:
        if access:
            return None
        func = node.to(op.func)
        if "getpass.getpass" in project.names(func):
            return "a password is asked for"
        key = node.to(op.args[0]).const if op.args else None
        if node.method in ("get", "pop", "getlist") and isinstance(key, str) and means_password(key):
            receiver = node.receiver
            if receiver is None or made_by_hash(project, receiver, (key,), node.value):
                return None
            if self._is_given(project, receiver):
                return f"`{receiver.spelled}[{key!r}]` is a password"
        read = key_read(project, node)
        return f"`{read}` of the request is a password" if means_password(read) else None

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        op = node.op
        if isinstance(op, (ops.Const, ops.Compare)):
            return True
        if isinstance(op, ops.Attr) and means_password_hash(op.name):
            return True
        if self._hashed_on_the_way(search.project, node, access) or removed(node.origin, use, access):
            return True
        if access and isinstance(access[0], str) and hashed_if_there(search.project, node.origin, use, access[0]):
            return True
        if isinstance(op, ops.Call) and (leaves_out(node) or self._drops(search, node, access)):
            return True
        types = search.project.types(node)
        if "builtins.bool" in types or "builtins.int" in types:
            return True
        if (
            isinstance(op, ops.Bind)
            and means_password_hash(op.name)
            and isinstance(node.to(op.value).op, (ops.Call, ops.Await))
        ):
            return self._unknown_call(search.project, node.to(op.value))
        return isinstance(op, ops.Call) and self._hashed(search.project, node)

    def _hashed_on_the_way(self, project: Project, node: Node, access: Access) -> bool:
        """Whether the object that holds the wanted password keeps only its hash."""
        op = node.op
        if isinstance(op, ops.Attr):
            return _kept_hashed(project, node.to(op.base), op.name)
        return isinstance(op, ops.Param) and bool(access) and _kept_hashed(project, node, str(access[0]))

    def _drops(self, search: Search, call: Node, access: Access) -> bool:
        """Whether a schema is made that has no such field: it ignores what it does not know."""
        classes = list(search.project.denoted_classes(call.to(call.op.func))) if isinstance(call.op, ops.Call) else []
        if not access or not classes:
            return False
        if any(self._schemas.isdisjoint(search.project.lineage(cls.name)) for cls in classes):
            return False
        views = (view for cls in classes for view in search.project.lineage_views(cls.name))
        return not any(str(access[0]) in view.fields or "__init__" in view.methods for view in views)

    def _unknown_call(self, project: Project, node: Node) -> bool:
        """``hashed = something(password)`` where nothing is known of the function: its name is believed."""
        call = node.to(node.op.value) if isinstance(node.op, ops.Await) else node
        return call.call is not None and not project.callees(call)

    def _hashed(self, project: Project, call: Node) -> bool:
        func = call.func
        names = project.names(func) if func is not None else ()
        return any(name in self._hashers or name in self._no_password for name in names)

    def enters(self, search: Search, call: Node, code: Code) -> bool:
        return True

    def through(self, search: Search, call: Node) -> Iterable[Node]:
        return ()


def _is_open(project: Project, client: RouteParam) -> bool:
    """Whether a client's value is declared to have any parts: ``body: dict``."""
    classes = (project.class_named(split(name)[0]) for name in client.types)
    return bool(client.types) and not client.schema and not any(classes)


def _tells(project: Project, code: Code) -> bool:
    """Whether the code that takes an open body shows that it is an account's: it reads the password or keeps people."""
    if reads_password(code):
        return True
    named = (op.name for op in code.ops if isinstance(op, (ops.Attr, ops.Name)))
    return any(map(means_person, named)) and any(True for _ in project.mentioned(means_password))


def is_unproven(project: Project, node: Node) -> bool:
    """Whether nothing but its name says that a parameter is a password: nobody is seen to give it a value."""
    if not isinstance(node.op, ops.Param) or client_input(project, node.code, node.op.index) is not None:
        return False
    run_by_others = any(d.spelled not in ("staticmethod", "classmethod") for d in node.code.decorators)
    return _uncalled(project, node) and not run_by_others and not _namesakes(project, node.code)


def _uncalled(project: Project, node: Node) -> bool:
    return not project.callers(node.code) and not node.code.function.name.startswith("_")


def _namesakes(project: Project, code: Code) -> list[Node]:
    """The calls of something by this name of which it is not known what they run."""
    calls = project.calls_of(code.function.name)
    return [call for call in calls if not project.callees(call) and project.role(call.code.path) != "test"]


def _passed(call: Node, code: Code, index: int) -> Node | None:
    bound = code.cls is not None and not any(decorator.spelled == "staticmethod" for decorator in code.decorators)
    return call.arg(index - 1 if bound else index, code.function.params[index].name)


def _given(project: Project) -> dict[Node, bool]:
    return {}


def _is_fetched(base: Node) -> bool:
    """Whether an object is a row, as a rule: one of several, or what is reached from one."""
    made = base.origin
    while isinstance(made.op, ops.Attr):
        made = made.to(made.op.base).origin
    return isinstance(made.op, ops.Element) or made.is_call_of("fetched")


def is_made_up(project: Project, bind: Node) -> bool:
    """Whether a name is given a random text: ``get_random_string(12)``, ``generate_password()``."""
    call = bind.origin
    call = call.awaited
    parts = set(words(call.method)) if isinstance(call.op, ops.Call) else set()
    if (
        not parts & _RANDOM.words
        or parts & _ABOUT_HASHES.words
        or any(means_password(node.spelled) for node in call.args())
    ):
        return False
    return not any(hashes(project, code) for code in project.callees(call))


_RANDOM = meaning("passwords", "made-up")
_ABOUT_HASHES = meaning("passwords", "not-made-up")


def _kept_hashed(project: Project, node: Node, field: str) -> bool:
    """Whether every class that an object may have hashes the password before it is in this field."""
    if not means_password(field):
        return False
    found = list(project.instances(node))
    made = node.origin.op
    if not found and isinstance(made, ops.Param):
        calls = project.callers(node.code)
        arguments = [project.argument(call, node.code, made.index) for call in calls]
        found = [cls for argument in filter(None, arguments) for cls in project.instances(argument)]
    return bool(found) and all(
        hashes_itself(project, cls, field) or (not is_table(project, cls) and hashes_when_told(project, cls, field))
        for cls in found
    )


def is_table(project: Project, cls: ClassView) -> bool:
    """Whether the objects of a class are rows or documents."""
    bases: frozenset[str] = project.models.kinds.get("table-bases", frozenset())
    return not bases.isdisjoint(project.lineage(cls.name))


class NamedPassword(Password):
    """A password wherever a name says so, whoever calls: what a hash function or a comparison is asked about."""

    def _named(self, search: Search, node: Node, op: ops.Param, access: Access) -> str | None:
        last = str(access[-1]) if access and access != ("data",) else op.name
        return f"`{'.'.join([op.name, *map(str, access)])}` is a password" if means_password(last) else None
