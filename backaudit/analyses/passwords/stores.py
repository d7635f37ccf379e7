"""Where values are kept: rows by constructor, attribute or keyword, SQL parameters, documents, sessions."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.passwords.hashing import hashes_itself
from backaudit.analyses.passwords.omitted import set_later
from backaudit.backend.data.given_rows import given_rows
from backaudit.backend.data.schema import schema
from backaudit.backend.data.updates import open_updates
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.flow.client import ClientValue
from backaudit.flow.parameters import bound, sql_parameters
from backaudit.flow.rows import is_model, models, text_column
from backaudit.flow.trace import Access, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.code import SERVING
from backaudit.project.types import split
from backaudit.sqlparams import Parameter
from backaudit.vocabulary.names import is_password_column, means_password, means_person


class Store(msgspec.Struct, frozen=True):
    """``value`` (its part ``access``) is kept as ``column`` by the operation ``at``; ``where`` says in what.

    ``of_account``: it is a row or document of the column's own, where also a literal is somebody's password.
    ``other_name``: the column is not called a password, and only its value says what it is.
    """

    at: Node
    value: Node
    access: Access
    column: str
    where: str
    of_account: bool = False
    other_name: bool = False


def speaks_of_passwords(code: Code) -> bool:
    """Whether a body has a name or key that means a password or its hash."""
    return any(
        is_password_column(op.value)
        if isinstance(op, ops.Const) and isinstance(op.value, str)
        else isinstance(op, (ops.Param, ops.Name, ops.Attr, ops.Bind)) and is_password_column(op.name)
        for op in code.ops
    )


def password_stores(project: Project) -> tuple[Store, ...]:
    """Everything that is kept under the name of a password, in code that serves. Ask with ``project.once``."""
    found = [
        *_constructed(project),
        *_assigned(project),
        *_updated(project),
        *_called(project),
        *_beside_statements(project),
        *_copied(project),
        *_in_sql(project),
        *_documents(project),
        *_in_session(project),
        *_otherwise_named(project),
        *_saved_whole(project),
    ]
    rows = (msgspec.structs.replace(store, of_account=means_password(store.column)) for store in found)
    return tuple(store for store in rows if project.role(store.at.code.path) in SERVING)


def _constructed(project: Project) -> Iterator[Store]:
    for cls in project.once(models):
        if project.method(cls.name, "__init__") is None:
            for call in project.constructions(cls):
                found = _keywords(project, call, f"a row of `{cls.cls.name}`", cls)
                yield from (_as_kept(store) for store in found)
            yield from _made_by_class_methods(project, cls)


def _as_kept(store: Store) -> Store:
    """The store of a new object, or what replaces its value before it is written."""
    later = set_later(store.at, store.column)
    return store if later is None else Store(store.at, later, (), store.column, store.where)


def _columns(project: Project, cls: ClassView) -> list[str]:
    """The columns of a model, inherited ones included, that hold passwords as they are given."""
    found = {"password": None} if _is_library_user(project, cls.name) else {}
    for view in project.lineage_views(cls.name):
        found.update((name, None) for name in view.fields if is_password_column(name))
    return [name for name in found if not hashes_itself(project, cls, name)]


def kept_columns(project: Project, model: Node) -> list[str]:
    """The password columns of the class that a value denotes, a library's user included, if it keeps them as given."""
    for cls in project.denoted_classes(model):
        return _columns(project, cls)
    names = project.names(model)
    return ["password"] if any(_is_library_user(project, name) for name in names) else []


def _is_library_user(project: Project, name: str) -> bool:
    named: frozenset[str] = project.models.kinds.get("row-classes", frozenset())
    return not named.isdisjoint(project.lineage(name))


def _keywords(project: Project, call: Node, where: str, cls: ClassView | None) -> Iterator[Store]:
    """The password among the keywords of a call, or in a mapping that is spread over them."""
    columns = _columns(project, cls) if cls is not None else ["password"]
    given = call.keywords()
    for name, value in given.items():
        if is_password_column(name) and (cls is None or not hashes_itself(project, cls, name)):
            yield Store(call, value, (), name, where)
    op = call.call
    for unpacked in op.dstar if op is not None else ():
        mapping = call.origin.to(unpacked)
        for column in columns:
            if column not in given:
                yield Store(call, mapping, (column,), column, where)


