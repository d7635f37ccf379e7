"""Lists without an end: queries that answer a request with as many rows as there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

import msgspec

from backaudit.backend.data.documents import has_store, is_document
from backaudit.backend.data.queries.chains import row_table, table_of
from backaudit.backend.data.queries.handing import fetched_by_helper, handing
from backaudit.backend.data.schema import schema
from backaudit.backend.web.catching import reached
from backaudit.backend.web.records import Limits
from backaudit.backend.web.routes import routes
from backaudit.backend.web.signature import declared_limits
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.client import client_origin
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.holding import conditions
from backaudit.project.locate import class_field
from backaudit.project.nodes import operands
from backaudit.project.operands import same, walk
from backaudit.project.strings import spelled_strings
from backaudit.vocabulary.meaning import meaning

# How many links of a chain are looked at for where ways meet.
_LINKS = 40
_AGGREGATES = re.compile(
    r"\b(count|sum|avg|min|max)\s*\(|\bgroup\s+by\b|\blimit\b|\bfetch\s+first\b|\btop\s*\(?\d", re.I
)
_SELECT = re.compile(r"\s*select\s", re.I)
_BY_KEY = re.compile(r"\b(?:where|and)\s+(?:\w+\.)?[`\"]?(\w+)[`\"]?\s*=", re.I)
_UNIQUE = meaning("columns", "unique-key")


class Endless(msgspec.Struct, frozen=True):
    """The query ``node`` gives every row of ``what``."""

    node: Node
    what: str


def endless_queries(project: Project) -> Iterator[Endless]:
    """Queries on a request's path that give every row they find. Each once."""
    told: set[tuple[str, int]] = set()
    for method in sorted(project.models.kinds["all-rows"]):
        for node in project.calls_of(method):
            if project.role(node.code.path) != "production" or not reached(project, node.code):
                continue
            what = _fetched(project, node) if method.startswith("fetch") else _rows(project, node)
            key = (node.code.path, node.at.line)
            if what and key not in told:
                told.add(key)
                yield Endless(node, what)
    yield from _documents(project)
    yield from _by_helpers(project)


def _by_helpers(project: Project) -> Iterator[Endless]:
    """Statements of which a function of the project, which is handed them, gives every row: ``query("SELECT …")``."""
    for code in sorted(project.once(handing), key=lambda code: code.place):
        for call in project.callers(code):
            given = fetched_by_helper(project, call)
            what = _selected(project, given) if given is not None and reached(project, call.code) else ""
            if what and project.role(call.code.path) == "production":
                yield Endless(call, what)


def _documents(project: Project) -> Iterator[Endless]:
    """Queries of document stores that nothing cuts, by what goes on with their result."""
    kinds = project.models.kinds
    methods = sorted(kinds["all-documents"] | kinds["all-rows"]) if has_store(project) else []
    for node in chain.from_iterable(map(project.calls_of, methods)):
        receiver = node.receiver
        if receiver is None or project.callees(node) or project.role(node.code.path) != "production":
            continue
        if _begins(project, node, receiver) and reached(project, node.code) and _reads_all(node):
            yield Endless(node, receiver.spelled.removesuffix(".objects").rpartition(".")[2] or "a collection")


def _begins(project: Project, node: Node, receiver: Node) -> bool:
    """Whether a call is the first link of a query of documents."""
    if node.is_call_of("all-documents") and _asks_documents(project, node, receiver):
        return True
    return _is_of_manager(project, receiver)


def _is_of_manager(project: Project, receiver: Node) -> bool:
    """Whether a chain begins at what a class of documents has for its queries: ``Note.objects``."""
    op = receiver.origin.op
    denoted = project.denoted_classes(receiver.origin.to(op.base)) if isinstance(op, ops.Attr) else ()
    asked = isinstance(op, ops.Attr) and op.name in project.models.kinds["all-documents"]
    return asked and any(is_document(project, cls.name) for cls in denoted)


