"""What handlers do with stored data, and whether they tie it to the caller.

An *event* is a look-up of a row by something that the client chose, or a tie: a condition or a query in which the
caller's identity takes part. Events of the project's own functions count where they are called, in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backaudit.backend.denial import inputs, mention, operands
from backaudit.backend.params import injection
from backaudit.backend.queries.chains import table_of
from backaudit.backend.records import CLIENT, Route
from backaudit.backend.schema import Column, Table, schema
from backaudit.backend.strings import spelled_strings
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.project.types import split

_DEPTH = 4
_WALK = 8

IDENTITY = re.compile(
    r"current_?user|request\.user\b|request\.state\.\w*user|\bg\.\w*user|get_jwt_identity|get_jwt\b|get_jwt_claims"
    r"|get_raw_jwt|auth_user|get_auth\w*user|logged_?in_?user|request\.auth\b"
)
_IDENTITY_PARAM = re.compile(
    r"user|usuario|usr|identity|claims|payload|principal|^auth|owner|^me$|account|member|token_data"
)
_CLIENT = re.compile(
    r"\bkwargs\["
    r"|request\.(args|form|json|data|values|view_args|match_info|query_params|get\b|post\b|path_params|get_json|body)"
)
_OWNER_NAME = re.compile(
    r"^(user|owner|author|creator|created_by|customer|member|account|employer|seller|usuario|uploaded_by|added_by)(_id|id)?$"
    r"|(^|_)(user|owner|author|usuario|customer)_?id$|^id_?(user|usuario|owner|cliente)$"
)
_USER_TABLE = re.compile(
    r"(^|_|\.)(app_?|auth_?|custom_?)?(users?|usuarios?|accounts?|members?|customers?|clientes?)$", re.I
)
_SECRET_COLUMN = re.compile(r"passw|pwd|contrasen|clave|senha|hashed|password_hash", re.I)
_ID_NAME = re.compile(r"^(id|pk|_id|uuid|uid|guid|slug|code|codigo|public_id|external_id)$")
# Who knows it may: an API key, a signed or random token in a link.
_CAPABILITY = re.compile(r"(^|_)(key|token|secret|signature|nonce|hash|otp)$|^(hashed|encrypted)_")
_CHECKS = re.compile(
    r"check|verify|\bhas_|can_|\bis_|ensure|require|authori[sz]|permission|access|allowed|owner|belongs|for_user|scope"
)
_LOOKUPS = frozenset(
    {
        "get", "aget", "get_or_404", "filter", "filter_by", "where", "get_object_or_404", "aget_object_or_404",
        "get_list_or_404", "first_or_404", "one_or_404", "find_one", "find", "find_one_and_update",
        "find_one_and_delete", "delete_one", "update_one", "replace_one", "get_or_none", "exclude", "get_one",
    }
)  # fmt: skip
_DIRECT = frozenset({"delete_one", "update_one", "replace_one", "find_one_and_update", "find_one_and_delete"})
_MONGO = frozenset({"find_one", "find", *_DIRECT})
_MONGO_WRITES = frozenset({*_DIRECT, "insert_one", "insert_many", "delete_many", "update_many"})
_SESSION_WRITES = frozenset({"add", "add_all", "delete", "merge", "bulk_save_objects", "bulk_insert_mappings"})
_QUERY_WRITES = frozenset(
    {
        "create", "acreate", "bulk_create", "bulk_update", "update", "aupdate", "delete", "adelete", "update_or_create",
        "get_or_create", "save", "asave", "insert", "delete_instance",
    }
)  # fmt: skip
_SELECTS = frozenset(
    {"select", "query", "all", "filter", "filter_by", "get", "first", "get_or_404", "get_object_or_404"}
)
_SESSIONS = ("sqlalchemy.orm.Session", "sqlalchemy.ext.asyncio.AsyncSession", "sqlmodel.Session")
_COMMON = re.compile(r"(^|_)(logs?|logger|logging|audits?|auditing|track|tracking|metrics?)(_|$)|init_db|create_all")
_SQL_TABLE = r"(?:[\"`\[]?\w+[\"`\]]?\.)*[\"`\[]?(\w+)"  # without its schema and quotes
_SQL_WRITE = re.compile(rf"^\s*(insert\s+into|update|delete\s+from|replace\s+into)\s+{_SQL_TABLE}", re.I)
_SQL_READ = re.compile(rf"\bfrom\s+{_SQL_TABLE}", re.I)
_SQL_WHERE = re.compile(r"\bwhere\b(.*)", re.I | re.S)
_SQL_EQUAL = re.compile(r"([\w.\"`]+)\s*=\s*(?:%|\?|:|\$|\{|'|\ufffc|<)", re.I)


class Change(msgspec.Struct, frozen=True):
    """A call that writes. ``table``: where to, as far as known; ``name``: what to show for it."""

    node: Node
    table: Table | None
    name: str


class Event(msgspec.Struct, frozen=True):
    """A look-up by a client's key (``tie`` False), or a tie to the caller. ``node`` stands in the body asked about.

    ``effect``: the operation that changes rows without having loaded them, so that a tie must come before it; -1 for a
    row that is loaded. ``inner``: where it happens, if in a function that ``node`` calls.
    """

    node: Node
    tie: bool
    table: Table | None = None
    effect: int = -1
    inner: Node | None = None


# -- tables -----------------------------------------------------------------------------------------------------------


def is_user_table(table: Table) -> bool:
    """Whether the rows of a table are the people who log in."""
    name = table.model.rpartition(".")[2] or table.name
    if name.endswith("User") or table.name.lower() in ("user", "users", "usuario", "usuarios", "auth_user"):
        return True
    named = _USER_TABLE.search(table.name) or _USER_TABLE.search(name.removesuffix("Model"))
    return bool(named) and any(_SECRET_COLUMN.search(column.name) for column in table.columns)


def owner_column(project: Project, table: Table) -> Column | None:
    """The column that says whose a row is; also that of a table between, filled together with this one."""
    if is_user_table(table):
        return None
    found = _own_owner(project, table)
    for link in schema(project).tables.values() if found is None else ():
        if len(link.columns) <= 4 and any(_leads_to(column, table) for column in link.columns):
            column = _own_owner(project, link)
            if column is not None and (table.name, link.name) in project.once(_written_together):
                return column
    return found


def _own_owner(project: Project, table: Table) -> Column | None:
    users = project.once(_user_tables)
    for column in table.columns:
        target = (column.references.rpartition(".")[0] or column.references).lower()
        refers = target in users or column.name.endswith("id") or bool(column.references)
        if _OWNER_NAME.search(column.name) and refers:
            return column
    for relation in table.relations:
        own = schema(project).of_model(relation.target)
        named = not relation.many and relation.column and _OWNER_NAME.search(relation.name)
        if named and own is not None and is_user_table(own):
            return table.column(relation.column)
    return None


def _leads_to(column: Column, table: Table) -> bool:
    return (column.references.rpartition(".")[0] or column.references).lower() == table.name.lower()


def _written_together(project: Project) -> frozenset[tuple[str, str]]:
    """Pairs of tables that one function fills."""
    found: set[tuple[str, str]] = set()
    writers = {call.code for name in ("execute", "add", "create", "insert", "save") for call in project.calls_of(name)}
    for code in sorted(writers, key=lambda code: (code.path, code.index)):
        names = {change.table.name for change in changes(project, code, _DEPTH) if change.table is not None}
        found |= {(one, other) for one in names for other in names if one != other}
    return frozenset(found)


def _user_tables(project: Project) -> frozenset[str]:
    return frozenset(name for name, table in schema(project).tables.items() if is_user_table(table))


def touched_table(project: Project, node: Node) -> Table | None:
    """The table that a query or an object of a model is of."""
    found = table_of(project, node)
    if found is not None:
        return found
    for name in project.types(node):
        head, over = split(name)
        for candidate in (over, head):
            table = schema(project).of_model(candidate) if candidate else None
            if table is not None:
                return table
    return None


# -- changes ----------------------------------------------------------------------------------------------------------


def changes(project: Project, code: Code, depth: int = 0) -> tuple[Change, ...]:
    """The writes of a body and of the project's functions that it calls, as calls in that body."""
    memory = project.once(_change_memory)
    key = (code, depth)
    if key not in memory:
        memory[key] = ()
        memory[key] = tuple(_changes(project, code, depth))
    return memory[key]


