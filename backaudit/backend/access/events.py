"""Look-ups by a client's key, and ties to the caller.

An *event* is a look-up of a row by something that the client chose, or a tie: a condition or a query in which the
caller's identity takes part. Events of the project's own functions count where they are called, in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial

import msgspec

from backaudit.backend.access.caller import NOBODY, Context, Values, context_of, of_people
from backaudit.backend.access.changes import changes, written
from backaudit.backend.access.denial import mention
from backaudit.backend.access.owners import OWNER_NAME
from backaudit.backend.access.statements import (
    SQL_COUNTS,
    SQL_EQUAL,
    SQL_READ,
    SQL_WHERE,
    SQL_WRITE,
    bound_to,
    sql_text,
)
from backaudit.backend.access.tables import fetched_table, repository_table, told_table, touched_table
from backaudit.backend.data.counting import only_counts
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.web.records import Route
from backaudit.backend.web.responses import answers
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Region
from backaudit.project import Code, Node, Project
from backaudit.project.generic import is_open
from backaudit.project.locate import conditions, on_the_way
from backaudit.project.operands import made_of
from backaudit.project.solving import Solver
from backaudit.vocabulary.meaning import meaning

_OF_DOCUMENTS = ("document-finds", "document-changes")
_ID_NAME = meaning("people", "row-key")
_CAPABILITY = meaning("tokens", "capability")
_SENT_CODE = meaning("tokens", "sent-code")
_STEP = meaning("routes", "public-step")
_WORDS = re.compile(r"[A-Z]?[a-z]+")
_CHECKS = meaning("access", "check-function")


class Event(msgspec.Struct, frozen=True):
    """A look-up by a client's key (``tie`` False), or a tie to the caller. ``node`` stands in the body asked about.

    ``effect``: the operation that changes rows without having loaded them, so that a tie must come before it; -1 for a
    row that is loaded. ``inner``: where it happens, if in a function that ``node`` calls. ``column``: what was compared
    with the client's key, if it is not the key of the row itself. ``loads_caller``: a tie that is no more than the
    caller's own row. ``by``: the column that a look-up finds one row by, as far as it is named.
    """

    node: Node
    tie: bool
    table: Table | None = None
    effect: int = -1
    inner: Node | None = None
    column: str = ""
    loads_caller: bool = False
    by: str = ""


def events(project: Project, route: Route) -> tuple[Event, ...]:
    """The look-ups and ties of a route's handler, in order."""
    return events_in(project, route.handler, context_of(project, route))


def events_in(project: Project, code: Code, context: Context) -> tuple[Event, ...]:
    return project.once(_solver).ask((code, context))


def _solver(project: Project) -> Solver[tuple[Code, Context], Event]:
    return Solver(
        lambda asked: tuple(_open(project, _each_once(_Reader(project, *asked).events()))), _place, project.steps
    )


def _place(asked: tuple[Code, Context]) -> tuple[str, int, list[str], list[str]]:
    """Where a question stands in the project, so that circles are worked off in one order."""
    code, context = asked
    return code.path, code.index, sorted(map(str, context.identity)), sorted(map(str, context.client))


def _each_once(found: Iterable[Event]) -> list[Event]:
    """What several ways through a call lead to is one event there: functions that call each other have many ways."""
    known: dict[tuple[object, ...], Event] = {}
    for event in found:
        inner = event.inner or event.node
        table = event.table.name if event.table is not None else ""
        key = (event.node, inner, event.tie, table, event.effect, event.column, event.loads_caller)
        known.setdefault(key, event)
    return list(known.values())


def _open(project: Project, found: list[Event]) -> Iterator[Event]:
    """The ties, and the look-ups that none of them covers."""
    ties = [event for event in found if event.tie]
    for event in found:
        if event.tie or not any(_covers(project, tie, event) for tie in ties):
            yield event


def _covers(project: Project, tie: Event, event: Event) -> bool:
    if tie.loads_caller and tie.node is not event.node:
        return False
    before = event.effect < 0 or tie.node.value < event.effect
    return before and _together(tie.node, event.node) and _is_about(project, tie, event)


def _is_about(project: Project, tie: Event, event: Event) -> bool:
    """Whether a tie is about the row of a look-up: of its table, or of one that is found by it or leads to it."""
    if tie.table is None or event.table is None or tie.table is event.table:
        return True
    shared = set(made_of(tie.node)) & set(made_of(event.node))
    return any(_is_row(project, node) for node in shared)


def _is_row(project: Project, node: Node) -> bool:
    return isinstance(node.op, ops.Call) and touched_table(project, node) is not None