def _asks_documents(project: Project, node: Node, receiver: Node) -> bool:
    """Whether a call asks a collection for more than the document of one id."""
    first = node.arg(0, "filter")
    known = any(is_document(project, cls.name) for cls in project.denoted_classes(receiver))
    asks = first is None or isinstance(first.origin.op, (ops.Build, ops.Compare))
    return (known or (asks and node.method in ("find", "aggregate"))) and not _by_id(first)


def _by_id(wanted: Node | None) -> bool:
    made = wanted.origin if wanted is not None else None
    keys = made.op.keys if made is not None and isinstance(made.op, ops.Build) else ()
    return made is not None and any(key != ops.NONE and made.to(key).text in ("_id", "id") for key in keys)


def _reads_all(node: Node) -> bool:
    """Whether the documents of a query are listed or gone through, and none of the links after it cuts them."""
    code, held, listed = node.code, _held(node), False
    for value, op in enumerate(code.ops):
        call = code.node(value)
        if isinstance(op, ops.Call) and call.receiver is not None and call.receiver.value in held:
            length = call.arg(0, "length")
            cut = call.method == "to_list" and length is not None and not length.is_none
            if call.is_call_of("few-rows") or cut:
                return False
            listed |= call.method == "to_list"
            held |= {value} | _held(call)
        elif isinstance(op, ops.Item) and op.base in held:
            return False
        elif isinstance(op, ops.Call):
            given = bool(op.args) and op.args[0] in held
            listed |= given and (call.method in ("list", "dumps", "tuple") or bool(call.code.project.callees(call)))
        elif isinstance(op, (ops.Element, ops.Return)) and not held.isdisjoint(operands(op)):
            listed = True
    return listed


def _rows(project: Project, node: Node) -> str:
    """The table whose rows a finished query gives, empty if it is none or stops early."""
    table = row_table(project, node) or table_of(project, node)
    types = project.types(node)
    lazy = any(name.rpartition("[")[0].endswith(tuple(project.models.kinds["lazy-queries"])) for name in types)
    # Of a model that only classes below name, nothing says whether the rows are loaded before they are cut.
    if table is None or _goes_on(project, node, lazy=lazy or not types):
        return ""
    few = project.models.kinds["few-rows"]
    if not few.isdisjoint(_methods(node)) and not _uncut_on_request(project, node, few):
        return ""
    if node.method != "all" and not lazy:
        return ""
    return table.name if not lazy or (_is_shown(node) and not _cut_by_callers(project, node)) else ""


def _cut_by_callers(project: Project, node: Node) -> bool:
    """Whether a query leaves its function only to who cuts it: a decorator of that function, or all its callers."""
    held = _held(node)
    left = [op.value for op in node.code.ops if isinstance(op, ops.Return) and op.value in held]
    around = list(_by_decorators(project, node.code)) or project.callers(node.code)
    gets = [call for call in around if project.role(call.code.path) == "production"]
    return bool(left and gets) and all(_is_cut(call) for call in gets)


def _by_decorators(project: Project, code: Code) -> Iterator[Node]:
    """The calls by which a function's decorators of the project run it."""
    for decorator in code.decorators:
        named = (project.function_named(name) for name in project.names(decorator))
        pending = list(project.callees(decorator)) or [one for one in named if one is not None]
        while pending:
            inner = pending.pop()
            pending += inner.defined
            yield from (call for call in inner.nodes(ops.Call) if code in project.callees(call))


def _is_cut(call: Node) -> bool:
    held = _held(call)
    return any(_cuts(call.code.node(value), op, held) for value, op in enumerate(call.code.ops))


def _uncut_on_request(project: Project, node: Node, few: frozenset[str]) -> bool:
    """Whether what cuts a query is left out as a client asks: ``if size: query = query.limit(size)``, and size is 0."""
    for join in _joins(node):
        ways = [join.to(value) for value in join.op.values] if isinstance(join.op, ops.Phi) else []
        cut = [way for way in ways if not few.isdisjoint(_methods(way))]
        if cut and len(cut) < len(ways) and any(_is_asked_for(project, way) for way in cut):
            return True
    return False