def _change_memory(project: Project) -> dict[tuple[Code, int], tuple[Change, ...]]:
    return {}


def _changes(project: Project, code: Code, depth: int) -> Iterator[Change]:
    for call in code.nodes(ops.Call):
        own = written(project, call)
        if own is not None:
            yield own
        elif depth < _DEPTH - 1:
            for callee in project.callees(call):
                inner = changes(project, callee, depth + 1) if callee != code else ()
                if inner and not _is_common(callee):
                    yield Change(call, inner[0].table, inner[0].name)
    yield from _set(project, code)


def _set(project: Project, code: Code) -> Iterator[Change]:
    """Attributes of rows that are set before the body commits."""
    commits = [call.value for call in code.nodes(ops.Call) if call.method == "commit"]
    for node in code.nodes(ops.SetAttr) if commits else ():
        op = node.op
        assert isinstance(op, ops.SetAttr)
        table = touched_table(project, node.to(op.base)) if node.value < commits[-1] else None
        if table is not None:
            yield Change(node, table, _named(table, None))


def _is_common(code: Code) -> bool:
    """Start-up and logging helpers write, but not for the caller."""
    return bool(_COMMON.search(code.function.name.lower()))


def written(project: Project, call: Node) -> Change | None:
    """The change that one call makes, if it writes to a store."""
    method, receiver = call.method, call.receiver
    sql = sql_text(project, call)
    found = _SQL_WRITE.search(sql) if sql else None
    if found is not None:
        table = schema(project).table(found[2].rpartition(".")[2])
        return Change(call, table, table.name if table else found[2])
    if receiver is None:
        return None
    if method in _SESSION_WRITES and _is_session(project, receiver):
        first = call.arg(0)
        table = touched_table(project, first) if first is not None else None
        return Change(call, table, _named(table, first))
    if method in _MONGO_WRITES:
        return Change(call, None, receiver.spelled)
    if method in _QUERY_WRITES:
        table = touched_table(project, receiver)
        if table is not None:
            return Change(call, table, _named(table, receiver))
        document = _document(project, receiver)
        if document:
            return Change(call, None, document)
        if method == "save" and _is_form(project, receiver):
            return Change(call, form_table(project, receiver), receiver.spelled)
    return None