def _made_by_class_methods(project: Project, cls: ClassView) -> Iterator[Store]:
    """``cls(**values)`` in a method of the class or of its bases: what the calls of that method hand in."""
    columns = _columns(project, cls)
    for view in project.lineage_views(cls.name) if columns else ():
        for code in view.methods.values():
            if any(_spreads_own(call) for call in code.nodes(ops.Call)):
                for call in project.callers(code):
                    receiver = call.receiver
                    given = call.keywords()
                    if receiver is not None and cls in list(project.denoted_classes(receiver)):
                        for column in columns:
                            if column in given:
                                yield Store(call, given[column], (), column, f"a row of `{cls.cls.name}`")


def _spreads_own(call: Node) -> bool:
    """``cls(**values)`` of a method's own keywords."""
    func, op = call.func, call.call
    if func is None or op is None or func.spelled != "cls":
        return False
    spread = [call.origin.to(value).origin.op for value in op.dstar]
    params = call.code.function.params
    return any(isinstance(one, ops.Param) and params[one.index].kind == "dstar" for one in spread)


def _assigned(project: Project) -> Iterator[Store]:
    """``user.password = ...`` on a row, also one of a library's class."""
    for code in project.mentioned(is_password_column):
        for node in code.nodes(ops.SetAttr):
            op = node.op
            assert isinstance(op, ops.SetAttr)
            owner = _owner(project, node.to(op.base), op.name) if is_password_column(op.name) else ""
            if owner:
                where = f"a row of `{owner}`"
                yield from _by_makers(project, node, op.name, where) or [
                    Store(node, node.to(op.value), (), op.name, where)
                ]


def _by_makers(project: Project, node: Node, column: str, where: str) -> list[Store]:
    """What a constructor keeps as it is given: stored by those who make the object, each where it does."""
    code, op = node.code, node.op
    made = node.to(op.value).origin if isinstance(op, ops.SetAttr) else node
    if code.cls is None or code.function.name != "__init__" or not isinstance(made.op, ops.Param):
        return []
    index = made.op.index
    given = ((call, project.argument(call, code, index)) for call in project.callers(code))
    return [Store(call, value, (), column, where) for call, value in given if value is not None]


def _updated(project: Project) -> Iterator[Store]:
    """Rows whose columns are set under names that come with the values: a loop of ``setattr``, a whole mapping."""
    for update in open_updates(project):
        for cls in project.instances(update.row):
            columns = _columns(project, cls) if is_model(project, cls.name) else []
            for column in columns:
                given = update.given(column) if update.name or update.mapping else None
                if given is not None and (update.name or _has_field(project, *given)):
                    yield Store(update.at, *given, column, f"a row of `{cls.cls.name}`")


def _has_field(project: Project, mapping: Node, access: Access) -> bool:
    """Whether a mapping has a key for certain: of one that a client fills as it likes that is another question."""
    origin = next(Trace(project, ClientValue(project)).origins(mapping, access), None)
    op = origin.node.op if origin is not None else None
    if origin is None or not isinstance(op, ops.Param):
        return origin is None
    param = client_input(project, origin.node.code, op.index)
    return param is not None and param.schema


def _otherwise_named(project: Project) -> Iterator[Store]:
    """Text columns of other names in code that has to do with passwords: ``patient.pass_text = form["password"]``."""
    for code in project.mentioned(is_password_column):
        for node in code.nodes(ops.SetAttr):
            op = node.op
            assert isinstance(op, ops.SetAttr)
            cls = None if is_password_column(op.name) else _with_text(project, node.to(op.base), op.name)
            if cls is not None:
                yield _named_otherwise(node, node.to(op.value), op.name, cls)
        for call in code.nodes(ops.Call):
            for cls in project.denoted_classes(call.func) if call.func is not None and call.keywords() else ():
                for name, value in call.keywords().items():
                    if not is_password_column(name) and _keeps_text(project, cls, name):
                        yield _named_otherwise(call, value, name, cls)


def _named_otherwise(at: Node, value: Node, column: str, cls: ClassView) -> Store:
    return Store(at, value, (), column, f"a row of `{cls.cls.name}`", other_name=True)


def _with_text(project: Project, base: Node, column: str) -> ClassView | None:
    return next((cls for cls in project.instances(base) if _keeps_text(project, cls, column)), None)


def _keeps_text(project: Project, cls: ClassView, column: str) -> bool:
    declared = is_model(project, cls.name) and text_column(project, cls, column)
    return declared and not hashes_itself(project, cls, column)


def _saved_whole(project: Project) -> Iterator[Store]:
    """A row or document that is the request's body itself: ``await user.insert()``, ``session.add(user)``."""
    for method in ("insert", "create", "save", "replace", "add", "merge", "save_all", "add_all"):
        for call in project.calls_of(method):
            for value in (call.receiver, call.arg(0)):
                made = value.origin if value is not None else None
                if made is not None and isinstance(made.op, ops.Param):
                    yield from _sent_whole(project, call, made)


