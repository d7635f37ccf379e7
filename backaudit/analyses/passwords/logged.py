"""What is written to a log: by libraries, by loggers of one's own, by printers; and what a password is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from backaudit.analyses.passwords.shown import Shown, selected_columns
from backaudit.backend.data.schema import schema
from backaudit.backend.deployment.settings import is_literally, settings_of
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.facts.place import Place
from backaudit.flow.parameters import sql_parameters
from backaudit.flow.search import Goal, Search
from backaudit.flow.trace import Access, Origin, Trace
from backaudit.project import Code, Node, Project
from backaudit.project.code import SERVING
from backaudit.project.locate import strings
from backaudit.rule import KNOWN, Assumed, assume
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import is_password_column, means_database_address, means_entry_code

# Migrations run where the service runs: what they print is kept with its logs.
LOGGING = (*SERVING, "migration")
_LOG = meaning("passwords", "log-owner")
_NOT_THE_RUNNER = assume("purpose", "it is not for whoever runs the script")


def _log_calls(project: Project) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """Calls that write a line for those who run the server, with what of their arguments is written."""
    kinds = project.models.kinds
    found = dict.fromkeys(project.calls("builtins.print", "pprint.pprint", *sorted(kinds["logs"] | kinds["printers"])))
    for method in sorted(kinds["log-methods"]):
        found.update((call, None) for call in project.calls_of(method) if _speaks_of_log(call.receiver))
    for call in found:
        if project.role(call.code.path) in LOGGING:
            yield call, tuple(call.args())
    for call, argument in project.once(_own_calls):
        if call not in found and project.role(call.code.path) in LOGGING:
            yield call, (argument,)


def _speaks_of_log(receiver: Node | None) -> bool:
    return receiver is not None and "log" in receiver.spelled.rpartition(".")[2].lower().replace("login", "")


# -- loggers of one's own ----------------------------------------------------------------------------------------------


def _own_calls(project: Project) -> tuple[tuple[Node, Node], ...]:
    """Calls of functions that only write what they are given to a log file, with that argument."""
    pending = list(dict.fromkeys(_writing_parameters(project)))
    found: dict[tuple[Node, Node], None] = {}
    seen: set[tuple[Code, int]] = set()
    while pending:
        code, index = pending.pop(0)
        if (code, index) in seen:
            continue
        seen.add((code, index))
        for call in project.callers(code):
            argument = project.argument(call, code, index)
            if argument is not None:
                found[(call, argument)] = None
                pending += _parameters(project, argument, call)
    return tuple(found)


def _writing_parameters(project: Project) -> Iterator[tuple[Code, int]]:
    """(function, parameter) of what writes its parameter to a log file."""
    for method in ("write", "writelines"):
        for call in project.calls_of(method):
            first, receiver = call.arg(0), call.receiver
            if first is None or receiver is None or not _is_log_file(project, receiver):
                continue
            yield from _parameters(project, first, call)


def _parameters(project: Project, value: Node, use: Node) -> Iterator[tuple[Code, int]]:
    """The parameters of the same function that a value is made of."""
    for origin in Trace(project, _Parameter(use.code), within=True).origins(value, (), use.value):
        op = origin.node.op
        if isinstance(op, ops.Param):
            yield origin.node.code, op.index


class _Parameter(Goal):
    def __init__(self, code: Code) -> None:
        self._code = code

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        own = node.code is self._code and isinstance(node.op, ops.Param) and node.op.name not in ("self", "cls")
        return "it is handed in" if own else None


def _is_log_file(project: Project, node: Node) -> bool:
    """A file that is opened to add lines to, and whose path or owner says that it is a log."""
    made = node.origin
    while isinstance(made.op, (ops.Enter, ops.Await)):
        made = made.to(made.op.value).origin
    if made.call is None or made.method != "open":
        return False
    mode = made.arg(1, "mode")
    if mode is None or "a" not in (mode.text or ""):
        return False
    cls = node.code.cls
    names = [cls.cls.name if cls is not None else "", node.code.function.name]
    path = made.arg(0, "file")
    names += _paths(project, path) if path is not None else []
    return any(_LOG.holds(name) for name in names)


def _paths(project: Project, path: Node) -> list[str]:
    known = list(strings(project, path))
    found = Trace(project, _Text()).origins(path, (), path.value) if not known else ()
    return [*known, *(origin.what for origin in found)]


class _Text(Goal):
    def source(self, search: Search, node: Node, access: Access) -> str | None:
        return node.op.value if isinstance(node.op, ops.Const) and isinstance(node.op.value, str) else None


# -- statements that are traced ----------------------------------------------------------------------------------------


def traced_statements(project: Project) -> Iterator[tuple[Node, str]]:
    """(where it is asked for, the column) of connections whose statements are written out, passwords among them."""
    asking = [
        (call, parameter.column)
        for call, parameter in sql_parameters(project)
        if is_password_column(parameter.column) and parameter.use in ("stored", "compared")
    ]
    for call in project.calls_of("set_trace_callback"):
        callback, opened = call.arg(0), call.receiver
        if opened is None or callback is None or callback.is_none:
            continue
        told = (column for statement, column in asking if _is_run_on(project, statement, opened.origin))
        column = next(told, None)
        if column is not None:
            yield call, column


def echoed_statements(project: Project) -> Iterator[tuple[Place, str]]:
    """(where it is asked for, the column) of engines that log all statements with what they bind."""
    tables = schema(project).tables
    columns = (f"{name}.{column.name}" for name in sorted(tables) for column in tables[name].columns)
    kept = next((shown for shown in columns if is_password_column(shown.rpartition(".")[2])), None)
    if kept is None:
        return
    for call in project.calls(*sorted(project.models.kinds["echoing-engines"])):
        if project.role(call.code.path) == "production" and _echoes(project, call):
            yield call.place, kept
    for setting in settings_of(project, "echo-settings"):
        if is_literally(project, setting.value, True) and project.role(setting.place.path) == "production":
            yield setting.place, kept


def _echoes(project: Project, engine: Node) -> bool:
    return _is_true(project, engine.arg(None, "echo")) and not _is_true(project, engine.arg(None, "hide_parameters"))


def _is_true(project: Project, node: Node | None) -> bool:
    known = project.constant(node) if node is not None else None
    return known is not None and known.const in (True, "debug")


def _is_run_on(project: Project, statement: Node, connection: Node) -> bool:
    return statement.receiver is not None and _comes_from(project, statement.receiver, connection)


def _comes_from(project: Project, node: Node, made: Node) -> bool:
    return any(True for _ in Trace(project, _Node(made)).origins(node))


class _Node(Goal):
    def __init__(self, wanted: Node) -> None:
        self._wanted = wanted

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        return "it is this one" if node.origin == self._wanted else None

    def through(self, search: Search, call: Node) -> Iterable[Node]:
        """A cursor is its connection's."""
        return [call.receiver] if call.receiver is not None else []