def _together(one: Node, other: Node) -> bool:
    """Whether one run of the body can pass both: not two branches of which the first has left."""
    first, last = sorted((one.value, other.value))
    return on_the_way(one.code, first, last)


class _Reader:
    def __init__(self, project: Project, code: Code, context: Context) -> None:
        self.project = project
        self.code = code
        values = Values(project, code, context)
        self.identifies, self.chosen = values.identifies, values.chosen
        self._tests = {region.test for region in code.body.regions if region.test != NONE}

    def events(self) -> Iterator[Event]:
        for value, op in enumerate(self.code.ops):
            node = self.code.node(value)
            if isinstance(op, ops.Compare):
                if self._compared(node, op):
                    yield Event(node, True, self._compared_table(node, op))
            elif isinstance(op, ops.Call):
                yield from self._call(node)
            elif value in self._tests and self._is_role_check(node):
                yield Event(node, True)

    def _compared(self, node: Node, op: ops.Compare) -> bool:
        if not self._decides(node):
            return False
        sides = [node.to(op.left), node.to(op.right)]
        if any(side.const is not None for side in sides) or any(side.is_none for side in sides):
            return False
        known = [self.identifies(side) for side in sides]
        return known[0] != known[1] or (not self._picks(sides) and any(self._proves(side) for side in sides))

    def _picks(self, sides: list[Node]) -> bool:
        """Whether one side is the key of a row: a comparison with what is sent picks a row then, and proves nothing."""
        return any(self._is_own_key(side.origin) for side in sides)

    def _is_own_key(self, side: Node) -> bool:
        op = side.op
        return isinstance(op, ops.Attr) and _is_key(touched_table(self.project, side.to(op.base)), op.name, "")

    def _compared_table(self, node: Node, op: ops.Compare) -> Table | None:
        """The table of the row, or of the column, that is compared with the caller, as far as it is known."""
        rows = [side for side in (node.to(op.left), node.to(op.right)) if not self.identifies(side)]
        return self._root_table(rows[0]) if len(rows) == 1 else None

    def _root_table(self, node: Node) -> Table | None:
        """The table of the row that a chain of attributes begins with: ``comment.post.author_id`` is of a comment."""
        found = None
        here = node.origin
        while isinstance(here.op, ops.Attr):
            here = here.to(here.op.base).origin
            found = touched_table(self.project, here) or found
        return found

    def _proves(self, node: Node) -> bool:
        """A token or signature of the link that is compared: who knows it may."""
        op = node.origin.op
        params = self.code.function.params
        return isinstance(op, ops.Param) and op.index < len(params) and _CAPABILITY.holds(params[op.index].name)

    def _decides(self, node: Node) -> bool:
        """Whether what runs hangs on a comparison: of the branches that test it one leaves, or holds what is done."""
        branches = [r for r in self.code.body.regions if r.test != NONE and node in conditions(self.code.node(r.test))]
        return not branches or any(self._matters(region) for region in branches)

    def _matters(self, region: Region) -> bool:
        if region.exits or region.kind not in ("then", "else"):
            return True
        inside = [self.code.node(value) for value in range(region.first, region.last)]
        ends = {answer.value for answer in answers(self.project, self.code)}
        return any(part.value in ends or self._acts(part) for part in inside)

    def _acts(self, node: Node) -> bool:
        """What changes something, or is asked of the project's own code."""
        if isinstance(node.op, (ops.SetAttr, ops.SetItem, ops.Bind)):
            return True
        return isinstance(node.op, ops.Call) and (
            written(self.project, node) is not None or bool(self.project.callees(node))
        )

    def _is_role_check(self, node: Node) -> bool:
        text = mention(self.project, node)
        return bool(re.search(r"is_(admin|staff|superuser|owner)|has_perm|\brole\b|can_|permission", text))

    def _call(self, node: Node) -> Iterator[Event]:
        sql = sql_text(self.project, node)
        found = self._lookup(node) if not sql and node.is_call_of("lookups") else None
        if sql:
            yield from self._sql(node, sql)
        elif found is not None:
            yield found
        else:
            yield from self._function(node)

    def _function(self, node: Node) -> Iterator[Event]:
        """The events of what a call runs; a check by its name, where that cannot be read."""
        callees = [code for code in self.project.callees(node) if code != self.code]
        if callees:
            found_inside = [event for code in callees for event in self._inner(node, code)]
            yield from found_inside or self._of_repository(node, callees)
        elif _CHECKS.holds(node.spelled.lower()) and any(map(self.identifies, node.args())):
            yield Event(node, True)

    def _of_repository(self, call: Node, callees: list[Code]) -> Iterator[Event]:
        """A method of a class that is for one model, given the key of a row."""
        table = repository_table(self.project, call)
        if table is None:
            return
        if any(self.identifies(arg) for arg in call.args()):
            yield Event(call, True, table)
            return
        done = {change.how for code in callees for change in changes(self.project, code)}
        if any(self._is_given_key(call, code, table) for code in callees):
            yield Event(call, False, table, effect=call.value if done - {"insert"} else -1)
        elif not done and self._names_key(call, table):
            yield Event(call, False, table)

    def _names_key(self, call: Node, table: Table) -> bool:
        """Whether the client chooses what a keyword gets that is called as the key of a table."""
        return any(self.chosen(value) and _is_key(table, name, "") for name, value in call.keywords().items())

    def _is_given_key(self, call: Node, code: Code, table: Table) -> bool:
        """Whether the client chooses what a parameter gets that is named after the key of a table."""
        for index, param in enumerate(code.function.params):
            given = self.project.argument(call, code, index)
            if given is not None and self.chosen(given) and _is_key(table, param.name, table.name):
                return True
        return False

    def _inner(self, call: Node, code: Code) -> Iterator[Event]:
        """The events of a function of the project, where it is called."""
        given: list[tuple[int | str, Node]] = [*self._given(call, code).items(), *self._free(code).items()]
        identity = frozenset(which for which, value in given if self.identifies(value))
        client = frozenset(which for which, value in given if self.chosen(value))
        for event in events_in(self.project, code, Context(identity, client)):
            effect = call.value if event.effect >= 0 else -1
            table = event.table if event.tie else told_table(self.project, call, code, event.table)
            yield msgspec.structs.replace(event, node=call, table=table, effect=effect, inner=event.inner or event.node)
        if identity and _CHECKS.holds(code.function.name):
            yield Event(call, True)

    def _given(self, call: Node, code: Code) -> dict[int, Node]:
        """What a call gives the parameters of a function, by their index."""
        passed = {index: self._passed(call, code, index) for index in range(len(code.function.params))}
        given = {index: node for index, node in passed.items() if node is not None}
        if code.cls is not None and 0 not in given and call.receiver is not None:
            given[0] = call.receiver
        return given

    def _passed(self, call: Node, code: Code, index: int) -> Node | None:
        """What a call passes for a parameter; of what it unpacks the whole stands for each part that is not written."""
        found = self.project.graph.passed(call, code, index)
        if found is not None:
            return found.node
        param = code.function.params[index]
        for mapping in self.project.graph.given(call, code).dstar if param.kind in ("normal", "keyword") else ():
            written = {key.text: value for key, value in mapping.node.entries()}
            return written.get(param.name, mapping.node)
        return None

    def _free(self, code: Code) -> dict[str, Node]:
        """What the names of this body stand for that a function inside it uses."""
        if code.parent != self.code:
            return {}
        final = self.code.body.final
        used = {op.name for op in code.ops if isinstance(op, ops.Name) and op.name in final}
        return {name: self.code.node(final[name]) for name in sorted(used)}

    def _sql(self, call: Node, sql: str) -> Iterator[Event]:
        where = SQL_WHERE.search(sql)
        if where is None:
            return
        named = SQL_WRITE.search(sql)
        name = named[2] if named else next(iter(SQL_READ.findall(sql)), "")
        table = schema(self.project).table(name.rpartition(".")[2])
        columns = [found.rpartition(".")[2].strip('"`').lower() for found in SQL_EQUAL.findall(where[1])]
        effect = call.value if named is not None and not SQL_COUNTS.search(sql) else -1
        if any(map(self.identifies, call.args())):
            yield Event(call, True, table)
            return
        sent = any(map(self.chosen, call.args()))
        if sent and any(map(partial(_is_capability, table), columns)):
            yield Event(call, True, table)
            return
        owned = next(filter(OWNER_NAME.holds, columns), "")
        parent = next((column for column in columns if table is not None and _is_parent_key(table, column)), "")
        if owned:
            owner = bound_to(call, sql, owned)
            tied = not (self.chosen(owner) if owner is not None else sent)
            yield Event(call, tied, table, effect=effect, column=owned)
        elif sent and any(_is_key(table, column, name) for column in columns):
            yield Event(call, False, table, effect=effect, by=columns[0])
        elif sent and parent:
            yield Event(call, False, table, effect=effect, column=parent)

    def _lookup(self, call: Node) -> Event | None:
        table = fetched_table(self.project, call)
        if table is None and not (self._is_of_any(call) or any(map(call.is_call_of, _OF_DOCUMENTS))):
            return None
        if self._is_of_caller(call):
            return Event(call, True, table, loads_caller=table is not None and of_people(self.project, table))
        columns = list(self._keys(call))
        if any(map(partial(_is_capability, table), columns)):
            return Event(call, True, table)
        keyed = any(column is None or _is_key(table, column, "") for column in columns)
        if keyed or (columns and self._is_single(call)):
            by = next((column for column in columns if column), "")
            return Event(call, False, table, effect=self._effect(call), by=by)
        found = next((column for column in columns if column and table and _is_parent_key(table, column)), None)
        return Event(call, False, table, effect=self._effect(call), column=found) if found else None

    def _is_of_any(self, call: Node) -> bool:
        """Whether a look-up is that of a generic class: of whatever model the class of its caller is about."""
        return any(is_open(name) for name in self.project.types(call))

    def _is_of_caller(self, call: Node) -> bool:
        """Whether a look-up is told who calls, or begins at what is the caller's own."""
        receiver = call.receiver
        return any(map(self.identifies, call.args())) or (receiver is not None and self._own(receiver))

    def _is_single(self, call: Node) -> bool:
        """Whether one row is taken of what a query finds, by whatever column."""
        for node in self.code.nodes(ops.Call):
            receiver = node.receiver
            if node.is_call_of("must-be-one") and receiver is not None and receiver.origin == call.origin:
                return True
        return False

    def _own(self, receiver: Node) -> bool:
        """A chain that begins at the caller: ``current_user.items``, or that was already narrowed to the caller."""
        return self.identifies(receiver)

    def _keys(self, call: Node) -> Iterator[str | None]:
        """The columns that a look-up compares with what the client chose; None for the primary key."""
        op = call.origin.op
        assert isinstance(op, ops.Call)
        for name, value in op.keywords:
            if self.chosen(call.to(value)):
                yield name.partition("__")[0]
        for position, value in enumerate(op.args):
            node = call.to(value).origin
            if isinstance(node.op, ops.Compare) and node.op.operator == "==":
                yield from self._compared_columns(node, node.op)
            elif node.is_dict:
                yield from (str(key.const) for key, given in node.entries() if self.chosen(given))
            elif call.is_call_of("looks-up-by-key") and position < 2 and self.chosen(node):
                yield None

    def _compared_columns(self, node: Node, op: ops.Compare) -> Iterator[str]:
        for one, other in ((op.left, op.right), (op.right, op.left)):
            side = node.to(one).origin.op
            if isinstance(side, ops.Attr) and self.chosen(node.to(other)):
                yield side.name

    def _effect(self, call: Node) -> int:
        """``.filter(...).delete()`` and ``.update(...)``: where the rows change without having been loaded."""
        if call.is_call_of("document-changes"):
            return call.value
        if call.method in ("filter", "filter_by", "where", "exclude"):
            for node in self.code.nodes(ops.Call):
                receiver = node.receiver
                if node.method in ("delete", "update") and receiver is not None and receiver.origin == call.origin:
                    return -1 if only_counts(node) else node.value
        return -1


