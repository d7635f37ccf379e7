"""Chains of calls that build one query: ``User.objects.filter(...).order_by(...)``, also over several statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.backend.data.schema import Schema, Table, schema
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import items, text
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning

_MODEL = meaning("code", "model-attribute")


def upstream(call: Node) -> list[Node]:
    """The calls before ``call`` in its chain, nearest first, over variables and joins of control; then the root."""
    return chain_of(call.receiver) if call.receiver is not None else []


def chain_of(node: Node) -> list[Node]:
    """A value and what it was built from, link by link: what arrives over branches is all part of it."""
    found: dict[Node, None] = {}
    pending = [node]
    while pending:
        node = pending.pop(0).origin
        if node in found:
            continue
        found[node] = None
        op = node.op
        if isinstance(op, (ops.Phi, ops.Choice)):
            pending += map(node.to, arriving(op))
        elif isinstance(op, ops.Await):
            pending.append(node.to(op.value))
        elif isinstance(op, ops.Item) and isinstance(node.to(op.key).op, ops.Build):
            pending.append(node.to(op.base))  # a slice is fewer of the same
        elif isinstance(op, ops.Attr):
            pending += _paged(node, op)
        elif isinstance(op, ops.Call) and node.receiver is not None and not node.is_call_of("query-openers"):
            pending.append(node.receiver)
    return list(found)


def _paged(node: Node, op: ops.Attr) -> list[Node]:
    """The page whose rows an attribute holds: ``page.items`` of ``Note.query.paginate()``."""
    kinds = node.code.project.models.kinds
    page = node.to(op.base).origin
    return [page] if op.name in kinds["rows-of-a-page"] and page.awaited.is_call_of("pagers") else []


def conditions(node: Node) -> frozenset[int]:
    """The branches in which an operation stands, as numbers of regions."""
    body = node.code.body
    inside = ("then", "else", "loop", "case", "lazy", "except")
    return frozenset(i for i, r in enumerate(body.regions) if r.kind in inside and r.first <= node.value < r.last)


def stands(condition: Node, link: Node | None) -> tuple[Place | None, int]:
    """Where a condition stands, if not in the link that asks by it, and in which branch it is added to what is asked
    always, 0 if in none.
    """
    here = link is not None and condition.code is link.code
    inside = link is not None and here and link.at.line <= condition.at.line <= link.at.end_line
    branches = conditions(condition) - (conditions(link) if link is not None and here else frozenset())
    return None if inside else condition.place, max(branches, default=-1) + 1


def arriving(op: ops.Phi | ops.Choice) -> tuple[int, ...]:
    """The values of which one arrives where control joins."""
    return op.values if isinstance(op, ops.Phi) else (op.then, op.other)


def root_table(project: Project, call: Node) -> Table | None:
    """The table that a chain's rows come from."""
    receiver = call.receiver
    return table_of(project, receiver) if receiver is not None else None


def table_of(project: Project, node: Node) -> Table | None:
    """The table of a model class, query, manager or select that a value is."""
    return project.once_of(_found_table, node)


def _found_table(project: Project, node: Node) -> Table | None:
    return _table_of(project, node, set())


def _table_of(project: Project, node: Node, seen: set[Node]) -> Table | None:
    """As :func:`table_of`, by ways that do not come through values that were ``seen`` before."""
    tables = schema(project)
    own = _own_rows(project, node.origin)
    if own is not None:
        return denoted_table(project, own) or _table_of(project, own, seen)
    for name in project.types(node):
        head, over = split(name)
        found = tables.of_model(over) if head != "list" else None
        if found is not None:
            return found
    origin = node.origin
    if origin in seen:
        return None
    seen.add(origin)
    return _table_of_op(project, tables, origin, seen)


def _table_of_op(project: Project, tables: Schema, node: Node, seen: set[Node]) -> Table | None:
    op = node.op
    if isinstance(op, ops.Call):
        return _of_call(project, node, seen)
    if isinstance(op, ops.Attr):
        return _of_attribute(project, tables, node, op, seen)
    if isinstance(op, (ops.Phi, ops.Choice)):
        return _first_table(_table_of(project, node.to(value), seen) for value in arriving(op))
    if isinstance(op, ops.Await):
        return _table_of(project, node.to(op.value), seen)
    if isinstance(op, ops.Param) and node.code.cls is not None:
        cls = node.code.cls
        return managed_table(project, cls.name) if op.index == 0 else _filtered(project, node.code, cls, op)
    return None