def _joins(node: Node) -> Iterator[Node]:
    """Where several ways of building a query meet, back through its chain and the statement that is run."""
    pending, seen = [node.origin], set[Node]()
    while pending:
        here = pending.pop().origin
        if here in seen or len(seen) > _LINKS:
            continue
        seen.add(here)
        op = here.op
        if isinstance(op, ops.Phi):
            yield here
            pending += [here.to(value) for value in op.values]
        elif isinstance(op, ops.Await):
            pending.append(here.to(op.value))
        elif isinstance(op, ops.Call):
            pending += [*([here.receiver] if here.receiver is not None else []), *here.args()[:1]]


def _is_asked_for(project: Project, way: Node) -> bool:
    """Whether one way is taken only where a number that a client chose, and may leave at 0, is true."""
    code = way.code
    tests = [code.node(test) for test, truth in conditions(code, way.origin.value) if truth]
    return any(
        isinstance(test.origin.op, (ops.Param, ops.Call, ops.Item, ops.Attr))
        and not _begins_at_one(project, test)
        and client_origin(project, test) is not None
        for test in tests
    )


def _begins_at_one(project: Project, node: Node) -> bool:
    op = node.origin.op
    given = declared_limits(project, node.code, op.index) if isinstance(op, ops.Param) else Limits()
    return given.minimum is not None and (given.minimum > 0 or given.exclusive_minimum)


def _goes_on(project: Project, node: Node, *, lazy: bool) -> bool:
    """Whether the query is only a part of another, is cut by a slice, or is paged; a list that is cut was loaded."""
    held = _held(node)
    shown = _is_shown(node)
    counts = project.models.kinds["row-counts"] if shown else frozenset()
    for value, op in enumerate(node.code.ops):
        if isinstance(op, ops.Attr) and op.base in held and op.name not in counts:
            return True
        if isinstance(op, ops.Item) and op.base in held and (lazy or not _is_slice(node.to(op.key))):
            return True
        given = isinstance(op, ops.Call) and not held.isdisjoint((*op.args, *(v for _, v in op.keywords)))
        if given and _cuts_or_narrows(node.code.node(value), shown=shown):
            return True
    return False


def _cuts_or_narrows(call: Node, *, shown: bool) -> bool:
    """Whether a call that gets a query makes a page, a part or a number of it, by what it is called."""
    name = call.method.lower()
    if "pagina" in name or "filter" in name or name in ("page", "iter", "random", "choice"):
        return True
    return (name == "len" and not shown) or any("pagina" in passed.lower() for passed in _passed_on(call))


def _passed_on(call: Node) -> Iterator[str]:
    """What is called with what a wrapper of the query gives (a filter set whose ``qs`` is paged)."""
    held = _held(call)
    for value, op in enumerate(call.code.ops):
        if isinstance(op, ops.Call) and not held.isdisjoint(op.args):
            yield call.code.node(value).method


def _held(node: Node) -> set[int]:
    held = {node.value}
    for value, op in enumerate(node.code.ops):
        if isinstance(op, (ops.Bind, ops.Await, ops.Phi)) and not held.isdisjoint(operands(op)):
            held.add(value)
    return held


def _is_shown(node: Node) -> bool:
    """Whether a lazy query is handed on: to a serializer, a template, a list, the caller."""
    held = _held(node)
    held |= {value for value, op in enumerate(node.code.ops) if _cuts(node, op, held)}
    held |= {each for value in list(held) for each in _held(node.code.node(value))}
    return any(_hands_on(node.code.node(value), op, held) for value, op in enumerate(node.code.ops))


