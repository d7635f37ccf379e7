"""Conditions as Python expressions over mapped columns: ``User.email == email``, ``or_(...)``, ``.in_(...)``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import msgspec

from backaudit.backend.data.orms import traits
from backaudit.backend.data.queries.between import key_of, keys_between, pair
from backaudit.backend.data.queries.chains import arriving, denoted_table, returned_once, stands
from backaudit.backend.data.queries.given import listed
from backaudit.backend.data.schema import Column, Relation, Table, schema
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.declarations import text as written_text
from backaudit.project.strings import spelled_strings
from backaudit.sql import Form, Role, Use, normal, pattern_form

Branch = tuple[int, int]
TOP: Branch = (0, 0)

_SYMBOLS = {"==": "=", "!=": "<>"}


class Conditions:
    """Reads conditions into uses; numbers the ORs as it goes. ``link``: the call that asks by them; ``rows``: variables
    that stand for any row of a table; ``told``: parameters, with what a caller hands over for them.
    """

    def __init__(
        self,
        project: Project,
        link: Node | None = None,
        rows: Mapping[Node, Table] = {},
        told: Mapping[Node, Node] = {},
    ) -> None:
        self._link = link
        self._rows = rows
        self._told = told
        self._project = project
        self._schema = schema(project)
        self._marks = project.models.kinds["column-marks"]
        self._forms = project.models.forms["column-methods"]
        self._ors = 0
        self._within: set[Node] = set()

    def read(self, node: Node, role: Role = "filter", branch: Branch = TOP, negated: bool = False) -> Iterator[Use]:
        """The uses in one condition."""
        node = self._project.resolved(node) if isinstance(node.origin.op, (ops.Name, ops.Import)) else node.origin
        op = node.op
        if isinstance(op, ops.Compare):
            yield from self._standing(node, self._compare(node, op, branch, negated))
        elif isinstance(op, ops.Logic) and self._rows:
            parts = [node.to(value) for value in op.values]
            yield from self._combined(parts, op.operator == "or", branch, negated)
        elif isinstance(op, ops.Bin) and op.operator in ("&", "|"):
            yield from self._combined([node.to(op.left), node.to(op.right)], op.operator == "|", branch, negated)
        elif isinstance(op, ops.Bin):
            yield from self._operator(node, op, branch)
        elif isinstance(op, ops.Unary):
            yield from self.read(node.to(op.value), role, branch, not negated)
        elif isinstance(op, ops.Call):
            yield from self._call(node, op, role, branch, negated)
        elif isinstance(op, (ops.Attr, ops.Name)) and (found := self.column(node)) is not None:
            yield self._use(found, "bool", branch)
        elif isinstance(op, (ops.Phi, ops.Choice)) and node not in self._within:
            self._within.add(node)
            for value in arriving(op):
                yield from self.read(node.to(value), role, branch, negated)

    def _standing(self, node: Node, uses: Iterable[Use]) -> Iterator[Use]:
        """What a condition asks, with where it stands."""
        place, when = stands(node, self._link) if self._link is not None else (None, 0)
        return (msgspec.structs.replace(use, place=place, when=when) for use in uses)

    def _combined(self, parts: list[Node], alternatives: bool, branch: Branch, negated: bool) -> Iterator[Use]:
        if alternatives and branch == TOP:
            self._ors += 1
            branch = (self._ors, 0)
        for number, part in enumerate(parts):
            inner = (branch[0], branch[1] * 100 + number + 1) if alternatives else branch
            yield from self.read(part, "filter", inner, negated)

    def _call(self, node: Node, op: ops.Call, role: Role, branch: Branch, negated: bool) -> Iterator[Use]:
        method = node.method
        if method in ("and_", "or_"):
            parts = [node.to(value) for value in op.args]
            parts += (part for value in op.star for part in listed(self._project, node.to(value)))
            yield from self._combined(parts, method == "or_", branch, negated)
        elif method in ("not_",) and op.args:
            yield from self.read(node.to(op.args[0]), role, branch, not negated)
        elif method in ("exists", "where", "filter"):
            return
        elif method in self._forms or method == "like":
            yield from self._standing(node, self._method(node, method, branch, negated))
        elif node not in self._within:
            self._within.add(node)
            for made in returned_once(self._project, node):
                yield from self.read(made, role, branch, negated)

    def _method(self, node: Node, method: str, branch: Branch, negated: bool) -> Iterator[Use]:
        receiver = node.receiver
        if receiver is None:
            return
        value = node.arg(0)
        if method in ("has", "any") and value is not None and (related := self._related(receiver)) is not None:
            yield from self._exists(related, value, branch, negated)
            return
        form: Form = self._pattern(value) if method == "like" else self._forms[method]
        if method in ("is_", "isnot", "is_not") and value is not None and isinstance(value.const, bool):
            form = "bool"
        yield from self._followed(receiver)
        found = self.column(receiver)
        if found is not None:
            yield self._called(found, method, value, form, branch, negated)
        elif (wrapped := self._wrapped(receiver)) is not None:
            yield self._use(wrapped[0], "not" if negated else "function", branch, "", wrapped[1])

    def _called(
        self, found: tuple[Table, Column], method: str, value: Node | None, form: Form, branch: Branch, negated: bool
    ) -> Use:
        """What a column's own method asks."""
        column = found[1]
        if form == "null":
            absent = method in ("is_", "is_null") and (value is None or value.const is not False)
            return self._use(found, form, branch, f"{column.name} IS {'' if absent else 'NOT '}NULL")
        if negated:
            return self._use(found, "not", branch)
        scalar = method == "contains" and not any(text in column.type.lower() for text in ("char", "str", "text"))
        return self._use(found, "other" if scalar else form, branch)

    def _related(self, node: Node) -> tuple[Table, Relation] | None:
        """The relation that ``Post.owner`` is."""
        op = node.origin.op
        table = denoted_table(self._project, node.origin.to(op.base)) if isinstance(op, ops.Attr) else None
        return self._schema.relation(table, op.name) if table is not None and isinstance(op, ops.Attr) else None

    def _exists(self, related: tuple[Table, Relation], value: Node, branch: Branch, negated: bool) -> Iterator[Use]:
        """``Post.owner.has(User.id == x)`` is a condition on the key; any other one is on the other table's columns."""
        owner, relation = related
        target = self._schema.of_model(relation.target)
        key = owner.column(relation.column) if relation.column else None
        for use in self.read(value, "filter", branch, negated):
            single = target is not None and use.table == target.name and target.primary_key == (use.column,)
            if key is not None and single and use.form in ("eq", "in"):
                yield self._use((owner, key), use.form, branch)
            else:
                yield use

    def _pattern(self, value: Node | None) -> Form:
        texts = spelled_strings(self._project, value) if value is not None else ()
        forms = {pattern_form(text) for text in texts}
        return forms.pop() if len(forms) == 1 else "like"

    def _operator(self, node: Node, op: ops.Bin, branch: Branch) -> Iterator[Use]:
        """An operator that the table's ORM reads as a look-up: ``User.id << ids``."""
        found = self.column(node.to(op.left))
        form = traits(self._project, found[0].orm).operators.get(op.operator) if found is not None else None
        if found is not None and form is not None:
            yield self._use(found, form, branch)

    def _compare(self, node: Node, op: ops.Compare, branch: Branch, negated: bool) -> Iterator[Use]:
        sides = [node.to(op.left), node.to(op.right)]
        columns = [self.column(side) for side in sides]
        first, second = columns
        if first is not None and second is not None:
            yield from self._equal(first, second, op, branch)
            return
        for side in sides:
            yield from self._followed(side)
        for index, found in enumerate(columns):
            if found is not None and index == 1 and "in" in op.operator:
                yield self._use(found, "like", branch)
            elif found is not None and op.operator == "==" and _of_statement(sides[1 - index]):
                yield Use(table=found[0].name, column=found[1].name, role="join", branch=branch)
            elif found is not None:
                yield self._compared(found, sides[1 - index], op, branch, negated)
            elif (wrapped := self._wrapped(sides[index])) is not None:
                form: Form = "not" if negated or op.operator == "!=" else "function"
                yield self._use(wrapped[0], form, branch, "", wrapped[1])
            elif (table := self._unknown_attribute(sides[index])) is not None:
                yield Use(table=table.name, column="", role="filter", form="other", branch=branch)

    def _unknown_attribute(self, node: Node) -> Table | None:
        """The table of a model whose attribute is asked that is no column: what it stands for may have an index."""
        op = node.origin.op
        return denoted_table(self._project, node.origin.to(op.base)) if isinstance(op, ops.Attr) else None

    def _compared(
        self, found: tuple[Table, Column], value: Node, op: ops.Compare, branch: Branch, negated: bool
    ) -> Use:
        symbol = _SYMBOLS.get(op.operator, op.operator)
        if value.is_none:
            return self._use(found, "null", branch, f"{found[1].name} IS {'NOT ' if op.operator == '!=' else ''}NULL")
        form: Form = {"==": "eq", "!=": "not", "in": "in"}.get(op.operator, "range")  # type: ignore[assignment]
        constant = value.const
        text = f"{found[1].name} {symbol} 'constant'" if _is_member(value) else ""
        if constant is not None:
            text = f"{found[1].name} {symbol} {str(constant).upper() if isinstance(constant, bool) else repr(constant)}"
        return self._use(found, "not" if negated and form != "range" else form, branch, text)

    def _equal(
        self, first: tuple[Table, Column], second: tuple[Table, Column], op: ops.Compare, branch: Branch
    ) -> Iterator[Use]:
        same = first[0].name == second[0].name
        for mine, other in ((first, second), (second, first)):
            form: Form = "other" if op.operator != "==" or same else "eq"
            beyond = (other[0].name, other[1].name)
            yield Use(table=mine[0].name, column=mine[1].name, role="join", form=form, branch=branch, other=beyond)

    def _use(
        self, found: tuple[Table, Column], form: Form, branch: Branch, text: str = "", expression: str = ""
    ) -> Use:
        table, column = found
        written = normal(text) if text else ""
        return Use(
            table=table.name,
            column=column.name,
            role="filter",
            form=form,
            branch=branch,
            text=written,
            expression=expression,
        )

    # -- columns ---------------------------------------------------------------------------------------------------

    def column(self, node: Node) -> tuple[Table, Column] | None:
        """The mapped column that an expression plainly is: ``User.email``, ``users.c.email``, a relation's key."""
        node = self._unmarked(node.origin)
        node = self._told.get(node, node).origin
        op = node.op
        if not isinstance(op, ops.Attr):
            return self._named(node)
        base = node.to(op.base)
        inner = base.origin.op
        if isinstance(inner, ops.Attr) and inner.name in ("c", "columns"):
            base = base.origin.to(inner.base)
        elif isinstance(inner, ops.Attr):
            owner = self._table(base.origin.to(inner.base))
            return self._of(base, op.name) if owner is None else self._over(owner, inner.name, op.name)
        found = self._of(base, op.name)
        computed = self._computed(node) if found is None else None
        return found if computed is None else computed[0].column(computed[1])

    def _computed(self, node: Node) -> tuple[Conditions, Node] | None:
        """What an attribute of a model stands for that is computed of columns, and who reads it: a hybrid property."""
        op = node.origin.op
        table = self._table(node.origin.to(op.base)) if isinstance(op, ops.Attr) else None
        method = self._project.method(table.model, op.name) if table is not None and isinstance(op, ops.Attr) else None
        if table is None or method is None or not self._computes(method):
            return None
        given = method.returned()
        if len(given) != 1 or any(row.code is method for row in self._rows):
            return None
        rows = {**self._rows, **dict.fromkeys(islice(method.nodes(ops.Param), 1), table)}
        return Conditions(self._project, rows=rows), given[0]

    def _computes(self, method: Code) -> bool:
        """Whether an attribute of the model's class stands for what its method returns of columns."""
        known = self._project.models.kinds["computed-columns"]
        return any(decorator.spelled.rpartition(".")[2] in known for decorator in method.decorators)

    def _named(self, node: Node) -> tuple[Table, Column] | None:
        """A column that is asked for by its name: ``getattr(User, "email")``, ``users.c["email"]``."""
        op = node.op
        if node.method == "getattr":
            owner, key = node.arg(0), node.arg(1)
        elif isinstance(op, ops.Item) and isinstance(inner := node.to(op.base).origin.op, ops.Attr):
            owner = node.to(op.base).origin.to(inner.base) if inner.name in ("c", "columns") else None
            key = node.to(op.key)
        else:
            return None
        if owner is None or key is None:
            return None
        return self._of(owner, written_text(self._project, self._told.get(key.origin, key)))

    def _table(self, node: Node) -> Table | None:
        """The table of a model, or of the row that a variable stands for."""
        found = self._rows.get(node.origin)
        return found if found is not None else denoted_table(self._project, node)

    def _followed(self, node: Node) -> Iterator[Use]:
        """The join that ``Boat.owner.email`` stands for, where the ORM follows a key so."""
        op = node.origin.op
        key = node.origin.to(op.base).origin if isinstance(op, ops.Attr) else None
        if key is None or not isinstance(op, ops.Attr) or not isinstance(key.op, ops.Attr):
            return
        owner = self._table(key.to(key.op.base))
        relation = owner.relation(key.op.name) if owner is not None else None
        if owner is None or relation is None:
            return
        found = self._over(owner, key.op.name, op.name)
        if found is not None and found[1].name != relation.column:
            yield from pair((owner, relation.column), (found[0], key_of(found[0])))

    def _over(self, owner: Table, key: str, name: str) -> tuple[Table, Column] | None:
        """``Boat.owner.email``: a column of the row that a key leads to, where the ORM writes it so."""
        orm = traits(self._project, owner.orm)
        relation = owner.relation(key) if orm.follows_keys else None
        target = self._schema.of_model(relation.target) if relation is not None else None
        if target is not None and orm.spares_joins and target.primary_key == (name,):
            return self._schema.find(owner, key)
        return self._schema.find(target, name) if target is not None else None

    def _unmarked(self, node: Node) -> Node:
        """What a call marks for type checkers or joins, and otherwise leaves as it is."""
        func = node.func
        first = node.arg(0) if func is not None else None
        if func is None or first is None or self._marks.isdisjoint(self._project.names(func)):
            return node
        return first.origin

    def _of(self, base: Node, name: str) -> tuple[Table, Column] | None:
        table = self._table(base)
        if table is None:
            return None
        found = self._schema.find(table, name)
        if found is not None:
            return found
        relation = self._schema.relation(table, name)
        column = relation[0].column(relation[1].column) if relation is not None and relation[1].column else None
        return (relation[0], column) if relation is not None and column is not None else None

    def _wrapped(self, node: Node) -> tuple[tuple[Table, Column], str] | None:
        """The one column inside a function or cast, with the expression in normal form."""
        node = node.origin
        if (computed := self._computed(node)) is not None:
            return computed[0]._wrapped(computed[1])
        if isinstance(node.op, ops.Item):
            found = self.column(node.to(node.op.base))
            return (found, f"{found[1].name} -> ?") if found is not None else None
        if isinstance(node.op, ops.Attr) and node.op.name == "astext":
            return self._wrapped(node.to(node.op.base))
        if node.call is None or node.is_call_of("no-column-functions"):
            return None
        inside = [*node.args(), *([node.receiver] if node.receiver is not None else [])]
        column = next((found for part in inside if (found := self.column(part)) is not None), None)
        if column is not None:
            return column, normal(f"{node.method}({column[1].name})")
        deeper = next((inner for part in inside if (inner := self._wrapped(part)) is not None), None)
        return (deeper[0], normal(f"{node.method}({deeper[1]})")) if deeper is not None else None

    # -- other clauses ---------------------------------------------------------------------------------------------

    def sort(self, node: Node, table: Table | None = None) -> Iterator[Use]:
        """The use of one argument of ``order_by``; a text in it names a column of ``table``, which is selected."""
        node = node.origin
        descending = isinstance(node.op, ops.Unary) and node.op.operator == "-"
        if isinstance(node.op, ops.Unary):
            node = node.to(node.op.value).origin
        while node.call is not None and node.is_call_of("sort-directions"):
            descending = descending or node.method == "desc"
            inner = node.receiver if self._project.types(node) or node.arg(0) is None else node.arg(0)
            inner = node.arg(0) or inner
            if inner is None:
                return
            node = inner.origin
        found = self.column(node)
        named = table.column(node.text) if table is not None and node.text else None
        if found is not None:
            yield Use(table=found[0].name, column=found[1].name, role="sort", descending=descending)
        elif named is not None and table is not None:
            yield Use(table=table.name, column=named.name, role="sort", descending=descending)
        elif (wrapped := self._wrapped(node)) is not None:
            (table, column), expression = wrapped
            yield Use(table=table.name, column=column.name, role="sort", form="function", expression=expression)

    def join(self, node: Node, root: Table | None) -> Iterator[Use]:
        """What ``.join(target, condition)`` asks; without a condition, the keys of the relation or foreign key."""
        arguments = [argument for argument in node.args() if argument.const is None]
        conditions = [argument for argument in arguments if isinstance(argument.origin.op, (ops.Compare, ops.Call))]
        read = [use for argument in conditions for use in self.read(argument)]
        if read or not arguments:
            yield from read
            return
        relation = next((found for argument in arguments if (found := self._related(argument)) is not None), None)
        if relation is not None:
            yield from self._along(*relation)
            return
        target = denoted_table(self._project, arguments[0].origin)
        if target is not None and root is not None:
            yield from self._between(root, target)

    def _along(self, table: Table, relation: Relation) -> Iterator[Use]:
        target = self._schema.of_model(relation.target)
        between = keys_between(self._project, table, relation) if relation.remote == "*" else None
        if between is not None and target is not None:
            yield from (*between.joined_from(table), *between.joined_to(target))
        if target is None or relation.remote == "*":
            return
        if relation.column:
            yield from pair((table, relation.column), (target, key_of(target)))
        elif relation.remote:
            yield from pair((table, key_of(table)), (target, relation.remote))

    def _between(self, root: Table, target: Table) -> Iterator[Use]:
        for here, there in ((root, target), (target, root)):
            for column in here.columns:
                if column.references.partition(".")[0].lower() == there.name.lower():
                    yield from pair((here, column.name), (there, key_of(there)))
                    return


def _of_statement(node: Node) -> bool:
    """Whether a value is a column of a statement that is joined: ``latest.c.id``."""
    op = node.origin.op
    base = node.origin.to(op.base).origin.op if isinstance(op, ops.Attr) else None
    return isinstance(base, ops.Attr) and base.name in ("c", "columns")


def _is_member(value: Node) -> bool:
    """Whether a value is a constant by its name: ``Status.ACTIVE``, ``DEFAULT_GROUP``."""
    last = value.origin.spelled.rpartition(".")[2]
    return isinstance(value.origin.op, (ops.Attr, ops.Name, ops.Import)) and len(last) > 1 and last.isupper()