def _sent_whole(project: Project, call: Node, made: Node) -> Iterator[Store]:
    for cls in project.instances(made):
        if is_model(project, cls.name):
            for column in _columns(project, cls):
                if set_later(made, column) is None and not _is_set_openly(project, made, column):
                    yield Store(call, made, (column,), column, f"a row of `{cls.cls.name}`")


def _is_set_openly(project: Project, row: Node, column: str) -> bool:
    """Whether the body sets the column of a row under a name that comes with the value: a store of its own."""
    updates = (update for update in open_updates(project) if update.row.code is row.code)
    return any(update.row.origin == row and update.given(column) is not None for update in updates)


def _owner(project: Project, base: Node, column: str) -> str:
    """The name of the model whose row ``base`` is, if that keeps the column as it is given."""
    for name in project.types(base):
        cls = project.class_named(split(name)[0])
        if cls is not None and is_model(project, cls.name) and column in _columns(project, cls):
            return cls.cls.name
        if cls is None and _is_library_user(project, split(name)[0]):
            return split(name)[0].rpartition(".")[2]
    return ""


def _called(project: Project) -> Iterator[Store]:
    """Keyword calls that write rows: ``objects.create(password=...)``, ``query.update({...})``, ``values(...)``."""
    table = project.models.kinds.get("row-writers", frozenset())
    for call in project.calls(*sorted(table)):
        model = _written_model(project, call)
        named = model.cls.name if model is not None else _library_model(project, call)
        where = f"a row of `{named}`" if named else "a row"
        columns = _columns(project, model) if model is not None else ["password"]
        yield from _keywords(project, call, where, model)
        given = [call.arg(0), *(call.arg(None, name) for name in ("defaults", "values"))]
        for argument in (value for value in given if value is not None):
            yield from _mapping(call, argument, columns, where)


def _beside_statements(project: Project) -> Iterator[Store]:
    """``execute(insert(User), [{"password": ...}])``: rows that are handed over with the statement."""
    for given in project.once(given_rows):
        model = next(project.denoted_classes(given.table), None)
        where = f"a row of `{model.cls.name if model is not None else given.table.spelled}`"
        columns = _columns(project, model) if model is not None else ["password"]
        yield from _mapping(given.call, given.rows, columns, where)


def _copied(project: Project) -> Iterator[Store]:
    """``User.model_validate(body)`` and its kin: a row from the fields of another object."""
    for method in ("model_validate", "from_orm", "parse_obj"):
        for call in project.calls_of(method):
            first, receiver = call.arg(0), call.receiver
            for cls in project.denoted_classes(receiver) if receiver is not None else ():
                if first is not None and is_model(project, cls.name):
                    given = call.arg(None, "update")
                    updated = {store.column for store in _mapping(call, given, [], "")} if given is not None else set()
                    for column in (c for c in _columns(project, cls) if c not in updated):
                        yield Store(call, first, (column,), column, f"a row of `{cls.cls.name}`")


def _written_model(project: Project, call: Node) -> ClassView | None:
    receiver = call.receiver
    for name in project.types(receiver) if receiver is not None else ():
        head, over = split(name)
        cls = project.class_named(over) or project.class_named(head)
        if cls is not None:
            return cls
    return None


def _library_model(project: Project, call: Node) -> str:
    receiver = call.receiver
    names = [split(name)[1] for name in project.types(receiver)] if receiver is not None else []
    return next((name.rpartition(".")[2] for name in names if _is_library_user(project, name)), "")


def _mapping(call: Node, argument: Node, columns: list[str], where: str) -> Iterator[Store]:
    """A mapping of columns to values, or a list of them, as written out, or as one that was made elsewhere."""
    made = argument.origin
    if isinstance(made.op, ops.Build) and made.op.kind == "list":
        for row in made.elements():
            yield from _mapping(call, row, columns, where)
        return
    if made.is_dict:
        for key, value in made.entries():
            name = _column_name(key)
            if name is not None and is_password_column(name):
                yield Store(call, value, (), name, where)
            elif name is not None and name.startswith("$"):
                yield from _mapping(call, value, columns, where)
    elif not isinstance(made.op, (ops.Const, ops.Compare)):
        for column in columns:
            yield Store(call, argument, (column,), column, where)


def _column_name(key: Node) -> str | None:
    made = key.origin
    if isinstance(made.op, ops.Attr):
        return made.op.name
    return made.text