def _hands_on(node: Node, op: ops.AnyOp, held: set[Value]) -> bool:
    if isinstance(op, ops.Call):
        many = any(name == "many" for name, _ in op.keywords)
        lists = many or node.method in node.code.project.models.kinds["lists-from-queries"]
        return (lists and not held.isdisjoint(op.args)) or not held.isdisjoint(value for _, value in op.keywords)
    if isinstance(op, ops.Build):
        return op.kind == "dict" and not held.isdisjoint(op.items)
    return isinstance(op, (ops.Return, ops.Element)) and not held.isdisjoint(operands(op))


def _cuts(node: Node, op: ops.Op, held: set[int]) -> bool:
    return isinstance(op, ops.Item) and op.base in held and _is_slice(node.to(op.key))


def _is_slice(key: Node) -> bool:
    made = key.origin.op
    return isinstance(made, ops.Build) and made.kind == "slice"


def _methods(node: Node) -> Iterator[str]:
    """The methods of a chain, back through names, awaits, and the statement that is executed."""
    return (part.method for part in walk(node, _before) if part.call is not None)


def _before(node: Node) -> tuple[Value, ...]:
    op = node.op
    if isinstance(op, ops.Await):
        return (op.value,)
    if not isinstance(op, ops.Call):
        return op.values if isinstance(op, ops.Phi) else ()
    receiver = (node.receiver.value,) if node.receiver is not None else ()
    executes = node.method in ("execute", "scalars", "exec", "stream_scalars")
    return (*receiver, *(op.args[:1] if executes else ()))


def _fetched(project: Project, node: Node) -> str:
    """The table of which a call fetches all that the statement selects which was run before, as text or built."""
    found = _sql_rows(project, node)
    executed = _executed(node) if not found else None
    statement = executed.arg(0) if executed is not None else None
    selects = statement is not None and "select" in _methods(statement)
    table = table_of(project, statement) if statement is not None and selects else None
    few = project.models.kinds["few-rows"]
    return found or (table.name if table is not None and few.isdisjoint(_methods(statement or node)) else "")


def _sql_rows(project: Project, node: Node) -> str:
    """What the statement selects that ran last on the same cursor."""
    executed = _executed(node)
    first = executed.arg(0) if executed is not None else None
    if first is not None and isinstance(first.origin.op, ops.Param) and node.code in project.once(handing):
        return ""  # Who hands the statement over is asked.
    return _selected(project, first) if first is not None else ""


def _selected(project: Project, first: Node) -> str:
    """The table of which a statement, as text, selects many rows."""
    texts = spelled_strings(project, first)
    if not texts or not all(_SELECT.match(text) for text in texts):
        return ""
    table = re.search(r"\bfrom\s+[`\"]?([\w.]+)", texts[0], re.I)
    name = table[1] if table else ""
    if any(_AGGREGATES.search(text) or _asks_for_one(project, text, name) for text in texts):
        return ""
    return name or "a table"


def _executed(node: Node) -> Node | None:
    """The call that ran the statement whose rows a call fetches."""
    if node.method in ("fetch", "fetch_all"):
        return node
    made = node.receiver.awaited if node.receiver is not None else node.awaited
    return made if made.method == "execute" else _last_execute(node, made)


def _asks_for_one(project: Project, text: str, table: str) -> bool:
    """Whether a statement asks by a column that has no value twice: by what the schema says, or by its name."""
    known = project.once(schema).table(table)
    alone = (
        [column.name for column in known.columns if column.unique or column.primary_key] if known is not None else []
    )
    one = table.lower().rpartition(".")[2].removesuffix("s")
    unique = {*_UNIQUE.names, f"{one}_id", f"{one}id", f"id_{one}", f"id{one}", *(name.lower() for name in alone)}
    return any(column.lower() in unique for column in _BY_KEY.findall(text))


def _last_execute(node: Node, cursor: Node) -> Node | None:
    code = node.code
    found = None
    for call in code.nodes(ops.Call):
        if call.value >= node.value:
            break
        receiver = call.receiver
        if call.method == "execute" and receiver is not None and same(code, receiver.value, cursor.value):
            found = call
    return found