def _named(table: Table | None, node: Node | None) -> str:
    if table is not None:
        return table.model.rpartition(".")[2] or table.name
    return node.spelled if node is not None else ""


def _is_session(project: Project, node: Node) -> bool:
    names = {owner for name in project.types(node) for owner in project.lineage(split(name)[0])}
    return bool(names & set(_SESSIONS)) or (not names and bool(re.search(r"(^|\.)(db\.)?session$|^db$", node.spelled)))


def _document(project: Project, node: Node) -> str:
    """The class of a document of an object-document mapper, or of what stands for the class; empty for others."""
    bases = project.models.kinds.get("document-bases", frozenset())
    classes = [part for name in project.types(node) for part in split(name) if part]
    found = (cls for cls in classes if not bases.isdisjoint(project.lineage(cls)))
    return next(found, "").rpartition(".")[2]


def named_as_users(name: str) -> bool:
    """Whether a collection or class of documents holds the people who log in, by its name."""
    return name.endswith("User") or bool(_USER_TABLE.search(name))


def _is_form(project: Project, node: Node) -> bool:
    kinds = project.models.kinds
    known = kinds.get("forms", frozenset()) | kinds.get("schemas", frozenset())
    return any(not known.isdisjoint(project.lineage(split(name)[0])) for name in project.types(node))