def _first_table(tables: Iterable[Table | None]) -> Table | None:
    return next((table for table in tables if table is not None), None)


def _filtered(project: Project, code: Code, cls: ClassView, op: ops.Param) -> Table | None:
    """The table of the rows that a filter's own method gets: those of the model that the filters are for."""
    if op.index != 1 or not project.inherits(cls.name, *project.models.kinds["filter-sets"]):
        return None
    meta = cls.inner.get("Meta")
    named = (text(project, bind.origin.arg(None, "method")) for bind in cls.fields.values())
    model = meta.fields.get("model") if meta is not None and code.function.name in named else None
    return denoted_table(project, model) if model is not None else None


def _of_call(project: Project, call: Node, seen: set[Node]) -> Table | None:
    """The table that a chain begins with, runs on, or gets from a function of the project."""
    opened = _opened(call) if call.is_call_of("query-openers") else []
    found = _first_table(denoted_table(project, argument) for argument in opened)
    if found is not None:
        return found
    first, receiver = call.arg(0), call.receiver
    if call.is_call_of("statement-runners") and first is not None and first.origin.call is not None:
        return _table_of(project, first, seen)
    if receiver is not None and call.method == "get_queryset":
        return _view_table(project, call, seen)
    found = _table_of(project, receiver, seen) if receiver is not None else None
    return found if found is not None else _of_callee(project, call, seen)


def _opened(call: Node) -> list[Node]:
    """The models and columns that a query is opened on, also those that were listed before."""
    op = call.op
    listed = [call.to(value) for value in op.star] if isinstance(op, ops.Call) else []
    return [one for given in (*call.args()[:2], *listed) for one in (given, *items(given))]


def _of_callee(project: Project, node: Node, seen: set[Node]) -> Table | None:
    """The table of the query that a function of the project returns; None if it may be one of several of several."""
    found: dict[str, Table] = {}
    for callee in project.callees(node):
        if guessed_model(project, callee.cls) is not None:
            return _of_own_class(project, node)
        table = _first_table(_table_of(project, value, seen) for value in callee.returned())
        if table is not None:
            found[table.name] = table
    return next(iter(found.values())) if len(found) == 1 else None


def returned_once(project: Project, call: Node) -> list[Node]:
    """What a function of the project gives to a call, if it gives it in one place."""
    found = [value for callee in project.callees(call) for value in callee.returned()]
    return found if len(found) == 1 else []


def _of_own_class(project: Project, call: Node) -> Table | None:
    """The model of the class whose inherited method is called: the method itself knows of several."""
    receiver, cls = call.receiver, call.code.cls
    if receiver is None:
        return None
    own = cls is not None and (receiver.is_self or receiver.origin.method == "super")
    names = [cls.name] if own and cls is not None else [split(name)[0] for name in project.types(receiver)]
    return _first_table(model_of(project, name) for name in names)


def _of_attribute(project: Project, tables: Schema, node: Node, op: ops.Attr, seen: set[Node]) -> Table | None:
    base = node.to(op.base)
    model = denoted_table(project, base)
    if model is not None:
        return model if _is_manager(project, node, op.name) else None
    if op.name == "queryset" and node.code.cls is not None:
        bound = node.code.cls.fields.get("queryset")
        return _table_of(project, bound, seen) if bound is not None else None
    for name in project.types(base):
        table = tables.of_model(split(name)[0])
        relation = tables.relation(table, op.name) if table is not None else None
        if relation is not None and relation[1].many:
            return tables.of_model(relation[1].target)
    return None


def _is_manager(project: Project, node: Node, attribute: str) -> bool:
    """Whether an attribute of a model is what its rows are asked by."""
    types = project.types(node)
    return attribute in ("objects", "query") or any(
        project.inherits(split(name)[0], *project.models.kinds["model-managers"]) for name in types
    )


