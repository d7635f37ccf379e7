"""Tables of models whose fields are calls in the class body, as the traits of their ORM say."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.orms import orms
from backaudit.backend.data.schema import typed
from backaudit.backend.data.schema.tables import Relation, Table, columns_index, settled
from backaudit.models import OrmModel
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import field_calls, items, number, on_delete, snake_case, text, texts, truth
from backaudit.sql import Column, Index
from backaudit.vocabulary.meaning import meaning

_PRIMARY_SWITCHES = ("pk", "primary_key")
_NULL_SWITCHES = ("null", "nullable")
_INDEX_SWITCHES = ("index", "db_index")
_TEXTS = ("CharField", "Varchar")
_TEXT_TYPES = meaning("columns", "text-type")


def tables(project: Project) -> Iterator[Table]:
    """The tables of all concrete models of such ORMs, then those between many and many."""
    for name, orm in sorted(orms(project).items()):
        classes = {cls.name: cls for base in orm.models for cls in project.subclasses(base)}
        made = [table for cls in classes.values() if (table := _Declaring(project, name, orm, cls).table()) is not None]
        yield from made
        by_model = {table.model: table for table in made}
        for table in made:
            yield from _Declaring(project, name, orm, classes[table.model]).between(table, by_model)


class _Declaring:
    """A class that declares a table, with what its ORM does of itself."""

    def __init__(self, project: Project, name: str, orm: OrmModel, cls: ClassView) -> None:
        self.project, self.name, self.orm, self.cls = project, name, orm, cls
        self.options = self._options()
        self.declared = [
            (attribute, bind.origin)
            for _, attribute, bind in field_calls(project, cls)
            if bind.origin.method.endswith(orm.fields)
        ]

    def table(self) -> Table | None:
        """The table, None of a class that is only there for others to extend."""
        project, calls = self.project, dict(self.declared)
        if truth(project, self.options.get("abstract")) or not self.declared or self._is_base():
            return None
        columns = [self._column(name, call) for name, call in self.declared if self._has_column(name, call)]
        names = {column.attribute: column.name for column in columns}
        stated = tuple(typed.statements(project, self.cls, names)) if self.orm.typed else ()
        composite = self._composite(names) or next((index.columns for index in stated if index.primary), ())
        if not composite and not any(column.primary_key for column in columns):
            columns.insert(0, Column(name="id", attribute="id", type="AutoField", primary_key=True, nullable=False))
        indexes = (*self._own_indexes(columns, calls), *_together(project, self.options, columns))
        indexes += tuple(index for index in stated if not index.primary)
        key = (columns_index(*composite, unique=True, primary=True),) if composite else ()
        table = Table(
            name=self._table_name(),
            orm=self.name,
            model=self.cls.name,
            columns=tuple(columns),
            indexes=(*key, *indexes),
            relations=tuple(r for name, call in self.declared for r in self._relations(name, call)),
            ordering=texts(project, self.options.get("ordering")),
            place=self.cls.place,
        )
        return settled(table)

    def between(self, table: Table, models: dict[str, Table]) -> Iterator[Table]:
        """The tables of the class's many-to-many fields that are no models of their own."""
        for name, call in self.declared:
            target = self._many_target(call, models) if self._is_many(name, call) else None
            if target is not None and call.arg(None, "through_model") is None:
                yield self._between(table, target, call)

    def _is_many(self, name: str, call: Node) -> bool:
        """Whether a field is many to many: one whose type is its argument may be the other side of a key."""
        if call.method not in self.orm.many:
            return False
        answer = typed.answering(self.project, self.orm, self.cls, name, call) if self.orm.typed else None
        return answer is None or answer[1].method in self.orm.many

    def _has_column(self, name: str, call: Node) -> bool:
        """Whether a field is a column of this table: of one to one, the other side may have the key."""
        if call.method in self.orm.many:
            return False
        single = self._single_answer(name, call)
        return single is None or typed.holds_the_key(self.project, self.orm, (self.cls, call), single)

    def _single_answer(self, name: str, call: Node) -> Node | None:
        """The field at the other side of one to one, if a field without a type of its own has one."""
        answer = typed.answering(self.project, self.orm, self.cls, name, call) if self.orm.typed else None
        return answer[1] if answer is not None and answer[1].method not in self.orm.many else None

    def _is_key(self, call: Node) -> bool:
        return call.method in self.orm.keys or (self.orm.typed and bool(self._target(call)))

    def _target(self, call: Node) -> str:
        return typed.target(self.project, self.orm, call) if self.orm.typed else _target(self.project, call)

    def _many_target(self, call: Node, models: dict[str, Table]) -> Table | None:
        written = self._target(call)
        simple = written.rpartition(".")[2].lower()
        by_name = (table for model, table in models.items() if model.rpartition(".")[2].lower() == simple)
        return models.get(written) or next(by_name, None)

    def _between(self, table: Table, target: Table, call: Node) -> Table:
        how = self.orm.between
        names = [_simple(side) for side in (table, target)]
        mine, theirs = names if how == "plural" else [f"{name}_id" for name in names]
        if how == "pair":
            mine, theirs = sorted(names)
            title = f"{mine}_{theirs}"
        elif how == "plural":
            title = f"{mine}s_{theirs}s"
        elif how == "sorted":
            first, second = sorted((table.name, target.name))
            title = f"{first}_{second}_through"
        else:
            title = text(self.project, call.arg(None, "through")) or f"{table.name}_{target.name}"
            mine = text(self.project, call.arg(None, "backward_key")) or mine
            theirs = text(self.project, call.arg(None, "forward_key")) or theirs
        return self._pairs(title, {mine: table, theirs: target}, call)

    def _pairs(self, title: str, keys: dict[str, Table], call: Node) -> Table:
        """The table between two others, with the keys that lead to them."""
        is_row = self.orm.between in ("sorted", "plural")
        columns = [_key_column(name, side, self.orm.between == "plural") for name, side in keys.items()]
        indexes = []
        if self.orm.between != "plural":
            indexes.append(columns_index(*keys, unique=True, primary=self.orm.between == "pair"))
        if is_row:
            columns.insert(0, Column(name="id", type="AutoField", primary_key=True, nullable=False))
        if self.orm.indexes_keys:
            indexes += [columns_index(name) for name in list(keys)[self.orm.between == "pair" :]]
        made = Table(name=title, orm=self.name, columns=tuple(columns), indexes=tuple(indexes), place=call.place)
        return settled(made)

    def _options(self) -> dict[str, Node]:
        """What the class says of its table, with what it takes over from its bases."""
        found: dict[str, Node] = {}
        for owner in self.project.lineage(self.cls.name):
            view = self.project.class_named(owner)
            for name, node in self._said(view) if view is not None else ():
                if owner == self.cls.name or name in self.orm.inherited_options:
                    found.setdefault(name, node)
        return found

    def _said(self, view: ClassView) -> Iterator[tuple[str, Node]]:
        for option in sorted(self.orm.options):
            inner, field = view.inner.get(option), view.fields.get(option)
            if inner is not None:
                yield from inner.fields.items()
            call = field.origin.call if field is not None else None
            if field is not None and call is not None:
                yield from ((keyword, field.origin.to(value)) for keyword, value in call.keywords)
        yield from ((name, view.fields[name]) for name in self.orm.named if name in view.fields)
        yield from ((keyword, view.outer.node(value)) for keyword, value in view.cls.keywords)

    def _is_base(self) -> bool:
        """Whether a model is only there for others to extend: it is never given a table's name, nor a key."""
        children = any(other.name != self.cls.name for other in self.project.subclasses(self.cls.name))
        return self.orm.bases_have_no_table and children and not any(name in self.options for name in self.orm.named)

    def _table_name(self) -> str:
        named = next((text(self.project, self.options[key]) for key in self.orm.named if key in self.options), "")
        switch = self.options.get(self.orm.snake_unless)
        snake = self.orm.snake or (switch is not None and switch.const is False)
        own = snake_case(self.cls.cls.name) if snake else self.cls.cls.name.lower()
        return named or own + self.orm.table_suffix

    def _composite(self, names: dict[str, str]) -> tuple[str, ...]:
        """The columns of ``primary_key = CompositeKey("a", "b")``."""
        made = self.options.get("primary_key")
        given = made.origin.args() if made is not None and made.origin.method == "CompositeKey" else []
        return tuple(names.get(name, name) for name in (text(self.project, node) for node in given) if name)

    def _column(self, name: str, call: Node) -> Column:
        project, key = self.project, self._is_key(call)
        primary = call.method in self.orm.primary or any(truth(project, call.arg(None, n)) for n in _PRIMARY_SWITCHES)
        single = call.method == "OneToOneField"
        return Column(
            name=self._column_name(name, call, key),
            attribute=name,
            type=typed.type_name(call) if self.orm.typed and not key else call.method,
            nullable=self._is_nullable(call, key),
            unique=primary or single or truth(project, call.arg(None, "unique")),
            primary_key=primary,
            length=self._length(call),
            default=call.arg(None, "default") is not None,
            references=self._target(call) if key else "",
            on_delete=(on_delete(project, call.arg(None, "on_delete")) or self.orm.on_delete) if key else "",
            few=self._is_few(call),
        )

    def _column_name(self, name: str, call: Node, key: bool) -> str:
        keywords = sorted(self.project.models.kinds["column-name-keywords"])
        named = (text(self.project, call.arg(None, n)) for n in keywords if call.arg(None, n))
        return next(named, "") or (f"{name}{self.orm.key_suffix}" if key else name)

    def _length(self, call: Node) -> int | None:
        places: tuple[str | int, ...] = ("max_length", "length", "max_len", *((1,) if self.orm.typed else ()))
        default = self.orm.text_length if call.method in _TEXTS else 0
        return number(call.argument(places)) or default or None

    def _is_few(self, call: Node) -> bool:
        if self.orm.typed:
            return typed.is_enumeration(self.project, call)
        return "Boolean" in call.method or "Enum" in call.method or call.arg(None, "choices") is not None

    def _is_nullable(self, call: Node, key: bool) -> bool:
        said = [given for name in _NULL_SWITCHES if (given := call.arg(None, name)) is not None]
        missing = call.method in self.orm.optional and (key or not _TEXT_TYPES.holds(typed.type_name(call)))
        default = self.orm.nullable_defaults and call.arg(None, "default") is not None
        unsaid = missing or default or (key and self.orm.nullable_keys)
        return any(truth(self.project, given) for given in said) or (unsaid and not said)

    def _own_indexes(self, columns: list[Column], calls: dict[str, Node]) -> Iterator[Index]:
        for column in columns:
            call = calls.get(column.attribute)
            place = call.place if call is not None else None
            switched = call is not None and any(truth(self.project, call.arg(None, n)) for n in _INDEX_SWITCHES)
            if column.unique or column.primary_key:
                yield columns_index(column.name, unique=True, primary=column.primary_key, place=place)
            elif switched or (self.orm.indexes_keys and column.references and not self._is_unindexed(call)):
                yield columns_index(column.name, place=place)

    def _is_unindexed(self, call: Node | None) -> bool:
        """Whether a key says that it wants no index."""
        given = [call.arg(None, name) for name in _INDEX_SWITCHES] if call is not None else []
        return any(node is not None and node.const is False for node in given)

    def _relations(self, name: str, call: Node) -> Iterator[Relation]:
        many = self._is_many(name, call)
        if not many and not (self._is_key(call) and self._has_column(name, call)):
            return
        target, key = self._target(call), "" if many else self._column_name(name, call, True)
        yield Relation(name=name, target=target, column=key, many=many, remote="*" if many else "")
        reverse = self._reverse(name, call)
        if reverse and not many:
            single = call.method == "OneToOneField" or self._single_answer(name, call) is not None
            yield Relation(name=f"<{reverse}", target=target, many=not single, remote=key)

    def _reverse(self, name: str, call: Node) -> str:
        """The attribute of the other model by which it leads here."""
        if self.orm.typed:
            answer = typed.answering(self.project, self.orm, self.cls, name, call)
            return answer[0] if answer is not None else ""
        named = (text(self.project, call.arg(None, keyword)) for keyword in ("related_name", "backref"))
        return next(filter(None, named), "")