def _is_key(table: Table | None, column: str, name: str) -> bool:
    """Whether a column picks one row: the primary key, a unique one, or what is named like one."""
    if _ID_NAME.holds(column):
        return True
    if table is not None:
        found = table.column(column)
        if column in table.primary_key or (found is not None and (found.primary_key or found.unique)):
            return True
        name = table.name
    stem = name.rpartition("_")[2].rstrip("s").lower()
    return bool(stem) and column in (f"{stem}_id", f"id_{stem}", f"{stem}id", f"id{stem}")


def _is_capability(table: Table | None, column: str | None) -> bool:
    """Whether a column holds what only who was told can name."""
    return column is not None and (_CAPABILITY.holds(column) or _is_sent_code(table, column))


def _is_sent_code(table: Table | None, column: str) -> bool:
    """Whether a column is a code that somebody was sent: the model draws it, or is there for what such codes do."""
    found = table.column(column) if table is not None and _SENT_CODE.holds(column) else None
    if table is None or found is None:
        return False
    named = f"{table.name} {table.model.rpartition('.')[2]}".replace("_", " ")
    return found.default or any(word.lower() in _STEP.words for word in _WORDS.findall(named))


def _is_parent_key(table: Table, column: str) -> bool:
    """Whether a column is the key to a row of another table: of an owner, of a parent."""
    found = table.column(column) or next((c for c in table.columns if c.attribute == column), None)
    return found is not None and bool(found.references or OWNER_NAME.holds(found.name))


def events_in_part(project: Project, code: Code) -> tuple[Event, ...]:
    """The events of a method of a class view, of whose parameters nothing is known."""
    return events_in(project, code, NOBODY)
