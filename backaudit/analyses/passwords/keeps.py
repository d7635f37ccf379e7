"""Where else passwords are kept than in tables: files, memory, caches, cookies, tokens, and what serializers save."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backaudit.analyses.passwords.hashing import hashes
from backaudit.analyses.passwords.stores import Store, kept_columns, password_names, speaks_of_passwords
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.flow.trace import ANY
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.code import SERVING
from backaudit.project.declarations import entries as pairs
from backaudit.project.declarations import texts
from backaudit.project.locate import argument_of
from backaudit.vocabulary.meaning import meaning, words
from backaudit.vocabulary.names import means_person

_CACHES = meaning("passwords", "cache")


def other_stores(project: Project) -> tuple[Store, ...]:
    """What is kept outside of tables, in code that serves; each may be tried in several parts."""
    found = [*_files(project), *_memory(project), *_cookies(project), *_tokens(project), *_caches(project)]
    return tuple(store for store in found if project.role(store.at.code.path) == "production")


def _in_parts(project: Project, at: Node, value: Node, where: str) -> Iterator[Store]:
    yield Store(at, value, (), "password", where)
    # Of a display that is written out here, all parts are looked at as they stand.
    for name in () if isinstance(value.origin.op, ops.Build) else project.once(password_names):
        yield Store(at, value, (name,), name, where)
        yield Store(at, value, (ANY, name), name, where)


def _files(project: Project) -> Iterator[Store]:
    for call in project.calls(*sorted(project.models.kinds["file-dumps"])):
        first = call.arg(0)
        if first is not None and len(call.args()) > 1:
            yield from _in_parts(project, call, first, "a file")
    for method in sorted(project.models.kinds["file-writes"]):
        for call in project.calls_of(method):
            first = call.arg(0)
            if first is not None and call.receiver is not None and _is_file(project, call.receiver):
                yield from _in_parts(project, call, first, "a file")


def _is_file(project: Project, node: Node) -> bool:
    """What ``open`` gave, or a CSV writer over it."""
    made = node.origin
    while isinstance(made.op, (ops.Enter, ops.Await)):
        made = made.to(made.op.value).origin
    if made.call is None:
        return False
    names = project.names(made.func) if made.func is not None else ()
    if not any(name in ("csv.writer", "csv.DictWriter") for name in names):
        return made.method == "open"
    target = made.arg(0)
    # What is written over an answer or a buffer goes to whoever asked.
    return target is not None and (target.origin.call is None or _is_file(project, target))


def _memory(project: Project) -> Iterator[Store]:
    """``users[name] = ...`` and ``users.append(...)`` where a module keeps ``users``."""
    for code in project.mentioned(_keeps_people):
        for node in code.nodes(ops.SetItem):
            op = node.op
            if isinstance(op, ops.SetItem) and _is_kept(project, node.to(op.base)):
                yield from _in_parts(project, node, node.to(op.value), f"`{node.to(op.base).spelled}` in memory")
        for call in code.nodes(ops.Call):
            receiver = call.receiver
            first = call.arg(0) if call.method in ("append", "add") else None
            if first is not None and receiver is not None and _is_kept(project, receiver):
                yield from _in_parts(project, call, first, f"`{receiver.spelled}` in memory")


def _keeps_people(name: str) -> bool:
    return means_person(name) or bool({"db", "database", "storage", "store"} & set(words(name)))


def _is_kept(project: Project, node: Node) -> bool:
    here = project.resolved(node)
    if node.code.function.kind == "module" or not _keeps_people(node.spelled.rpartition(".")[2]):
        return False
    return here.code.function.kind == "module" and isinstance(here.op, ops.Build) and here.op.kind in ("dict", "list")


def _cookies(project: Project) -> Iterator[Store]:
    for call in project.calls_of("set_cookie"):
        value = call.arg(1, "value")
        if value is not None:
            yield Store(call, value, (), "password", "a cookie")


def _tokens(project: Project) -> Iterator[Store]:
    for name, arguments in sorted(project.models.sinks["token"].items()):
        for call in project.calls(name):
            values = (argument_of(call, argument) for argument in arguments)
            for value in dict.fromkeys(value for value in values if value is not None):
                yield Store(call, value, (), "password", "a token, which whoever holds it can read,")


def _caches(project: Project) -> Iterator[Store]:
    for method in sorted(project.models.kinds["cache-writes"]):
        for call in project.calls_of(method):
            if _is_cache(project, call) and speaks_of_passwords(call.code):
                for value in (*call.args()[1:], *(call.args()[:1] if method in ("mset", "set_many") else ())):
                    yield from _in_parts(project, call, value, "a cache")


def _is_cache(project: Project, call: Node) -> bool:
    names = project.names(call.func) if call.func is not None else ()
    receiver = call.receiver
    spelled = receiver is not None and _CACHES.holds(receiver.spelled)
    return not project.models.kinds["caches"].isdisjoint(name.rpartition(".")[0] for name in names) or (
        spelled and call.method != "add"
    )


# -- serializers -----------------------------------------------------------------------------------------------------


def saving_serializers(project: Project) -> Iterator[tuple[Node, str, ClassView, str]]:
    """(the fields, the password's field, the serializer, what it does) of those that save it as it comes."""
    for cls in project.subclasses(*sorted(project.models.kinds["model-serializers"])):
        meta = cls.inner.get("Meta")
        listed = meta.fields.get("fields") if meta is not None else None
        if meta is None or listed is None or project.role(cls.file.path) not in SERVING:
            continue
        field = next(iter(_written(project, cls, meta, listed)), None)
        if field is None or _hashes(project, cls):
            continue
        if not _makes_rows(project, cls):
            yield from [(listed, field, cls, "saves")] if _saves(project, cls) else []
        elif not _changes_rows(project, cls) and _is_updated(project, cls):
            yield cls.fields.get(field, listed), field, cls, "makes its rows itself, but changes"


def _written(project: Project, cls: ClassView, meta: ClassView, listed: Node) -> Iterator[str]:
    model = meta.fields.get("model")
    named = texts(project, listed)
    extra = pairs(meta.fields.get("extra_kwargs"))
    read_only = set(texts(project, meta.fields.get("read_only_fields")))
    read_only |= {name for name, options in extra.items() if _is_read_only(pairs(options))}
    for column in kept_columns(project, model.origin) if model is not None else []:
        bind = cls.fields.get(column)
        shown = (column in named or "__all__" in named) and column not in read_only
        if shown and not (bind is not None and _is_read_only(bind.origin.keywords())):
            yield column


def _is_read_only(options: Mapping[str, Node]) -> bool:
    return "read_only" in options and options["read_only"].const is True


def _methods(project: Project, cls: ClassView) -> list[Code]:
    return [code for view in project.lineage_views(cls.name) for code in view.methods.values()]


def _hashes(project: Project, cls: ClassView) -> bool:
    """Whether a method of the serializer that every way passes hashes."""
    return any(hashes(project, code) for code in _methods(project, cls) if code.function.name != "create")


def _makes_rows(project: Project, cls: ClassView) -> bool:
    """Whether it makes its rows itself, where the other stores are judged."""
    codes = _methods(project, cls)
    return any(code.function.name == "create" for code in codes) or any(
        call.method == "create_user" for code in codes for call in code.nodes(ops.Call)
    )


def _changes_rows(project: Project, cls: ClassView) -> bool:
    return any(code.function.name in ("update", "save", "to_internal_value") for code in _methods(project, cls))


def _is_updated(project: Project, cls: ClassView) -> bool:
    """Whether a view that changes rows by itself uses the serializer, and leaves the change to it."""
    for route in routes(project):
        view = route.view
        field = _view_field(project, view) if view is not None else None
        if view is None or field is None or not {"PUT", "PATCH"} & set(route.methods):
            continue
        if cls in list(project.denoted_classes(field.origin)):
            own = {name for name in ("update", "partial_update", "perform_update") if name in view.methods}
            return not own and not any(hashes(project, code) for code in view.methods.values())
    return False


def _saves(project: Project, cls: ClassView) -> bool:
    """Whether a view creates rows with the serializer and does not hash itself."""
    for route in routes(project):
        view = route.view
        field = _view_field(project, view) if view is not None else None
        if view is None or field is None or not {"POST", "PUT", "PATCH"} & set(route.methods):
            continue
        if cls in list(project.denoted_classes(field.origin)) and _lets_save(route):
            return not any(hashes(project, code) for code in view.methods.values())
    for call in project.calls_of("save"):
        receiver = call.receiver
        if receiver is not None and cls in list(project.instances(receiver)):
            return not hashes(project, call.code) and "password" not in call.keywords()
    return False


def _lets_save(route: Route) -> bool:
    """Whether a view is the library's, or hands on to what saves: it may only check with the serializer."""
    if route.handler.function.kind != "function":
        return True
    calls = list(route.handler.nodes(ops.Call))
    acts = [call for call in calls if call.receiver is not None and call.receiver.spelled in ("self", "super()")]
    return any(call.is_call_of("saving-actions") for call in acts) or any(call.method == "save" for call in calls)


def _view_field(project: Project, view: ClassView) -> Node | None:
    for cls in project.lineage_views(view.name):
        if "serializer_class" in cls.fields:
            return cls.fields["serializer_class"]
    return None