# -- what is logged ----------------------------------------------------------------------------------------------------


class LoggedPassword(msgspec.Struct, frozen=True):
    """A call that writes a password out, or its hash (``is_hash``), and where that comes from."""

    call: Node
    origin: Origin
    is_hash: bool

    @property
    def is_printed(self) -> bool:
        """Whether it is printed where the server runs, and not handed to a logger."""
        return self.call.method in ("print", "pprint", "ic", "pp")

    @property
    def assumed(self) -> Assumed:
        """What is supposed of a code that a script prints: whoever runs it may be the one whom it is for."""
        run = self.call.code.project.role(self.call.code.path) == "script"
        return _NOT_THE_RUNNER if self.is_printed and run else KNOWN


def logged_passwords(project: Project) -> Iterator[LoggedPassword]:
    """The calls that write a password to a log; a password itself is told before its hash."""
    goals = (Logged(project), LoggedHash(project))
    for call, arguments in _log_calls(project):
        for goal in goals:
            origin = _logged(project, goal, call, arguments)
            if origin is not None:
                yield LoggedPassword(call, origin, isinstance(goal, LoggedHash))
                break


def _logged(project: Project, goal: Goal, call: Node, arguments: tuple[Node, ...]) -> Origin | None:
    for argument in arguments:
        ways = Trace(project, goal).origins(argument, (), call.value)
        origin = next((way for way in ways if not _is_empty(call, argument)), None)
        if origin is not None:
            return origin
    return None


def _is_empty(call: Node, argument: Node) -> bool:
    """Whether all that an argument is made of is known to be empty at the call."""
    op = argument.origin.op
    if isinstance(op, ops.Build) and op.kind == "fstring":
        fields = [argument.origin.to(item).op for item in op.items]
        values = [argument.origin.to(field.value) for field in fields if isinstance(field, ops.Format)]
        return bool(values) and all(_is_nothing(call, value) for value in values)
    return _is_nothing(call, argument)


class Logged(Shown):
    """A password, the code that lets somebody in, or the address of a database with its password."""

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        if not access and (_address(search.project, node) or _opens_database(search.project, node)):
            return f"`{_name(node)}` is the database's address with its password"
        if isinstance(node.op, ops.Bind) and search.project.role(node.code.path) != "production":
            return None  # a script tells whoever runs it the password that it made up
        if not access and isinstance(node.op, (ops.Attr, ops.Bind, ops.Param)) and means_entry_code(node.op.name):
            return f"`{node.spelled or node.op.name}` is a code that lets somebody in"
        return super().source(search, node, access)