def _in_sql(project: Project) -> Iterator[Store]:
    for call, parameter in sql_parameters(project):
        column = _named(project, parameter)
        # In a table of users, what is bound by itself is judged by what it is, whatever its column is called.
        of_users = parameter.slot != "" and means_person(parameter.table)
        if parameter.use == "stored" and (of_users or is_password_column(column)):
            for value, access in bound(call, parameter):
                yield Store(call, value, access, column or "password", f"table `{parameter.table}`")


def _named(project: Project, parameter: Parameter) -> str:
    """The column of a parameter; of an INSERT that names none, the table's own order tells."""
    if parameter.column:
        return parameter.column
    table = project.once(schema).table(parameter.table)
    columns = table.columns if table is not None else ()
    return columns[parameter.position].name if 0 <= parameter.position < len(columns) else ""


def _documents(project: Project) -> Iterator[Store]:
    table = project.models.kinds.get("document-writers", frozenset())
    for call in project.calls(*sorted(table)):
        # What the project itself calls ``update_one`` is judged by what it does.
        for argument in call.args() if not _runs_own(project, call) else ():
            columns = dict.fromkeys([*keys_set(argument), *project.once(password_names)])
            yield from _mapping(call, argument, list(columns), "a document")


def _runs_own(project: Project, call: Node) -> bool:
    receiver = call.receiver
    classes = project.instances(receiver) if receiver is not None else ()
    return any(project.method(cls.name, call.method) is not None for cls in classes)


def keys_set(node: Node) -> Iterator[str]:
    """The names of passwords under which something is put into a mapping."""
    made = node.origin
    for effect in made.code.effects.get(made.value, ()):
        op = made.to(effect).op
        name = made.to(op.key).text if isinstance(op, ops.SetItem) else None
        if name is not None and is_password_column(name):
            yield name


def password_names(project: Project) -> tuple[str, ...]:
    """What the project's schemas call a password. Ask with ``project.once``."""
    bases = project.models.kinds.get("schemas", frozenset())
    named = (name for cls in project.subclasses(*sorted(bases)) for name in cls.fields if means_password(name))
    return tuple(dict.fromkeys(["password", *named]))


def _in_session(project: Project) -> Iterator[Store]:
    for code in dict.fromkeys(project.mentioning("session")):
        for node in code.nodes(ops.SetItem):
            op = node.op
            assert isinstance(op, ops.SetItem)
            key = node.to(op.key).const
            names = project.names(node.to(op.base))
            if isinstance(key, str) and any(name.rpartition(".")[2] == "session" for name in names):
                value = node.to(op.value)
                if is_password_column(key):
                    yield Store(node, value, (), key, "the session")
                elif not _is_single(value):
                    yield Store(node, value, ("password",), key, "the session")


def _is_single(node: Node) -> bool:
    """Whether a value is what a form or body has under one name, which has no parts of its own."""
    made = node.origin
    return (isinstance(made.op, ops.Item) and made.to(made.op.key).text is not None) or (
        made.method == "get" and made.receiver is not None
    )


def looked_up(project: Project) -> Iterator[tuple[Node, str, Node, Access]]:
    """(call, column, value, its part) for every query that asks by keyword or document for rows with some password."""
    kinds = project.models.kinds
    filters = kinds.get("row-filters", frozenset())
    for last in sorted({name.rpartition(".")[2] for name in filters}):
        for call in project.calls_of(last):
            asked = {name: value for name, value in call.keywords().items() if _asks(name)}
            if asked and project.role(call.code.path) in SERVING and _queries(project, call, filters):
                yield from ((call, name.partition("__")[0], value, ()) for name, value in asked.items())
    for name in sorted(kinds.get("document-filters", ())):
        for call in project.calls(name):
            first = call.arg(0, "filter")
            if first is not None and project.role(call.code.path) in SERVING and not project.callees(call):
                # What else is called ``find`` is seldom asked for a document.
                found = _mapping(call, first, ["password"] if call.method == "find_one" else [], "")
                yield from ((call, store.column, store.value, store.access) for store in found)


def _asks(keyword: str) -> bool:
    column, _, lookup = keyword.partition("__")
    return is_password_column(column) and lookup in ("", "exact", "iexact")


def _queries(project: Project, call: Node, filters: frozenset[str]) -> bool:
    """Whether a call by a common name really asks a table: its receiver, or first argument, is a model or a query."""
    receiver = call.receiver
    if call.method == "filter_by" or (receiver is not None and receiver.spelled.endswith(".objects")):
        return True
    names = project.names(call.func) if call.func is not None else ()
    return any(name in filters and not name.startswith("*.") for name in names)