def _view_table(project: Project, node: Node, seen: set[Node]) -> Table | None:
    """What ``self.get_queryset()`` of a class-based view is over."""
    cls = node.code.cls
    for name in ("queryset", "model"):
        for view in project.lineage_views(cls.name) if cls is not None else ():
            bound = view.fields.get(name)
            if bound is not None:
                return denoted_table(project, bound) or _table_of(project, bound, seen)
    return managed_table(project, cls.name) if cls is not None else None


def _own_rows(project: Project, call: Node) -> Node | None:
    """What a view's class names as its rows or model, where it asks itself, or its base, for its query."""
    receiver, cls = call.receiver, call.code.cls
    if receiver is None or cls is None or not call.is_call_of("manager-queries"):
        return None
    bound = cls.fields.get("model")
    if bound is None or bound.is_none or "queryset" in cls.fields:
        return None
    return bound if receiver.is_self or receiver.origin.method == "super" else None


def denoted_table(project: Project, node: Node) -> Table | None:
    """The table of the model class that a value is, also through ``aliased(...)`` and a column of the model."""
    tables = schema(project)
    for name in project.types(node):
        head, over = split(name)
        found = tables.of_model(over) if head in ("type", "ext") else None
        if found is not None:
            return found
    origin = node.origin
    mixin = _of_mixin(project, tables, origin)
    if mixin is not None:
        return mixin
    first = origin.arg(0)
    if origin.method in ("aliased", "with_polymorphic") and first is not None:
        return denoted_table(project, first)
    if isinstance(origin.op, ops.Attr):
        own = _own_model(project, origin, origin.op)
        return own if own is not None else denoted_table(project, origin.to(origin.op.base))
    return _imperative(project, tables, origin)


def _of_mixin(project: Project, tables: Schema, node: Node) -> Table | None:
    """``cls`` in a class method of a mixin is one of the models that have it."""
    cls = node.code.cls
    if cls is None or not isinstance(node.op, ops.Param) or node.op.index != 0:
        return None
    if f"type[{cls.name}]" not in project.types(node):
        return None
    below = (tables.of_model(other.name) for other in project.subclasses(cls.name))
    return next((table for table in below if table is not None), None)


def _own_model(project: Project, node: Node, op: ops.Attr) -> Table | None:
    """``self.model`` of a repository that names its model, or of the manager that a model names."""
    cls = node.code.cls
    own = node.to(op.base).is_self and _MODEL.holds(op.name)
    if not own or cls is None:
        return None
    named = model_of(project, cls.name)
    found = named if named is not None else managed_table(project, cls.name)
    return found if found is not None else project.once_of(_model_below, cls)


def guessed_model(project: Project, cls: ClassView | None) -> Table | None:
    """The model that a class is taken to be about which names none, and whose heirs name several."""
    if cls is None or model_of(project, cls.name) is not None:
        return None
    found = project.once_of(_model_below, cls)
    return found if len({table.name for table in _models_below(project, cls)}) > 1 else None


def _models_below(project: Project, cls: ClassView) -> list[Table]:
    return [found for other in project.subclasses(cls.name) if (found := model_of(project, other.name)) is not None]


def _model_below(project: Project, cls: ClassView) -> Table | None:
    """The model of a class that others extend: of those that these name, the one with most of what is asked here."""
    below = _models_below(project, cls)
    asked = {name for method in cls.methods.values() for name in _names_asked(method)}
    return max(below, key=lambda table: len(asked & {column.attribute for column in table.columns}), default=None)


def _names_asked(code: Code) -> Iterator[str]:
    """The names that may be columns: of attributes, and of keywords with what follows a name there cut off."""
    for op in code.ops:
        if isinstance(op, ops.Attr):
            yield op.name
        elif isinstance(op, ops.Call):
            yield from (keyword.partition("__")[0] for keyword, _ in op.keywords)


def model_of(project: Project, cls: str) -> Table | None:
    """The table of the model that a repository class is for: its field ``model``, or ``Repository[Model]``."""
    return project.once_of(_model_of, cls)