def form_table(project: Project, node: Node) -> Table | None:
    """The table of the model that a model form or serializer saves."""
    for name in project.types(node):
        table = meta_table(project, split(name)[0])
        if table is not None:
            return table
    return None


def meta_table(project: Project, cls: str) -> Table | None:
    """``Meta.model`` of a class."""
    for owner in project.lineage(cls):
        view = project.class_named(owner)
        meta = view.inner.get("Meta") if view is not None else None
        if meta is not None and "model" in meta.fields:
            for model in project.denoted_classes(meta.fields["model"]):
                return schema(project).of_model(model.name)
    return None


def sql_text(project: Project, call: Node) -> str:
    """The SQL that a call executes, with unknown parts as a mark; empty if it executes none."""
    func = call.func
    if func is None or call.method not in project.once(_sql_methods):
        return ""
    known = project.models.sinks.get("sql", {})
    position = next((known[name] for name in project.names(func) if name in known), None)
    if position is None and not call.method.startswith("execute"):
        return ""
    first = call.arg(0, "query")
    for text in spelled_strings(project, first) if first is not None else ():
        if re.match(r"\s*(select|insert|update|delete|replace|with)\b", text, re.I):
            return text
    return ""


def _sql_methods(project: Project) -> frozenset[str]:
    known = project.models.sinks.get("sql", {})
    return frozenset(name.rpartition(".")[2] for name in known) | {"execute", "executemany"}


# -- tables that a handler reads --------------------------------------------------------------------------------------


def reads(project: Project, code: Code, depth: int = 0) -> tuple[tuple[Node, Table], ...]:
    """The tables whose rows a body reads, itself or through the project's functions, as calls in that body."""
    memory = project.once(_read_memory)
    key = (code, depth)
    if key not in memory:
        memory[key] = ()
        memory[key] = tuple(_reads(project, code, depth))
    return memory[key]


def _read_memory(project: Project) -> dict[tuple[Code, int], tuple[tuple[Node, Table], ...]]:
    return {}


def _reads(project: Project, code: Code, depth: int) -> Iterator[tuple[Node, Table]]:
    for call in code.nodes(ops.Call):
        sql = sql_text(project, call)
        found = _SQL_READ.search(sql) if sql and not _SQL_WRITE.search(sql) else None
        table = schema(project).table(found[1].rpartition(".")[2]) if found else None
        if table is None and call.method in _SELECTS:
            table = table_of(project, call)
        if table is not None:
            yield call, table
        elif depth < _DEPTH - 1:
            for callee in project.callees(call):
                inner = reads(project, callee, depth + 1) if callee != code else ()
                yield from ((call, inner_table) for _, inner_table in inner[:4])


# -- events -----------------------------------------------------------------------------------------------------------


class _Context(msgspec.Struct, frozen=True):
    """What is known of a body's parameters: which are the caller, which the client chose."""

    identity: frozenset[int]
    client: frozenset[int]


def events(project: Project, route: Route) -> tuple[Event, ...]:
    """The look-ups and ties of a route's handler, in order."""
    code = route.handler
    identity = frozenset(p.index for p in route.params if p.where == "injected" and _is_caller(project, code, p.index))
    client = frozenset(p.index for p in route.params if p.where in CLIENT)
    return events_in(project, code, _Context(identity, client), 0)


def _is_caller(project: Project, code: Code, index: int) -> bool:
    """Whether an injected parameter is the user who calls."""
    param = code.function.params[index]
    target = injection(project, code, index)
    spelled = f"{param.name} {target.spelled if target is not None else ''}".lower()
    if any(_IDENTITY_PARAM.search(word) for word in spelled.split()):
        return True
    for name in project.types(code.node(_param_value(code, index))):
        table = schema(project).of_model(split(name)[0])
        if table is not None and is_user_table(table):
            return True
    return False


def _param_value(code: Code, index: int) -> int:
    return next((v for v, op in enumerate(code.ops) if isinstance(op, ops.Param) and op.index == index), 0)


