"""What has to stand in a request for it to come to an operation: of each input, what it has to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from backaudit.analyses.errors.lookups import column_named, keyword_lookups
from backaudit.analyses.errors.requests.rows import Asked, asked_for, usual_in
from backaudit.backend.access.missing import behind, chain, none_giving, raising
from backaudit.backend.web.inputs.classes import is_secret
from backaudit.backend.web.inputs.mappings import schema_named
from backaudit.backend.web.inputs.records import Scalar
from backaudit.backend.web.reads import inputs_read, part_read
from backaudit.backend.web.records import Input, Where
from backaudit.backend.web.routes import client_input
from backaudit.backend.web.signature import from_params
from backaudit.facts import ops
from backaudit.flow.client import ClientValue
from backaudit.flow.search import Search
from backaudit.flow.trace import ANY, Access, Trace
from backaudit.project import Code, Node, Project
from backaudit.project.declarations import items
from backaudit.project.holding import conditions
from backaudit.vocabulary.protocols import OPPOSITES

Kind = Literal[
    "absent", "malformed", "unknown", "null", "equal", "present", "known", "taken", "long", "negative", "pieces",
    "zero", "listed",
    "twice", "never",
]  # fmt: skip


class Wish(msgspec.Struct, frozen=True):
    """An input is to be of a kind. ``name`` is empty for the whole body; ``value``: what it is to equal,
    or what a row is usually known by.

    ``method``: no input, but the method of the request. ``never``: no request makes it so.
    ``read_in``: the body that reads the input. ``row``: the row that is looked up by it.
    """

    kind: Kind
    where: Where
    name: str = ""
    value: Scalar = None
    method: bool = False
    read_in: Code | None = None
    row: Asked | None = None


class _Found(ClientValue):
    """What a client chose, remembered with the part of it that is meant."""

    def __init__(self, project: Project, *, untyped: bool = False, texts: bool = False) -> None:
        super().__init__(project, untyped=untyped, texts=texts)
        self.node: Node | None = None
        self.access: Access = ()

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        what = super().source(search, node, access)
        if what is not None:
            self.node, self.access = node, access
        return what


def input_behind(
    project: Project, node: Node, access: Access = (), *, untyped: bool = False, texts: bool = False
) -> tuple[Where, str] | None:
    """Where in the request a value stands, and its name there (empty for the whole body); None if in no one place.

    ``untyped``: only what nothing has converted yet; ``texts``: that, and texts whose form no declaration says.
    """
    found = _found(project, node, access, untyped=untyped, texts=texts)
    return _named(project, found[0], found[1]) if found is not None else None


def _found(
    project: Project, node: Node, access: Access = (), *, untyped: bool = False, texts: bool = False
) -> tuple[Node, Access] | None:
    goal = _Found(project, untyped=untyped, texts=texts)
    if next(Trace(project, goal).origins(node, access), None) is None or goal.node is None:
        return None
    return goal.node, goal.access


def _named(project: Project, node: Node, access: Access) -> tuple[Where, str] | None:
    op = node.op
    if isinstance(op, ops.Param):
        return _of_param(project, node.code, op.index, access)
    found = next((one for one in inputs_read(project, node.code) if one.place == node.place and one.name), None)
    if found is not None:
        return found.where, found.name
    where = part_read(project, node)
    key = str(access[0]) if access and access[0] != ANY else ""
    return (where, key) if where is not None and (key or where == "body") else None


def _of_param(project: Project, code: Code, index: int, access: Access) -> tuple[Where, str] | None:
    param = client_input(project, code, index)
    declared = next(from_params(project, code, (param,)), None) if param is not None else None
    if declared is None:
        return None
    key = str(access[0]) if access and access[0] != ANY else ""
    is_mapping = declared.where in ("body", "form") and not declared.schema and bool(key)
    if (declared.schema or is_mapping) and declared.where != "path":
        return declared.where, _field(project, declared, key)
    return declared.where, declared.name


def _field(project: Project, declared: Input, attribute: str) -> str:
    """What a client calls the field that the code reads by an attribute."""
    made = schema_named(project, declared.schema) if declared.schema else None
    field = made.field(attribute) if made is not None else None
    return field.name if field is not None else attribute


# -- conditions -------------------------------------------------------------------------------------------------------


def to_reach(project: Project, node: Node, path: tuple[Node, ...]) -> tuple[Wish, ...]:
    """What the conditions before an operation, and before the calls that lead to it, ask of the request."""
    found: dict[tuple[str, str, bool], Wish] = {}
    for here in (node, *path):
        for test, truth in conditions(here.code, here.value):
            for wish in asked_by(project, here.code.node(test), truth):
                found.setdefault((wish.where, wish.name, wish.method), wish)
        for lookup in _looked_up_before(project, here):
            for wish in looked_up(project, lookup, lookup, "known"):
                found.setdefault((wish.where, wish.name, wish.method), wish)
    return tuple(found.values())


def _looked_up_before(project: Project, here: Node) -> Iterator[Node]:
    """The look-ups that always run before an operation, and raise, or answer 404, where there is no row."""
    holding = set(conditions(here.code, here.value))
    for lookup in project.once(_raising_by_code).get(here.code, ()):
        if lookup.value < here.value and lookup != here and holding.issuperset(conditions(here.code, lookup.value)):
            yield lookup


def _raising_by_code(project: Project) -> Mapping[Code, tuple[Node, ...]]:
    found: dict[Code, list[Node]] = {}
    answering = project.calls(*sorted(project.models.kinds["answers-404"]))
    for lookup in (*(lookup for lookup, _ in raising(project)), *answering):
        found.setdefault(lookup.code, []).append(lookup)
    return {code: tuple(lookups) for code, lookups in found.items()}


def asked_by(project: Project, test: Node, truth: bool) -> Iterator[Wish]:
    """What makes a condition come out as ``truth``."""
    test = test.awaited
    op = test.op
    if isinstance(op, ops.Compare):
        yield from _compared(project, test, op, truth)
    elif test in project.once(none_giving) or test.is_call_of("existence-questions"):
        yield from _of_row(project, test, there=truth)
    else:
        row = _row_behind(project, test)
        if row is not None:
            yield from _of_row(project, row, there=truth)
        else:
            yield from _wish(project, test, "present" if truth else "absent")


def _compared(project: Project, test: Node, op: ops.Compare, truth: bool) -> Iterator[Wish]:
    left, right = test.to(op.left), test.to(op.right)
    operator = op.operator if truth else OPPOSITES.get(op.operator, op.operator)
    row = _row_behind(project, left)
    if right.is_none:
        is_none = operator in ("is", "==")
        if row is not None:
            yield from _of_row(project, row, there=not is_none)
        else:
            yield from _wish(project, left, "absent" if is_none else "present")
    elif left.origin.spelled.endswith(".method"):
        yield from _of_method(project, right, operator)
    elif operator in ("in", "not in"):
        yield from _among(project, left, right, operator == "in")
    else:
        yield from _held_against(project, left, right, operator)


_STEPS = {"<": -1, ">": 1, "<=": 0, ">=": 0, "!=": 1}


def _held_against(project: Project, left: Node, right: Node, operator: str) -> Iterator[Wish]:
    constant = project.constant(right)
    value = constant.const if constant is not None else None
    if constant is None or value is None or is_secret(project, constant.code.path, constant.at):
        return
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if left.call is not None and left.method == "len":
        yield from _as_long(project, left, number, operator)
    elif operator in ("==", "is"):
        kind: Kind = "never" if number is not None and _is_sent_as_text(project, left) else "equal"
        yield from _wish(project, left, kind, value)
    elif operator in _STEPS and number is not None:
        yield from _wish(project, left, "equal", number + _STEPS[operator])


def _is_sent_as_text(project: Project, node: Node) -> bool:
    """Whether a value is the text of an address, form or header, as it was sent: it equals no number."""
    place = input_behind(project, node, untyped=True)
    return place is not None and place[0] not in ("body", "file", "other")


def _as_long(project: Project, counted: Node, length: float | None, operator: str) -> Iterator[Wish]:
    """``len(text) < 4``: a text of a length that makes it true."""
    text = counted.arg(0)
    wanted = int(length) + _STEPS.get(operator, 0) if length is not None else -1
    if text is not None and wanted > 0:
        yield from _wish(project, text, "equal", "1" * wanted)


def _of_method(project: Project, wanted: Node, operator: str) -> Iterator[Wish]:
    listed = items(project.resolved(wanted)) or [wanted]
    texts = [text for text in (one.text for one in listed) if text]
    if texts and operator in ("==", "in"):
        yield Wish("equal", "other", value=texts[0], method=True)
    elif "POST" in texts:
        yield Wish("equal", "other", value="GET", method=True)
    elif texts:
        yield Wish("equal", "other", value="POST", method=True)


def _among(project: Project, left: Node, right: Node, inside: bool) -> Iterator[Wish]:
    """``"key" in data``, ``value in ("a", "b")``."""
    if left.text is not None:
        place = input_behind(project, right, (left.text,))
        if place is not None:
            yield Wish("present" if inside else "absent", place[0], place[1])
        return
    listed = [one.const for one in items(project.resolved(right))]
    if inside and listed and listed[0] is not None:
        yield from _wish(project, left, "equal", listed[0])


def _wish(project: Project, node: Node, kind: Kind, value: Scalar = None) -> Iterator[Wish]:
    place = input_behind(project, node)
    if place is not None and place[1]:
        yield Wish(kind, place[0], place[1], value)


# -- rows -------------------------------------------------------------------------------------------------------------


def _row_behind(project: Project, node: Node) -> Node | None:
    found = project.once(none_giving)
    return next((node.to(value) for value in behind(node.code, node.value) if node.to(value) in found), None)


def _of_row(project: Project, call: Node, *, there: bool) -> Iterator[Wish]:
    yield from looked_up(project, project.once(none_giving).get(call, call), call, "known" if there else "unknown")


def looked_up(project: Project, lookup: Node, call: Node, kind: Kind = "unknown") -> Iterator[Wish]:
    """That what a look-up goes by is of no row: the first word of a client's in it, or in the call that made it."""
    for value in dict.fromkeys(_words(call, lookup)):
        found = _found(project, value)
        # What a helper looks up by is what this call hands over, and no other's.
        if found is not None and value.code not in (call.code, found[0].code):
            continue
        place = _named(project, *found) if found is not None else None
        if _is_made_of_it(project, value):
            return
        if place is not None and place[1]:
            read_in = found[0].code if found is not None else None
            usual = project.once(_usual).get(value)
            wish = Wish(kind, place[0], place[1], usual if isinstance(usual, int) else None, read_in=read_in)
            yield _of_one_row(project, wish, usual, (call, lookup), value) if kind == "known" else wish
            return


