"""Conditions as keywords: ``filter(author__email__iexact=...)``, ``Q(...) | Q(...)``, ``order_by("-created")``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from backaudit.backend.data.queries.between import key_of, keys_between, pair
from backaudit.backend.data.queries.chains import arriving, returned_once, stands
from backaudit.backend.data.schema import Column, Relation, Schema, Table, schema
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.sql import Form, Use, normal

Branch = tuple[int, int]


class Lookups:
    """Reads keyword conditions over one table into uses. ``link``: the call that asks by them."""

    def __init__(self, project: Project, link: Node | None = None) -> None:
        self._project = project
        self._link = link
        self._transforms = project.models.kinds["look-up-transforms"]
        self._forms = project.models.forms["look-ups"]
        self._schema: Schema = schema(project)
        self._ors = 0
        self._within: set[Node] = set()

    def keywords(
        self, table: Table, given: Mapping[str, Node], negated: bool = False, branch: Branch = (0, 0)
    ) -> Iterator[Use]:
        """The uses of ``name__lookup=value`` arguments."""
        for name, value in given.items():
            if name not in self._project.models.kinds["no-look-ups"]:
                yield from self.lookup(table, name, value, negated, branch)

    def lookup(
        self, table: Table, path: str, value: Node | None, negated: bool = False, branch: Branch = (0, 0)
    ) -> Iterator[Use]:
        """The uses of one lookup, joins on the way included; nothing if a part of the path is unknown."""
        parts = path.split("__")
        found = self._walk(table, parts)
        if found is None:
            yield Use(table=table.name, column="", role="filter", form="other", branch=branch)
            return
        joins, owner, column, rest = found
        yield from joins
        form, expression = self._form(column, rest, value)
        if negated and form not in ("null", "other"):
            form = "not"
        text = _text(column, form, value) if not rest or rest == ["isnull"] else ""
        text = normal(f"NOT {text}") if text and form == "not" else text
        yield Use(
            table=owner.name,
            column=column.name,
            role="filter",
            form=form,
            expression=expression,
            branch=branch,
            text=text,
        )

    def _form(self, column: Column, rest: list[str], value: Node | None) -> tuple[Form, str]:
        """The form of a condition by what follows the column's name, and the expression that stands for the column."""
        if not rest:
            return ("null" if value is not None and value.is_none else "eq"), ""
        first = rest[0]
        expressions = self._project.models.words["look-up-expressions"]
        if first in self._transforms:
            return "function", normal(expressions.get(first, first + "({})").format(column.name))
        if first == "iexact":
            return "function", normal(expressions[first].format(column.name))
        if first in ("contains", "icontains") and ("JSON" in column.type or "Array" in column.type):
            return "other", ""
        return self._forms.get(first, "json" if "JSON" in column.type else "other"), ""

    def _walk(self, table: Table, parts: list[str]) -> tuple[list[Use], Table, Column, list[str]] | None:
        joins: list[Use] = []
        for index, part in enumerate(parts):
            rest = parts[index + 1 :]
            column = self._column(table, part)
            relation = self._schema.relation(table, part)
            further = bool(rest) and rest[0] not in self._forms and rest[0] not in self._transforms
            if relation is not None and (further or column is None):
                owner, link = relation
                target = self._schema.of_model(link.target)
                if target is None:
                    return None
                ended = self._ended(joins, owner, link, target, rest, further)
                if ended is not None or not further:
                    return ended
                joins += self._joined(owner, link, target)
                table = target
                continue
            return (joins, column[0], column[1], rest) if column is not None else None
        return None

    def _ended(
        self, joins: list[Use], owner: Table, link: Relation, target: Table, rest: list[str], further: bool
    ) -> tuple[list[Use], Table, Column, list[str]] | None:
        """What a path that ends at a relation, or at the key of the rows there, asks; None if it goes on."""
        by_key = bool(rest) and rest[0] in ("id", "pk", *target.primary_key)
        if further and not by_key:
            return None
        left = rest[1:] if by_key else rest
        if not link.column:
            return self._of_many(joins, owner, link, target, left)
        key = owner.column(link.column) if by_key or not rest else None
        return (joins, owner, key, left) if key is not None else None

    def _of_many(
        self, joins: list[Use], owner: Table, link: Relation, target: Table, rest: list[str]
    ) -> tuple[list[Use], Table, Column, list[str]] | None:
        """A look-up by a row of many: by the key between many and many, or by the key of the rows that lead here."""
        between = keys_between(self._project, owner, link) if link.remote == "*" else None
        if between is not None:
            return [*joins, *between.joined_from(owner)], between.table, between.there, rest
        key = target.column(key_of(target))
        found = [*joins, *self._joined(owner, link, target)]
        return (found, target, key, rest) if key is not None and link.remote not in ("", "*") else None

    def _column(self, table: Table, name: str) -> tuple[Table, Column] | None:
        if name == "pk":
            name = (table.primary_key or ("id",))[0]
        return self._schema.find(table, name)

    def _joined(self, owner: Table, link: Relation, target: Table) -> Iterator[Use]:
        """The joins from a table along a relation."""
        if link.column:
            yield from pair((owner, link.column), (target, key_of(target)))
        elif link.remote == "*":
            between = keys_between(self._project, owner, link)
            yield from (*between.joined_from(owner), *between.joined_to(target)) if between is not None else ()
        elif link.remote:
            yield from pair((owner, key_of(owner)), (target, link.remote))
            if link.typed:
                yield Use(table=target.name, column=link.typed, role="filter")

    def condition(self, table: Table, node: Node, negated: bool = False, branch: Branch = (0, 0)) -> Iterator[Use]:
        """The uses of a ``Q`` expression, also of one that has a name, grows by statements or comes of a function."""
        node = self._project.resolved(node)
        op = node.op
        if isinstance(op, ops.Bin) and op.operator in ("&", "|"):
            yield from self._combined(table, [node.to(op.left), node.to(op.right)], op.operator == "|", negated, branch)
        elif isinstance(op, ops.Unary):
            yield from self.condition(table, node.to(op.value), not negated, branch)
        elif isinstance(op, (ops.Phi, ops.Choice)):
            yield from self._once(node, lambda: self._each(table, map(node.to, arriving(op)), negated, branch))
        elif node.call is not None and node.method == "Q":
            place, when = stands(node, self._link)
            for use in self._of_q(table, node, node.call, negated, branch):
                yield msgspec.structs.replace(use, place=use.place or place, when=use.when or when)
        elif node.call is not None and node.method in ("and_", "or_"):
            yield from self._grouped(table, node, negated, branch)
        elif node.call is not None:
            made = returned_once(self._project, node)
            yield from self._once(node, lambda: self._each(table, made, negated, branch))

    def _of_q(self, table: Table, node: Node, call: ops.Call, negated: bool, branch: Branch) -> Iterator[Use]:
        parts = [node.to(value) for value in call.args]
        either = node.argument(("join_type", "_connector"))
        if parts and either is not None and either.text == "OR":
            yield from self._combined(table, parts, True, negated, branch)
        else:
            yield from self._each(table, parts, negated, branch)
            yield from self.keywords(table, node.keywords(), negated, branch)

    def _each(self, table: Table, parts: Iterable[Node], negated: bool, branch: Branch) -> Iterator[Use]:
        return (use for part in parts for use in self.condition(table, part, negated, branch))

    def _once(self, node: Node, read: Callable[[], Iterator[Use]]) -> Iterator[Use]:
        """What is read of a value whose parts may lead back to it: of a condition that grows, each is told once."""
        if node not in self._within:
            self._within.add(node)
            yield from read()

    def _grouped(self, table: Table, node: Node, negated: bool, branch: Branch) -> Iterator[Use]:
        """``or_(title=x, code=y)``: keywords, and groups of them, of which one or all have to hold."""
        either = node.method == "or_"
        if either and branch == (0, 0):
            self._ors += 1
            branch = (self._ors, 0)
        conditions = [node.to(value) for value in node.call.args] if node.call is not None else []
        named = node.keywords()
        numbers = range(1, len(conditions) + len(named) + 1)
        branches = iter([(branch[0], branch[1] * 100 + number) if either else branch for number in numbers])
        for part in conditions:
            yield from self.condition(table, part, negated, next(branches))
        for name, value in named.items():
            yield from self.keywords(table, {name: value}, negated, next(branches))

    def _combined(self, table: Table, parts: list[Node], either: bool, negated: bool, branch: Branch) -> Iterator[Use]:
        if either and branch == (0, 0):
            self._ors += 1
            branch = (self._ors, 0)
        for number, part in enumerate(parts):
            inner = (branch[0], branch[1] * 100 + number + 1) if either else branch
            yield from self.condition(table, part, negated, inner)

    def sort(self, table: Table, node: Node) -> Iterator[Use]:
        """The use of one argument of ``order_by`` or ``latest``: a name, ``F("name").desc()``, ``Lower("name")``."""
        node, descending = _directed(node.origin)
        function = node.method if node.call is not None else ""
        inside = node.arg(0) if function else node
        written = (inside.text if inside is not None else "") or ""
        found = self._walk(table, written.lstrip("-").split("__")) if written else None
        if found is None:
            return
        joins, owner, column, rest = found
        yield from joins
        if not rest:
            sorts = Use(table=owner.name, column=column.name, role="sort", descending=written[0] == "-" or descending)
            wrapped = normal(f"{function.lower()}({column.name})")
            yield msgspec.structs.replace(sorts, form="function", expression=wrapped) if function else sorts


def _directed(node: Node) -> tuple[Node, bool]:
    """What is sorted by, without what says in which direction, and whether it is the descending one."""
    descending = False
    while node.call is not None and node.method in ("desc", "asc", "F"):
        descending = descending or node.method == "desc"
        inner = node.receiver if node.method != "F" else node.arg(0)
        if inner is None:
            break
        node = inner.origin
    return node, descending


def _text(column: Column, form: Form, value: Node | None) -> str:
    constant = value.const if value is not None else None
    if form == "null":
        return normal(f"{column.name} IS {'NOT ' if constant is False else ''}NULL")
    if constant is None:
        last = value.origin.spelled.rpartition(".")[2] if value is not None else ""
        return normal(f"{column.name} = 'constant'") if len(last) > 1 and last.isupper() else ""
    return normal(f"{column.name} = {str(constant).upper() if isinstance(constant, bool) else repr(constant)}")