def events_in(project: Project, code: Code, context: _Context, depth: int) -> tuple[Event, ...]:
    memory = project.once(_event_memory)
    key = (code, context, depth)
    if key not in memory:
        memory[key] = ()
        memory[key] = tuple(_open(list(_Reader(project, code, context, depth).events())))
    return memory[key]


def _open(found: list[Event]) -> Iterator[Event]:
    """The ties, and the look-ups that none of them covers."""
    ties = [event for event in found if event.tie]
    for event in found:
        if event.tie or not any(_covers(tie, event) for tie in ties):
            yield event


def _covers(tie: Event, event: Event) -> bool:
    same = tie.table is None or event.table is None or tie.table is event.table
    return same and (event.effect < 0 or tie.node.value < event.effect)


def _event_memory(project: Project) -> dict[tuple[Code, _Context, int], tuple[Event, ...]]:
    return {}


class _Reader:
    def __init__(self, project: Project, code: Code, context: _Context, depth: int) -> None:
        self.project = project
        self.code = code
        self.context = context
        self.depth = depth
        self._known: dict[tuple[int, bool], bool] = {}
        self._tests = {region.test for region in code.body.regions if region.test != NONE}

    def events(self) -> Iterator[Event]:
        for value, op in enumerate(self.code.ops):
            node = self.code.node(value)
            if isinstance(op, ops.Compare):
                if self._compared(node, op):
                    yield Event(node, True)
            elif isinstance(op, ops.Call):
                yield from self._call(node)
            elif value in self._tests and self._is_role_check(node):
                yield Event(node, True)

    def _compared(self, node: Node, op: ops.Compare) -> bool:
        sides = [node.to(op.left), node.to(op.right)]
        if any(side.const is not None for side in sides) or any(_is_none(side) for side in sides):
            return False
        known = [self.identifies(side) for side in sides]
        return known[0] != known[1]

    def _is_role_check(self, node: Node) -> bool:
        text = mention(self.project, node)
        return bool(re.search(r"is_(admin|staff|superuser|owner)|has_perm|\brole\b|can_|permission", text))

    def _call(self, node: Node) -> Iterator[Event]:
        sql = sql_text(self.project, node)
        if sql:
            yield from self._sql(node, sql)
            return
        if node.method in _LOOKUPS:
            found = self._lookup(node)
            if found is not None:
                yield found
                return
        callees = [code for code in self.project.callees(node) if code != self.code]
        if callees and self.depth < _DEPTH:
            for code in callees:
                yield from self._inner(node, code)
        elif any(self.identifies(arg) for arg in node.args()) and (callees or _CHECKS.search(node.spelled.lower())):
            yield Event(node, True)

    def _inner(self, call: Node, code: Code) -> Iterator[Event]:
        """The events of a function of the project, where it is called."""
        identity: set[int] = set()
        client: set[int] = set()
        for index in range(len(code.function.params)):
            given = self.project.argument(call, code, index)
            receiver = call.receiver
            if given is None and index == 0 and code.cls is not None:
                given = receiver
            if given is not None:
                identity |= {index} if self.identifies(given) else set()
                client |= {index} if self.chosen(given) else set()
        context = _Context(frozenset(identity), frozenset(client))
        for event in events_in(self.project, code, context, self.depth + 1):
            effect = call.value if event.effect >= 0 else -1
            yield msgspec.structs.replace(event, node=call, effect=effect, inner=event.inner or event.node)
        if identity and _CHECKS.search(code.function.name):
            yield Event(call, True)

    def _sql(self, call: Node, sql: str) -> Iterator[Event]:
        where = _SQL_WHERE.search(sql)
        if where is None:
            return
        named = _SQL_WRITE.search(sql)
        name = named[2] if named else next(iter(_SQL_READ.findall(sql)), "")
        table = schema(self.project).table(name.rpartition(".")[2])
        columns = [found.rpartition(".")[2].strip('"`').lower() for found in _SQL_EQUAL.findall(where[1])]
        if any(_OWNER_NAME.search(column) for column in columns):
            yield Event(call, True, table)
            return
        keyed = any(_is_key(table, column, name) for column in columns)
        values = call.args()
        if keyed and any(self.chosen(value) for value in values) and not any(self.identifies(v) for v in values):
            yield Event(call, False, table, effect=call.value if named is not None else -1)
        elif any(self.identifies(value) for value in values):
            yield Event(call, True, table)

    def _lookup(self, call: Node) -> Event | None:
        table = self._table(call)
        if table is None and call.method not in _MONGO:
            return None
        receiver = call.receiver
        given = call.args()
        if any(self.identifies(value) for value in given) or (receiver is not None and self._own(receiver)):
            return Event(call, True, table)
        columns = list(self._keys(call))
        if any(column is not None and _CAPABILITY.search(column) for column in columns):
            return Event(call, True, table)
        if any(column is None or _is_key(table, column, "") for column in columns):
            return Event(call, False, table, effect=self._effect(call))
        return None

    def _own(self, receiver: Node) -> bool:
        """A chain that begins at the caller: ``current_user.items``, or that was already narrowed to the caller."""
        return self.identifies(receiver)

    def _table(self, call: Node) -> Table | None:
        receiver = call.receiver
        found = touched_table(self.project, receiver) if receiver is not None else None
        first = call.arg(0)
        if found is None and first is not None and call.method in ("get", "get_object_or_404", "aget_object_or_404"):
            found = touched_table(self.project, first)
        return found or table_of(self.project, call)

    def _keys(self, call: Node) -> Iterator[str | None]:
        """The columns that a look-up compares with what the client chose; None for the primary key."""
        op = call.origin.op
        assert isinstance(op, ops.Call)
        for name, value in op.keywords:
            if self.chosen(call.to(value)):
                yield name.partition("__")[0]
        for position, value in enumerate(op.args):
            node = call.to(value).origin
            made = node.op
            if isinstance(made, ops.Compare) and made.operator == "==":
                for one, other in ((made.left, made.right), (made.right, made.left)):
                    side = node.to(one).origin.op
                    if isinstance(side, ops.Attr) and self.chosen(node.to(other)):
                        yield side.name
            elif isinstance(made, ops.Build) and made.kind == "dict":
                for key, item in zip(made.keys, made.items, strict=False):
                    if key != NONE and self.chosen(node.to(item)):
                        yield str(node.to(key).const)
            elif call.method in ("get", "get_or_404") and position < 2 and self.chosen(node):
                yield None

    def _effect(self, call: Node) -> int:
        """``.filter(...).delete()`` and ``.update(...)``: where the rows change without having been loaded."""
        if call.method in _DIRECT:
            return call.value
        if call.method in ("filter", "filter_by", "where", "exclude"):
            for node in self.code.nodes(ops.Call):
                receiver = node.receiver
                if node.method in ("delete", "update") and receiver is not None and receiver.origin == call.origin:
                    return node.value
        return -1

    # -- values -------------------------------------------------------------------------------------------------------

    def identifies(self, node: Node) -> bool:
        """Whether the caller's identity has a part in a value."""
        return self._any(node, True)

    def chosen(self, node: Node) -> bool:
        """Whether the client chose a value, as far as this body shows."""
        return self._any(node, False)

    def _any(self, node: Node, identity: bool) -> bool:
        key = (node.value, identity)
        if key not in self._known:
            asked = self.is_identity if identity else self._is_chosen
            self._known[key] = any(asked(part) for part in self._parts(node))
        return self._known[key]

    def _parts(self, node: Node) -> Iterator[Node]:
        """A value, what it is made of, and what was put into that."""
        seen: set[int] = set()
        level = [node.value]
        for _ in range(_WALK):
            following: list[int] = []
            for value in level:
                if value != NONE and value not in seen:
                    seen.add(value)
                    part = node.to(value)
                    yield part
                    following += inputs(part.op)
                    following += self._put_into(value)
            level = following

    def _put_into(self, value: int) -> Iterator[int]:
        op = self.code.ops[value]
        if isinstance(op, (ops.Build, ops.Call)):
            for effect in self.code.effects.get(value, ()):
                stored = self.code.ops[effect]
                if isinstance(stored, (ops.SetItem, ops.SetAttr)):
                    yield stored.value
                elif isinstance(stored, ops.Call) and isinstance(op, ops.Build):
                    yield from stored.args

    def is_identity(self, node: Node) -> bool:
        op = node.op
        if isinstance(op, ops.Param):
            return node.code is self.code and op.index in self.context.identity
        if isinstance(op, (ops.Attr, ops.Name, ops.Import, ops.Call, ops.Item)):
            spelled = (node.spelled or getattr(op, "name", "")).lower()
            return bool(IDENTITY.search(spelled)) or self.is_session(node)
        return False

    def is_session(self, node: Node) -> bool:
        """``session["user_id"]``, ``session.get("user")``."""
        op = node.op
        key = node.to(op.key) if isinstance(op, ops.Item) else node.arg(0) if node.method == "get" else None
        base = node.to(op.base) if isinstance(op, ops.Item) else node.receiver
        text = key.text if key is not None else None
        return base is not None and text is not None and is_http_session(self.project, base)

    def _is_chosen(self, node: Node) -> bool:
        op = node.op
        if isinstance(op, ops.Param):
            return node.code is self.code and op.index in self.context.client
        spelled = node.spelled.lower()
        if isinstance(op, (ops.Attr, ops.Item, ops.Call)) and _CLIENT.search(spelled):
            return True
        func = node.func if isinstance(op, ops.Call) else node
        return func is not None and not frozenset(self.project.models.sources).isdisjoint(self.project.names(func))