def _of_one_row(project: Project, wish: Wish, usual: Scalar, calls: tuple[Node, Node], value: Node) -> Wish:
    """The wish with the row that has to be there for it, which is known by what its column may hold."""
    return msgspec.structs.replace(wish, value=usual, row=asked_for(project, calls, value))


def _usual(project: Project) -> dict[Node, Scalar]:
    """What look-ups by keyword compare with columns of numbers, or of UUIDs, with a key that such a column may hold."""
    found: dict[Node, Scalar] = {}
    for call, table in keyword_lookups(project):
        for name, value in call.keywords().items():
            column = column_named(project, table, name)
            usual = usual_in(project, column) if column is not None else None
            if usual is not None:
                found[value] = usual
    return found


def _words(call: Node, lookup: Node) -> Iterator[Node]:
    """What a look-up is given, and the call that made it."""
    links = (link for asking in dict.fromkeys((call, lookup)) for link in chain(asking))
    for argument in (argument for link in links for argument in link.args()):
        op = argument.origin.op
        yield argument.to(op.right) if isinstance(op, ops.Compare) else argument


def _is_made_of_it(project: Project, value: Node) -> bool:
    """Whether a function of the project makes a value of the input: a token that it has signed, for one."""
    made = value.awaited.origin
    if made.call is None or not project.callees(made):
        return False
    return any(input_behind(project, given) is not None for given in made.args())


__all__ = ["Kind", "Wish", "asked_by", "input_behind", "looked_up", "to_reach"]