def _model_of(project: Project, cls: str) -> Table | None:
    tables = schema(project)
    for view in project.lineage_views(cls):
        bound = [bind for name, bind in view.fields.items() if _MODEL.holds(name)]
        parts = [part for base in view.bases for part in _parameters(base)]
        for node in (*bound, *parts):
            for model in project.denoted_classes(node):
                found = tables.of_model(model.name)
                if found is not None:
                    return found
    return None


def _parameters(base: Node) -> list[Node]:
    """``A`` and ``B`` of the base ``Base[A, B]``."""
    op = base.origin.op
    if not isinstance(op, ops.Item):
        return []
    key = base.origin.to(op.key)
    return key.elements()


def _imperative(project: Project, tables: Schema, node: Node) -> Table | None:
    """The table that ``Table("notes", metadata, …)`` declares, wherever it was given its name."""
    made = project.resolved(node)
    name = made.arg(0, "name") if made.method == "Table" else None
    return tables.table(name.text) if name is not None and name.text else None


def managed_table(project: Project, manager: str) -> Table | None:
    """The model whose manager or queryset a class is, if there is one: it is named in the model's body."""
    if not project.inherits(manager, *project.models.kinds["model-managers"]):
        return None
    found = project.once(_managers).get(manager, [])
    return schema(project).of_model(found[0]) if len(found) == 1 else None


def _managers(project: Project) -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for cls in project.subclasses(*project.models.kinds["django-model-base"]):
        for bind in cls.fields.values():
            call = bind.origin
            for part in _called(call):
                for made in project.denoted_classes(part):
                    if project.inherits(made.name, *project.models.kinds["model-managers"]):
                        table.setdefault(made.name, []).append(cls.name)
    return table


def _called(call: Node) -> Iterator[Node]:
    """The classes called in ``Manager.from_queryset(QuerySet)()`` or ``QuerySet.as_manager()``."""
    func = call.func
    if func is None:
        return
    yield func
    if call.receiver is not None:
        yield call.receiver
    yield from call.args()
    if func.call is not None:
        yield from _called(func)


def ends_early(call: Node, later: list[Node]) -> tuple[bool, bool]:
    """(limited, single): whether ``call`` or a later link of its chain stops after some rows, or after one."""
    methods = {node.method for node in (call, *later)}
    sliced = any(is_sliced(node) for node in (call, *later))
    kinds = call.code.project.models.kinds
    return sliced or bool(methods & kinds["row-limits"]), bool(methods & kinds["single-row"])


def is_sliced(node: Node) -> bool:
    """Whether only a slice of what a call gives is read."""
    return any(
        isinstance(op, ops.Item)
        and node.code.origin(op.base) == node.value
        and isinstance(node.code.ops[op.key], ops.Build)
        for op in node.code.ops[node.value : node.value + 40]
    )


def given_statement(run: Node) -> Node | None:
    """What an execution is given to run: its first argument, also by keyword (``query=``)."""
    return run.arg(0) or next(iter(run.keywords().values()), None)


def row_table(project: Project, node: Node) -> Table | None:
    """The table of which a value holds many rows."""
    tables = schema(project)
    for name in project.types(node):
        head, over = split(name)
        found = tables.of_model(over) if over and head not in ("type", "def", "module", "ext") else None
        if found is not None:
            return found
    origin = node.origin
    if isinstance(origin.op, ops.Attr):
        return related_table(project, origin, origin.op)
    if isinstance(origin.op, ops.Item) and isinstance(origin.to(origin.op.key).op, ops.Build):
        return row_table(project, origin.to(origin.op.base))  # a slice is fewer of the same
    many = origin.is_call_of("many-rows") or origin.is_call_of("loads-related")
    return table_of(project, node) if origin.call is not None and many else None


def related_table(project: Project, node: Node, op: ops.Attr) -> Table | None:
    """The table whose rows a relation of a row gives."""
    tables = schema(project)
    for name in project.types(node.to(op.base)):
        table = tables.of_model(split(name)[0])
        relation = tables.relation(table, op.name) if table is not None else None
        if relation is not None and relation[1].many:
            return tables.of_model(relation[1].target)
    return None
