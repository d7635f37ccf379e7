"""What code believes of who its caller is, because the caller says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

import msgspec

from backaudit.analyses.auth.cookies import cookie_read, cookie_sent, cookies_in, filled_from, headers_in
from backaudit.backend.access.caller import of_people
from backaudit.backend.access.denial import conditions, refusals, sides, tests_before, unmet
from backaudit.backend.access.sessions import is_unsigned_session, unsigned_sessions
from backaudit.backend.access.tables import fetched_table
from backaudit.backend.data.schema import Table
from backaudit.backend.web.records import Where
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import routes
from backaudit.distinct import distinct
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import names_accounts

_RIGHT = meaning("access", "right-key")
_CALLER = meaning("people", "named-in-session")
_CAPABILITY = meaning("tokens", "capability")
_FILLED: tuple[Where, ...] = ("query", "header", "cookie", "form")
_HIDDEN = meaning("tokens", "sent-unseen")


Decides: TypeAlias = Literal["identity", "right"]


class Believed(msgspec.Struct, frozen=True):
    """Something is decided ``at`` a place by what the client wrote, ``told`` as the code spells it."""

    at: Node
    told: str
    decides: Decides


def believed(project: Project) -> Iterator[Believed]:
    """All that is believed of clients, each place once."""
    return distinct(_all(project), lambda found: found.at.place)


def _all(project: Project) -> Iterator[Believed]:
    read = (*sorted(project.models.kinds["request-attributes"]), *sorted(project.once(unsigned_sessions)))
    bodies = {code: None for name in read for code in project.mentioning(name)}
    parameters = project.once(_parameters)
    bodies |= dict.fromkeys(filled_from(project, "cookie", "header"))
    for code in sorted({**bodies, **dict.fromkeys(parameters)}, key=lambda code: (code.path, code.index)):
        if code.file.role == "production":
            for node, name in (*_picked(project, code), *_unsigned(project, code), *_present(project, code)):
                yield Believed(node, name, "identity")
            yield from _rights(project, code, parameters.get(code, frozenset()))


def _rights(project: Project, code: Code, parameters: frozenset[int]) -> Iterator[Believed]:
    refused = _refused(project, code)
    for test in _tests(code):
        told = _claimed(project, test, parameters, refused)
        if told is not None:
            yield Believed(test, told, "right")


def _picked(project: Project, code: Code) -> Iterator[tuple[Node, str]]:
    """Rows of people that are looked up by what a cookie or header says, which nobody has signed."""
    asked = {name for test in _tests(code) for single in conditions(test) for name in cookies_in(project, single)}
    for call in code.nodes(ops.Call):
        if not call.is_call_of("lookups") or cookie_read(project, call) is not None:
            continue
        for column, value in _compared(call):
            names = list(cookies_in(project, value))
            sent = [*names, *headers_in(project, value)] if not _CAPABILITY.holds(column) else []
            table = fetched_table(project, call) if sent else None
            if table is not None and (_is_somebody(project, table) or asked.intersection(names)):
                yield call, sent[0]


def _is_somebody(project: Project, table: Table) -> bool:
    return of_people(project, table) or names_accounts(table.model) or names_accounts(table.name)


def _compared(call: Node) -> Iterator[tuple[str, Node]]:
    """The columns that a look-up asks by, the key as an empty name, with what they are compared with."""
    yield from call.keywords().items()
    op = call.call
    for position, value in enumerate(op.args if op is not None else ()):
        argument = call.origin.to(value).origin
        if isinstance(argument.op, ops.Compare) and argument.op.operator == "==":
            left = argument.to(argument.op.left).origin
            yield (left.op.name if isinstance(left.op, ops.Attr) else ""), argument.to(argument.op.right)
        elif call.is_call_of("looks-up-by-key") and position < 2:
            yield "", argument


def _unsigned(project: Project, code: Code) -> Iterator[tuple[Node, str]]:
    """Conditions on what a hook keeps of a cookie that nobody has signed, by which somebody is turned away."""
    for region in code.body.regions:
        if region.test == NONE or region.kind != "then" or not region.exits:
            continue
        for single in conditions(code.node(region.test)):
            for part in (single, *sides(single)):
                if is_unsigned_session(project, part.origin):
                    yield code.node(region.test), part.origin.spelled


def _present(project: Project, code: Code) -> Iterator[tuple[Node, str]]:
    """Conditions that let in whoever sends a cookie, whatever is in it: nothing else is done with what it says."""
    for test in dict.fromkeys(unmet(project, code)):
        for single in conditions(test):
            name = _asked_for(project, single.origin)
            if name and _CALLER.holds(name) and not _is_handed_on(project, code, name):
                yield test, name


def _asked_for(project: Project, condition: Node) -> str:
    """The cookie of which a condition asks nothing but whether it was sent."""
    op = condition.op
    if isinstance(op, ops.Compare) and op.operator in ("in", "not in"):
        return cookie_sent(condition.to(op.left), condition.to(op.right))
    if isinstance(op, ops.Compare) and condition.to(op.right).is_none:
        return cookie_read(project, condition.to(op.left).origin) or ""
    return cookie_read(project, condition) or ""


def _is_handed_on(project: Project, code: Code, name: str) -> bool:
    """Whether something is done with what a cookie says: a call is given it, or it is held against something."""
    values = [argument for call in code.nodes(ops.Call) for argument in call.args()]
    for node in code.nodes(ops.Compare):
        both = sides(node)
        values += both if not any(side.is_none for side in both) else ()
    return any(name in cookies_in(project, value) for value in values)


def _parameters(project: Project) -> Mapping[Code, frozenset[int]]:
    """The parameters of handlers that the client fills and that are named like a right."""
    found: dict[Code, frozenset[int]] = {}
    for route in project.once(routes):
        own = frozenset(p.index for p in route.params if p.where in _FILLED and _RIGHT.holds(p.name.replace("_", "-")))
        if own:
            found[route.handler] = own
    return found


def _refused(project: Project, code: Code) -> frozenset[Node]:
    """The conditions on which a body turns callers away."""
    return frozenset(test for node in refusals(project, code) for test in tests_before(node))


def _tests(code: Code) -> Iterator[Node]:
    for region in code.body.regions:
        if region.kind in ("then", "lazy") and region.test != NONE:
            yield code.node(region.test)


def _claimed(project: Project, test: Node, parameters: frozenset[int], refused: frozenset[Node]) -> str | None:
    """The read of the request that a condition takes for a right, as it is spelled.

    A filter may be named like a right as well: what stands in the query or the form counts where it refuses.
    """
    for condition in conditions(test):
        for side in (condition, *sides(condition)):
            here = side.origin
            if isinstance(here.op, ops.Param) and here.op.index in parameters and test in refused:
                return here.op.name
            key = _key(here)
            named = key is not None and _RIGHT.holds(key) and _from_client(project, here)
            if named and (test in refused or _HIDDEN.holds(here.spelled)):
                return here.spelled
    return None


def _key(node: Node) -> str | None:
    op = node.op
    key = node.to(op.key) if isinstance(op, ops.Item) else node.arg(0) if node.method == "get" else None
    return key.text if key is not None else None


def _from_client(project: Project, node: Node) -> bool:
    spelled = node.spelled
    named = any(f"request.{part}" in spelled for part in sorted(project.models.kinds["request-attributes"]))
    return named or not frozenset(project.models.sources).isdisjoint(request_names(project, node))