def is_http_session(project: Project, node: Node) -> bool:
    """Whether a value is the session that a cookie carries (not a database's)."""
    known = project.models.kinds.get("http-sessions", frozenset())
    here = node.origin
    while isinstance(here.op, ops.Await):
        here = here.to(here.op.value).origin
    target = here.func or here
    return here.spelled.endswith("request.session") or not known.isdisjoint(project.names(target))


def _is_none(node: Node) -> bool:
    op = node.origin.op
    return isinstance(op, ops.Const) and op.value is None


def _is_key(table: Table | None, column: str, name: str) -> bool:
    """Whether a column picks one row: the primary key, a unique one, or what is named like one."""
    if _ID_NAME.search(column):
        return True
    if table is not None:
        found = table.column(column)
        if column in table.primary_key or (found is not None and (found.primary_key or found.unique)):
            return True
        name = table.name
    stem = name.rpartition("_")[2].rstrip("s").lower()
    return bool(stem) and column in (f"{stem}_id", f"id_{stem}", f"{stem}id", f"id{stem}")


def caller_reads(project: Project, code: Code) -> tuple[Node, ...]:
    """Reads of the caller that fail when nobody is logged in: ``session["user_id"]``, ``request.user`` in a query."""
    reader = _Reader(project, code, _Context(frozenset(), frozenset()), 0)
    found: list[Node] = []
    for node in code.nodes(ops.Item):
        if reader.is_session(node) and _about_user(node):
            found.append(node)
    for call in code.nodes(ops.Call):
        if call.method in _LOOKUPS or call.method in _QUERY_WRITES or sql_text(project, call):
            found += [node for arg in call.args() for node in operands(arg, 4) if reader.is_identity(node)]
    return tuple(sorted(dict.fromkeys(found), key=lambda node: node.value))


def _about_user(node: Node) -> bool:
    op = node.op
    text = node.to(op.key).text if isinstance(op, ops.Item) else None
    return text is not None and bool(re.search(r"user|uid|account|usuario|member|logged", text.lower()))


def events_in_part(project: Project, code: Code) -> tuple[Event, ...]:
    """The events of a method of a class view, of whose parameters nothing is known."""
    return events_in(project, code, _Context(frozenset(), frozenset()), 0)


def mentions_caller(project: Project, code: Code) -> bool:
    """Whether a body uses the caller's identity in any way."""
    reader = _Reader(project, code, _Context(frozenset(), frozenset()), 0)
    return any(reader.is_identity(code.node(value)) for value in range(len(code.ops)))