class LoggedHash(Shown):
    """The hash of a password: as a column, as what was just made, as a value of a row by its position."""

    def __init__(self, project: Project) -> None:
        super().__init__(project, hashes=True)

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        project = search.project
        if not access and self._hashed(project, node) and any(map(_of_password, node.args())):
            return f"`{node.spelled}` is the hash of a password"
        if len(access) == 1 and isinstance(access[0], int) and node.is_call_of("driver-fetches"):
            columns = selected_columns(project, node)
            if 0 <= access[0] < len(columns) and is_password_column(columns[access[0]]):
                return f"the column `{columns[access[0]]}` is the stored password or its hash"
        return super().source(search, node, access)

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        if isinstance(node.op, ops.Call) and not access and self._hashed(search.project, node):
            return not any(map(_of_password, node.args()))
        return super().ends(search, node, access, use)

    def _hashed(self, project: Project, call: Node) -> bool:
        func = call.func if isinstance(call.op, ops.Call) else None
        return func is not None and any(name in self._hashers for name in project.names(func))


def _of_password(argument: Node) -> bool:
    """Whether an argument of a hash function is called a password, also where it is only read or converted."""
    made = argument.origin
    while made.call is not None and made.method == "encode" and made.receiver is not None:
        made = made.receiver.origin
    name = made.spelled.rpartition(".")[2]
    key = made.to(made.op.key).text if isinstance(made.op, ops.Item) else None
    return any(is_password_column(text) for text in (name, key or "", argument.spelled.rpartition(".")[2]))


def _is_nothing(call: Node, value: Node) -> bool:
    """Whether a value is known to be empty where a call uses it: inside ``if not value:``, ``if value is None:``."""
    for region in call.code.regions_of(call.value):
        if region.test < 0 or region.kind not in ("then", "else"):
            continue
        said = _emptied(call.code.node(region.test))
        if said is not None and said[1] == (region.kind == "then") and said[0].origin == value.origin:
            return True
    return False


def _emptied(test: Node) -> tuple[Node, bool] | None:
    """(the value, whether it is empty where the test holds) of a test that asks only that."""
    op = test.origin.op
    if isinstance(op, ops.Unary) and op.operator == "not":
        inner = _emptied(test.origin.to(op.value))
        return (inner[0], not inner[1]) if inner is not None else None
    if isinstance(op, ops.Compare) and op.operator in ("is", "is not", "==", "!="):
        right = test.origin.to(op.right)
        if isinstance(right.op, ops.Const) and right.op.value in (None, ""):
            return test.origin.to(op.left), op.operator in ("is", "==")
        return None
    return (test, False) if not isinstance(op, (ops.Logic, ops.Compare)) else None


# -- the database's address --------------------------------------------------------------------------------------------


def _name(node: Node) -> str:
    op = node.op
    key = node.to(op.args[0]).text if isinstance(op, ops.Call) and op.args else None
    return key or node.spelled or (op.name if isinstance(op, ops.Import) else "")


def _address(project: Project, node: Node) -> bool:
    op = node.op
    if isinstance(op, ops.Call):
        reads = node.method in ("get", "getenv", "environ", "config", "str")
        key = node.to(op.args[0]).text if op.args and reads else None
        default = node.arg(1, "default")
        return key is not None and means_database_address(key) and not _harmless(project, default)
    if isinstance(op, ops.Item):
        key = node.to(op.key).text
        return key is not None and means_database_address(key)
    if isinstance(op, (ops.Attr, ops.Name, ops.Import)) and means_database_address(op.name):
        return not _harmless(project, node) and not project.callees(node)
    return False


def _harmless(project: Project, node: Node | None) -> bool:
    """Whether the address is known, and has no password in it."""
    known = project.constant(node) if node is not None else None
    return known is not None and known.text is not None and "@" not in known.text


def _opens_database(project: Project, node: Node) -> bool:
    """Whether the same body connects to a database by just this value, which it reads from somewhere else."""
    if not isinstance(node.op, (ops.Call, ops.Item, ops.Attr)) or project.callees(node):
        return False
    known = project.models.kinds["opened-by-address"]
    calls = ((call, call.func) for call in node.code.nodes(ops.Call))
    given = (call.arg(0) for call, func in calls if func is not None and not known.isdisjoint(project.names(func)))
    return any(value is not None and value.origin == node.origin for value in given)
