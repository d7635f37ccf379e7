"""Columns that are read by raw SQL, and whether a client's text is stored in them."""

from __future__ import annotations

from backaudit.analyses.validation.client_input import ClientInput
from backaudit.flow.parameters import bound, sql_parameters
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Goal, Trace
from backaudit.project import Node, Project
from backaudit.project.strings import spelled_strings
from backaudit.sqlparams import Parameter


class _Rows(Goal):
    """Rows that a statement gives; ``read`` takes the calls that run one."""

    def __init__(self, project: Project) -> None:
        self._running = frozenset(project.models.sinks["sql"])
        self.read: list[Node] = []

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        names = search.project.names(node.func) if node.func is not None else ()
        if node.call is None or not (self._running & set(names) or node.method == "execute"):
            return None
        self.read.append(node)
        return "rows of a statement"

    def through(self, search: Search, call: Node) -> list[Node]:
        """The cursor, and a row that is made a dictionary, are still the rows."""
        receiver = [call.receiver] if call.receiver is not None and call.is_call_of("raw-fetches") else []
        return [*receiver, *(call.args() if call.method in ("dict", "zip", "list") else [])]


def stored_by_sql(project: Project, node: Node, access: Access, column: str) -> str | None:
    """The table whose ``column`` a value is, if clients fill it; ``access`` is the part of the value that is read."""
    goal = _Rows(project)
    if next(Trace(project, goal).origins(node, access, len(node.code.ops)), None) is None:
        return None
    tables = {name for call in goal.read for name in _tables(project, call)}
    for call, parameter in sql_parameters(project):
        same_column = parameter.column.lower() == column.lower() and parameter.table.lower() in tables
        if parameter.use == "stored" and same_column and _is_clients(project, call, parameter):
            return parameter.table
    return None


def _is_clients(project: Project, call: Node, parameter: Parameter) -> bool:
    """Whether a client chose what is bound to a parameter, with its markup."""
    goal = ClientInput(project, "html")
    found = (Trace(project, goal).origins(value, part, call.value) for value, part in bound(call, parameter))
    return any(next(origins, None) is not None for origins in found)


def _tables(project: Project, call: Node) -> list[str]:
    text = call.arg(0, "sql")
    words = " ".join(spelled_strings(project, text)).replace(",", " ").lower().split() if text is not None else []
    return [words[at + 1].strip('`"[]();') for at, word in enumerate(words[:-1]) if word in ("from", "join")]