def endless_views(project: Project) -> Iterator[ClassView]:
    """Generic list views without a page size, neither of their own nor by default."""
    sized = _has_size(project)
    paged = _is_paged(project, sized=sized)
    views = {route.view.name: route.view for route in routes(project) if route.view is not None}
    for view in views.values():
        lineage = set(project.lineage(view.name))
        kinds = project.models.kinds["list-views"] & lineage
        if not kinds or view.file.role != "production" or _lists_itself(project, lineage):
            continue
        own = _pages_itself(project, view, sized=sized)
        by_default = paged and own is None and not project.models.kinds["pages-by-setting"].isdisjoint(kinds)
        if not own and not by_default:
            yield view


def _lists_itself(project: Project, lineage: set[str]) -> bool:
    """Whether a method of a view decides how its list is cut."""
    owners = [cls for owner in lineage if (cls := project.class_named(owner)) is not None]
    own = any(not {"get_paginate_by", "list", "paginate_queryset"}.isdisjoint(cls.methods) for cls in owners)
    answers = [cls.methods["get"] for cls in owners if "get" in cls.methods]
    return own or (bool(answers) and not any(_hands_on_list(code) for code in answers))


def _hands_on_list(code: Code) -> bool:
    """Whether a view's own answer to GET is that of the library: ``self.list(…)``, ``super().get(…)``."""
    return any(call.method in ("get", "list") and _is_self(call.receiver) for call in code.nodes(ops.Call))


def _is_self(node: Node | None) -> bool:
    made = node.origin if node is not None else None
    if made is None:
        return False
    return made.method == "super" or (isinstance(made.op, ops.Param) and made.op.index == 0)


def _pages_itself(project: Project, view: ClassView, *, sized: bool) -> bool | None:
    """Whether a view's own paging cuts its list; None where it has none of its own."""
    by = class_field(project, view, "paginate_by")
    if by is not None:
        return not by.is_none
    pager = class_field(project, view, "pagination_class")
    if pager is None:
        return None
    return not pager.is_none and (sized or not _is_sizeless(project, pager))


def _is_sizeless(project: Project, pager: Node) -> bool:
    """Whether a class of pages has no size but the one of a setting."""
    sizeless: frozenset[str] = project.models.kinds["sizeless-pagers"]
    own = list(project.denoted_classes(pager))
    if not own:
        return not sizeless.isdisjoint(project.names(pager))
    sizes = [class_field(project, cls, name) for cls in own for name in ("page_size", "default_limit")]
    library = any(not sizeless.isdisjoint(project.lineage(cls.name)) for cls in own)
    return library and all(size is None or size.is_none for size in sizes)


def _has_size(project: Project) -> bool:
    sizes = [_setting(project, setting) for setting in sorted(project.models.kinds["page-size-settings"])]
    return any(size is not None and not size.is_none for size in sizes)


def _is_paged(project: Project, *, sized: bool) -> bool:
    """Whether the pages that all views have by a setting have a size."""
    pagers = [_setting(project, setting) for setting in sorted(project.models.kinds["page-settings"])]
    sizeless: frozenset[str] = project.models.kinds["sizeless-pagers"]
    for pager in pagers:
        if pager is None or pager.is_none:
            continue
        own = project.class_named(pager.text or "")
        known = "page_size" in own.fields if own is not None else (pager.text or "") not in sizeless
        if sized or known:
            return True
    return False


def _setting(project: Project, setting: str) -> Node | None:
    """The value of ``DICTIONARY.KEY`` among a project's settings."""
    name, _, wanted = setting.partition(".")
    for file in project.files.values():
        bound = file.top.body.final.get(name)
        for key, value in file.top.node(bound).entries() if bound is not None else ():
            if key.text == wanted:
                return value
    return None
