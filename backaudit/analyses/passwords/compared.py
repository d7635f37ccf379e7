"""Where code may compare passwords: bodies that hold both what was given and what is stored."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.held import chosen, given, held
from backaudit.analyses.passwords.stores import looked_up, speaks_of_passwords
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.parameters import bound, sql_parameters
from backaudit.flow.trace import Origin
from backaudit.project import Code, Node, Project
from backaudit.project.code import SERVING
from backaudit.vocabulary.names import is_password_column, means_person


def comparisons(project: Project) -> Iterator[tuple[Node, Node, Node]]:
    """(where, one side, the other) of comparisons that may be of passwords: operators, and functions that compare."""
    for code in _comparing_bodies(project):
        for node in code.nodes(ops.Compare):
            op = node.op
            if isinstance(op, ops.Compare) and op.operator in ("==", "!="):
                yield node, node.to(op.left), node.to(op.right)
    for call in project.calls(*sorted(project.models.kinds.get("password-comparers", ()))):
        one, two = call.arg(0), call.arg(1)
        if one is not None and two is not None and project.role(call.code.path) in SERVING:
            yield call, one, two


def _comparing_bodies(project: Project) -> dict[Code, None]:
    """Bodies that have to do with both passwords and what is stored."""
    found = dict.fromkeys(project.mentioned(lambda name: is_password_column(name) or means_person(name)))
    fetches = sorted(project.models.kinds["fetched"])
    found.update((code, None) for name in fetches for code in project.calling(name))
    found.update((code, None) for code in project.once(_given_passwords))
    return {code: None for code in found if project.role(code.path) in SERVING and speaks_of_passwords(code)}


def _given_passwords(project: Project) -> tuple[Code, ...]:
    """Functions that are handed a password."""
    return tuple(
        file.code(index)
        for file in project.files.values()
        for index, function in enumerate(file.facts.functions)
        if any(is_password_column(param.name) for param in function.params)
    )


def asked_by_password(project: Project) -> Iterator[tuple[Node, str, Origin]]:
    """(where, the column, where it comes from) of passwords among the conditions of a query by keyword or document."""
    for call, column, value, access in looked_up(project):
        origin = given(project, value, access, call.value)
        if origin is not None and held(project, value) is None:
            yield call, column, origin


def compared_in_sql(project: Project) -> Iterator[tuple[Node, str, Origin]]:
    """The same of written SQL, each call once."""
    seen: set[Node] = set()
    for call, parameter in sql_parameters(project):
        if parameter.use != "compared" or not is_password_column(parameter.column) or call in seen:
            continue
        origins = (given(project, value, access, call.value) for value, access in bound(call, parameter))
        origin = next((one for one in origins if one is not None), None)
        if origin is not None:
            seen.add(call)
            yield call, f"{parameter.table}.{parameter.column}" if parameter.table else parameter.column, origin


def given_beside(project: Project, kept: Origin, typed: Node, use: Value) -> Origin | None:
    """Where the other side of a comparison comes from, if somebody gave or chose it and it is not stored itself."""
    if held(project, typed) is not None:
        return None
    return given(project, typed, (), use) or chosen(project, typed, kept, use)
