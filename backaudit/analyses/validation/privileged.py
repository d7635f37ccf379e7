"""Columns that a client should not choose, and endpoints that only the privileged reach."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.denial import is_ownership
from backaudit.backend.access.guards import guarded, steps
from backaudit.backend.data.schema import Table
from backaudit.backend.web.params import injection
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import listed_dependencies, sharing
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.operands import made_of
from backaudit.rule import assume
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import is_password_column, names_people

_POWER = meaning("access", "power")
_OWNERS = meaning("people", "owner-stem")
_ROLE_WORDS = meaning("access", "role-in-test")
_WORDS = meaning("access", "privileged-route")
OWNER = assume("word", "the field says whose the row is, and nothing holds it against the caller later")


def is_power(name: str) -> bool:
    """Whether a column decides what its user may do or has."""
    return _POWER.holds(name.lower())


def gives_power(table: Table | None, name: str) -> bool:
    """Whether a column decides what its user may do: of rows that are people, or that belong to some.

    The ``role`` of a text, a field or a machine is none.
    """
    return is_power(name) and (table is None or _is_about_people(table))


def _is_about_people(table: Table) -> bool:
    if names_people(table.name) or names_people(table.model.rpartition(".")[2]):
        return True
    return any(
        is_password_column(column.name) or names_people(column.references.partition(".")[0].lower())
        for column in table.columns
    )


def is_owner(table: Table | None, name: str) -> bool:
    """Whether a column says whose a row is."""
    stem = name.lower().removesuffix("_id")
    if not _OWNERS.holds(stem):
        return False
    column = table.column(name) if table is not None else None
    if column is None or not column.references:
        return name.lower() != stem and stem != "account"
    target = column.references.partition(".")[0].lower()
    return names_people(target)


def is_for_a_role(project: Project, code: Code) -> bool:
    """Whether all that a body answers asks who calls for a role."""
    ways = [route for route in project.once(guarded) if route.handler is code]
    return bool(ways) and all(any(guard.kind == "role" for guard in route.guards) for route in ways)


def only_privileged(project: Project, route: Route) -> bool:
    """Whether what guards an endpoint speaks of administrators, roles or permissions."""
    judged = project.once(_judged)
    found = judged.get(id(route))
    if found is None:
        # The route is kept with its verdict, so that no other can come to have its identity.
        found = judged[id(route)] = (route, _is_privileged(project, route))
    return found[1]


def _judged(project: Project) -> dict[int, tuple[Route, bool]]:
    """The verdicts so far."""
    return {}


def _is_privileged(project: Project, route: Route) -> bool:
    before = steps(project, route)
    permissions = [_last(step.name) for step in before if step.how == "permission"]
    words = " ".join([route.path, route.handler.function.qualname, *permissions, *_around(project, route)]).lower()
    guarded = any("role" in step.kinds for step in before) or _WORDS.holds(words)
    return guarded or asks_for_role(route.handler)


def asks_for_role(code: Code) -> bool:
    """Whether a branch of a body depends on who the caller is among the users (``if not user.is_admin: raise``)."""
    tests = (region.test for region in code.body.regions if region.kind in ("then", "else") and region.test != NONE)
    return any(_names_role(code.node(test)) and not is_ownership(code.project, code.node(test)) for test in tests)


def _names_role(test: Node) -> bool:
    named = (part.op.name for part in made_of(test) if isinstance(part.op, (ops.Attr, ops.Name, ops.Import)))
    return any(_ROLE_WORDS.holds(name.lower()) for name in named)


def _around(project: Project, route: Route) -> Iterator[str]:
    code = route.handler
    for index, param in enumerate(code.function.params):
        target = injection(project, code, index)
        yield from (param.name, *_texts(project, target)) if target is not None else ()
    for call in (route.declared, *sharing(project, route)):
        for target in listed_dependencies(project, call):
            yield from _texts(project, target)
    for decorator in code.decorators:
        yield from _texts(project, decorator.func or decorator)
    if route.view is not None:
        yield from _around_view(project, route.view)


def _around_view(project: Project, view: ClassView) -> Iterator[str]:
    """The names by which a class view says who may use it: its own, its bases', its test's, its decorators'."""
    yield view.cls.name
    yield from (name for base in view.bases for name in _texts(project, base))
    yield from map(_last, project.lineage(view.name))
    asked = project.method(view.name, "test_func")
    if asked is not None:
        yield from (node.op.name for node in asked.nodes(ops.Attr) if isinstance(node.op, ops.Attr))
    bound = view.fields["decorators"].origin if "decorators" in view.fields else None
    for item in getattr(bound.op, "items", ()) if bound is not None else ():
        yield from _texts(project, bound.to(item) if bound is not None else item)


def _texts(project: Project, node: Node) -> Iterator[str]:
    """The last names of what guards, and what it is given; ``permission_classes`` itself says nothing."""
    names = [node.spelled, *project.names(node)]
    if node.call is not None:
        yield from (argument.text or _last(argument.spelled) for argument in node.args())
        names += project.names(node.func) if node.func is not None else ()
    yield from (last for name in names if (last := _last(name)) != "permission_classes")


def _last(name: str) -> str:
    return name.rpartition(".")[2]