def _simple(table: Table) -> str:
    return table.model.rpartition(".")[2].lower()


def _key_column(name: str, table: Table, nullable: bool) -> Column:
    return Column(name=name, nullable=nullable, references=f"{table.name}.{(table.primary_key or ('id',))[0]}")


def _target(project: Project, call: Node) -> str:
    first = call.argument(("model", 0, "model_name", "references"))
    if first is None:
        return ""
    cls = call.code.cls
    if text(project, first) == "self" and cls is not None:
        return cls.name
    return next((cls.name for cls in project.denoted_classes(first)), "") or text(project, first) or first.spelled


def _together(project: Project, options: dict[str, Node], columns: list[Column]) -> Iterator[Index]:
    """The indexes over several columns that ``Meta`` lists: calls, and groups of names."""
    names = {column.attribute: column.name for column in columns}
    for option in sorted(project.models.kinds["index-listings"]):
        listed = items(options.get(option))
        made = [item for item in listed if item.origin.call is not None]
        for item in made:
            fields = texts(project, item.arg(None, "fields")) or tuple(text(project, a) for a in item.args())
            if fields and all(fields):
                unique = item.origin.is_call_of("unique-groups")
                yield columns_index(*(names.get(f, f) for f in fields), unique=unique, place=item.place)
        groups = [item for item in listed if item not in made]
        alone = not made and not all(items(group) for group in groups)
        for group in [options[option]] if alone else groups:
            yield from _of_group(project, option, group, names)


def _of_group(project: Project, option: str, group: Node, names: dict[str, str]) -> Iterator[Index]:
    """``("a", "b")``, or ``(("a", "b"), True)``, which says whether the pair is unique."""
    inside = items(group)
    nested = bool(inside) and bool(items(inside[0]))
    switched = nested and len(inside) > 1 and truth(project, inside[1])
    fields = texts(project, inside[0] if nested else group)
    if fields:
        unique = option == "unique_together" or switched
        yield columns_index(*(names.get(f, f) for f in fields), unique=unique, place=group.place)
