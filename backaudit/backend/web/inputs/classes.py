"""Classes that are input schemas: fields as annotations or calls declare them, or as a model's columns give them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from backaudit.backend.data.schema import Column, Table, schema
from backaudit.backend.web.inputs.records import Extra, Field, InputSchema, Scalar, Shape
from backaudit.backend.web.inputs.shapes import narrowed, parsed, shape_of, with_choices
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Span
from backaudit.models import SchemaModel
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import annotation_of, entries, items, texts, truth

_ALL = "__all__"


def schema_of(project: Project, cls: ClassView) -> InputSchema | None:
    """The input schema that a class is, None if it is none."""
    return project.once_of(_schema, cls)


def _schema(project: Project, cls: ClassView) -> InputSchema | None:
    library = library_of(project, cls)
    return _Reader(project, cls, *library).schema() if library is not None else None


def library_of(project: Project, cls: ClassView) -> tuple[str, SchemaModel] | None:
    """Whose schema a class is: the library's name and what is known of it."""
    lineage = set(project.lineage(cls.name))
    tables: dict[str, SchemaModel] = project.models.schemas
    for name, model in tables.items():
        if not lineage.isdisjoint(model.bases):
            return name, model
    views = project.lineage_views(cls.name)
    decorators = [view.outer.node(value) for view in views for value in view.cls.decorators]
    made = {dotted for decorator in decorators for dotted in project.names(decorator)}
    return next(((name, model) for name, model in tables.items() if not made.isdisjoint(model.decorators)), None)


def is_filled(made: Node) -> bool:
    """Whether a declared field has a value though the client left it out, ``None`` included."""
    return any(made.arg(None, key) is not None for key in ("default", "load_default", "missing"))


def view_form(project: Project, view: ClassView) -> InputSchema | None:
    """The form that a generic view makes of a model and a list of its fields."""
    if not {"model", "fields"} <= set(view.fields):
        return None
    named = {base.rpartition(".")[2] for base in project.lineage(view.name)}
    library = next((one for one in project.models.schemas.items() if not named.isdisjoint(one[1].views)), None)
    if library is None:
        return None
    reader = _Reader(project, view, *library)
    reader.meta = view
    made = reader.schema()
    return msgspec.structs.replace(made, fields=tuple(f for f in made.fields if f.attribute in made_of(view, project)))


def made_of(view: ClassView, project: Project) -> tuple[str, ...]:
    """The fields that a view lists."""
    return texts(project, view.fields.get("fields"))


class _Reader:
    """Reads the schema of one class."""

    def __init__(self, project: Project, cls: ClassView, library: str, model: SchemaModel) -> None:
        self.project = project
        self.cls = cls
        self.library = library
        self.model = model
        self.views = project.lineage_views(cls.name)
        self.meta = self._meta()
        self.validated = frozenset(self._validated())

    def schema(self) -> InputSchema:
        declared = dict(self._declared())
        columns, table, whole = self._columns(declared)
        # A model's columns first, in the order of the table; what is declared by hand says more of a column.
        fields = {name: declared.get(name, field) for name, field in columns.items()}
        fields.update(declared)
        kept = [field for name, field in fields.items() if field is not None and name not in self._left_out()]
        return InputSchema(
            name=self.cls.name,
            title=self.cls.cls.qualname,
            library=self.library,
            place=self.cls.place,
            fields=tuple(self._adjusted(field) for field in kept),
            extra=self._extra(),
            model=table.name if table is not None else "",
            whole=whole,
        )

    # -- declared fields ----------------------------------------------------------------------------------------------

    def _declared(self) -> Iterator[tuple[str, Field | None]]:
        """Fields by attribute, the farthest base's first; None where a class takes one back."""
        for view in reversed(self.views):
            for name, bind in view.fields.items():
                if name.startswith("__") or name in self.project.models.kinds["schema-options"]:
                    continue
                if self.model.style == "annotations":
                    field = self._annotated(name, bind)
                    if field is not None:
                        yield name, field
                else:
                    yield from self._called(name, bind)

    def _annotated(self, name: str, bind: Node) -> Field | None:
        annotation = annotation_of(bind)
        if name.startswith("_") or not self._is_field(annotation, bind):
            return None
        value = _given_value(bind, annotation)
        call = value.origin if value is not None and self._declares(value.origin) else None
        if call is not None and self.model.fields.get(call.method) == "private":
            return None
        declaring = [call] if call is not None else []
        shape = shape_of(self.project, annotation) if annotation is not None else Shape()
        shape = narrowed(self.project, shape, declaring)
        markers = [*self._markers(annotation), *declaring]
        default, optional = self._default(value, markers)
        return Field(
            name=self._alias(markers) or self._generated_alias(name),
            attribute=name,
            shape=shape,
            place=bind.place,
            optional=optional or self._is_partial(annotation) or (shape.nullable and self._is_pydantic_one()),
            default=default,
            validated=self._is_validated(name),
        )

    def _is_field(self, annotation: Node | None, bind: Node) -> bool:
        """Whether a name that the class binds is a field; ``attr.ib()`` needs no annotation."""
        if annotation is not None:
            return not _is_class_variable(annotation)
        return self.model.bare and bind.origin.method in self.model.fields

    def _is_validated(self, name: str) -> bool:
        return name in self.validated or "*" in self.validated

    def _declares(self, made: Node) -> bool:
        return made.call is not None and made.method in self.model.fields

    def _markers(self, annotation: Node | None) -> list[Node]:
        """The calls beside the type in ``Annotated``."""
        if annotation is None:
            return []
        node = self.project.alias_of(annotation) or annotation.origin
        op = node.op
        if not isinstance(op, ops.Item):
            return []
        key = node.to(op.key)
        inside = key.elements()
        if node.to(op.base).spelled.rpartition(".")[2] != "Annotated":
            return []
        return [*self._markers(inside[0]), *(made for part in inside[1:] if (made := part.origin).call is not None)]

    def _default(self, value: Node | None, markers: list[Node]) -> tuple[Scalar, bool]:
        """The literal default and whether the field may be left out."""
        call = value is not None and self._declares(value.origin)
        for marker in reversed(markers):
            if marker.method not in self.model.fields:
                continue
            own = marker.arg(0 if self.model.pydantic else None, "default")
            if own is not None:
                return self._literal(own), not _is_ellipsis(own)
            if marker.arg(None, "default_factory") is not None or marker.arg(None, "factory") is not None:
                return None, True
        if value is None or call:
            return None, self._is_loose()
        return self._literal(value), True

    def _is_loose(self) -> bool:
        """TypedDicts with ``total=False``."""
        total = dict(self.cls.cls.keywords).get("total")
        return total is not None and self.cls.outer.node(total).const is False

    def _is_pydantic_one(self) -> bool:
        """Whether a field that may be ``None`` may be left out, too: so it is in pydantic 1."""
        return self.model.pydantic and self.project.once(pydantic_one)

    def _is_partial(self, annotation: Node | None) -> bool:
        op = annotation.origin.op if annotation is not None else None
        return (
            annotation is not None
            and isinstance(op, ops.Item)
            and annotation.origin.to(op.base).spelled.rpartition(".")[2] == "NotRequired"
        )

    def _literal(self, node: Node) -> Scalar:
        """A default as it stands in the code; what the extractors take for a credential is not repeated."""
        found = self.project.constant(node)
        if found is None or is_secret(self.project, found.code.path, found.at):
            return None
        value = found.const
        if isinstance(found.op, ops.Const) and found.op.binary:
            return None
        return value

    def _alias(self, markers: list[Node]) -> str:
        for marker in markers:
            for keyword in ("validation_alias", "alias", "name"):
                given = marker.arg(None, keyword)
                found = self.project.constant(given) if given is not None else None
                if found is not None and found.text and marker.method in self.model.fields:
                    return found.text
        return ""

    def _generated_alias(self, name: str) -> str:
        generator = self._setting("alias_generator")
        spelled = generator.spelled.rpartition(".")[2] if generator is not None else ""
        parts = name.split("_")
        if spelled in ("to_camel", "to_camel_case", "camelize", "to_lower_camel", "to_lower_camel_case"):
            return parts[0] + "".join(part.capitalize() for part in parts[1:])
        return "".join(part.capitalize() for part in parts) if spelled == "to_pascal" else name

    def _called(self, name: str, bind: Node) -> Iterator[tuple[str, Field | None]]:
        made = bind.origin
        found = called_shape(self.project, self.library, made)
        if made.is_none or (found is not None and "private" in found[1]):
            yield name, None
        elif found is not None and "column" not in found[1]:
            yield name, self._made_field(name, bind, *found)

    def _made_field(self, name: str, bind: Node, shape: Shape, words: frozenset[str]) -> Field:
        """The field that a call declares; ``words``: what the table says of its kind."""
        made = bind.origin
        optional = self._may_be_left_out(made)
        default = made.argument(("default", "initial", "load_default", "missing"))
        key = made.argument(("data_key", "load_from"))
        elsewhere = made.argument(("attribute", "source")) is not None
        return Field(
            name=(key.text if key is not None else None) or name,
            attribute=name,
            shape=shape,
            place=bind.place,
            optional=optional,
            default=self._literal(default) if default is not None and optional else None,
            omitted=optional and not elsewhere and not is_filled(made),
            elsewhere=elsewhere,
            validated=self._is_validated(name),
            read_only="read" in words or self._is_switched(made, "read_only", "dump_only"),
            write_only=self._is_switched(made, "write_only", "load_only"),
        )

    def _is_switched(self, made: Node, *switches: str) -> bool:
        return any(truth(self.project, made.arg(None, switch)) for switch in switches)

    def _may_be_left_out(self, made: Node) -> bool:
        required = made.arg(None, "required")
        if required is not None:
            return not truth(self.project, required)
        names = {item.method or item.spelled.rpartition(".")[2] for item in items(_validators_of(made))}
        if names & self.project.models.kinds["requiring-validators"]:
            return False
        if not self.model.required:
            return True
        return made.method in self.model.spared_kinds or made.argument(self.model.spared) is not None

    # -- what stands around the fields --------------------------------------------------------------------------------

    def _validated(self) -> Iterator[str]:
        """The names of fields that methods of the class judge; ``*`` for the whole."""
        methods = [pair for view in self.views for pair in view.methods.items()]
        for method, code in methods:
            for prefix in ("validate_", "clean_"):
                if method.startswith(prefix) and method != prefix:
                    yield method.removeprefix(prefix)
            for hook in filter(self._is_hook, code.decorators):
                yield from (arg.text for arg in hook.args() if arg.text is not None)
        for bound in (bind.origin for view in self.views for bind in view.fields.values()):
            hook_made = bound.func.origin if bound.func is not None else bound
            if hook_made.call is not None and self._is_hook(hook_made):
                yield from (arg.text for arg in hook_made.args() if arg.text is not None)

    def _is_hook(self, decorator: Node) -> bool:
        """``@field_validator("name")``."""
        hooks = self.project.models.kinds.get("validator-decorators", frozenset())
        return decorator.func is not None and not hooks.isdisjoint(self.project.names(decorator.func))

    def _setting(self, name: str) -> Node | None:
        """An entry of ``model_config`` or ``Config``."""
        for view in self.views:
            config = view.fields.get("model_config")
            if config is not None:
                found = config.origin.arg(None, name) or entries(config).get(name)
                if found is not None:
                    return found
            for inner in ("Config", "Meta"):
                if inner in view.inner and name in view.inner[inner].fields:
                    return view.inner[inner].fields[name].origin
            given = dict(view.cls.keywords).get(name)
            if given is not None:
                return view.outer.node(given)
        return None

    def _extra(self) -> Extra:
        said = self._setting("extra") or self._setting("unknown") or self._setting("forbid_unknown_fields")
        if said is None:
            return self.model.extra
        word = (said.text or said.spelled.rpartition(".")[2]).lower()
        if said.const is True:
            return "forbid"
        found: dict[str, Extra] = {
            "forbid": "forbid", "raise": "forbid", "ignore": "ignore", "exclude": "ignore", "allow": "allow",
            "include": "allow",
        }  # fmt: skip
        return found.get(word, self.model.extra)

    # -- columns of a model -------------------------------------------------------------------------------------------

    def _meta(self) -> ClassView | None:
        for view in self.views:
            for name in self.model.meta:
                if name in view.inner and "model" in view.inner[name].fields:
                    return view.inner[name]
        return None

    def _columns(self, declared: dict[str, Field | None]) -> tuple[dict[str, Field | None], Table | None, bool]:
        if self.meta is None:
            return {}, None, True
        row = next(iter(self.project.denoted_classes(self.meta.fields["model"].origin)), None)
        table = self.project.once(schema).of_model(row.name) if row is not None else None
        listed = self._listed()
        if table is None or row is None:
            return dict.fromkeys(listed or ()), None, listed == []
        found = self._fields_of(table, row)
        if listed is not None:
            return {name: found.get(name) for name in listed if name in found or name in declared}, table, True
        excluded = set(texts(self.project, self.meta.fields.get("exclude")))
        return {n: f for n, f in found.items() if n not in excluded}, table, self._takes_all()

    def _fields_of(self, table: Table, row: ClassView) -> dict[str, Field | None]:
        """The fields that the columns of a table give, and its relations to many."""
        family = list(self.project.once(schema).family(table))
        found = {
            column.attribute or column.name: self._of_column(column, row)
            for owner in reversed(family)
            for column in owner.columns
        }
        for relation in (relation for owner in family for relation in owner.relations):
            if relation.many and relation.remote == "*" and _declaring(self.project, row, relation.name) is not None:
                name, shape = relation.name, Shape(kind="array", items=Shape(kind="integer"))
                made = Field(name=name, attribute=name, shape=shape, place=self.cls.place, optional=True)
                found.setdefault(name, made)
        return found

    def _takes_all(self) -> bool:
        said = self.meta.fields.get("fields") if self.meta is not None else None
        everything = said is not None and said.const == _ALL
        excluding = self.meta is not None and "exclude" in self.meta.fields
        return everything or excluding or self.project.inherits(self.cls.name, *self.model.columns)

    def _listed(self) -> list[str] | None:
        """The columns that are named; None for all of them."""
        assert self.meta is not None
        if self._takes_all():
            return None
        field = self.meta.fields.get("fields") or self.meta.fields.get("model_fields")
        return list(texts(self.project, field)) if field is not None else []

    def _of_column(self, column: Column, row: ClassView) -> Field | None:
        name = column.attribute or column.name
        shape = column_shape(self.project, column)
        shape = Shape(kind="integer") if column.primary_key and shape.kind == "any" else shape
        call = _declaring(self.project, row, name)
        shape = narrowed(self.project, shape, [call]) if call is not None else shape
        editable = call.arg(None, "editable") if call is not None else None
        if editable is not None and editable.const is False:
            return None if self.model.form else self._column_field(column, row, name, shape, True)
        stamped = call is not None and self._is_switched(call, "auto_now", "auto_now_add")
        generated = column.primary_key or stamped
        if generated and self.model.form:
            return None
        return self._column_field(column, row, name, shape, generated and self.model.shows_keys)

    def _column_field(self, column: Column, row: ClassView, name: str, shape: Shape, read_only: bool) -> Field:
        call = _declaring(self.project, row, name)
        blank = call is not None and truth(self.project, call.arg(None, "blank"))
        left_out = blank or column.nullable or bool(column.default)
        blank = left_out or read_only or shape.kind == "boolean"
        return Field(
            name=name,
            attribute=name,
            shape=msgspec.structs.replace(shape, nullable=column.nullable and not self.model.form),
            place=self.cls.place,
            optional=blank,
            validated=name in self.validated,
            read_only=read_only,
            omitted=left_out and not read_only and shape.kind != "boolean",
        )

    def _left_out(self) -> frozenset[str]:
        if self.meta is None:
            return frozenset()
        return frozenset(texts(self.project, self.meta.fields.get("exclude")))

    def _adjusted(self, field: Field) -> Field:
        """What ``read_only_fields``, ``load_only``, ``dump_only`` and ``extra_kwargs`` change."""
        for view in (self.meta, *(v.inner.get("Meta") for v in self.views)):
            if view is None:
                continue
            for listed, change in (
                ("read_only_fields", {"read_only": True}), ("dump_only", {"read_only": True}),
                ("write_only_fields", {"write_only": True}), ("load_only", {"write_only": True}),
            ):  # fmt: skip
                if field.attribute in texts(self.project, view.fields.get(listed)):
                    field = msgspec.structs.replace(field, **change)
            extra = entries(entries(view.fields.get("extra_kwargs")).get(field.attribute))
            field = self._with_options(field, extra)
        return field

    def _with_options(self, field: Field, extra: dict[str, Node]) -> Field:
        known = self.project.models.limits["keywords"]
        for keyword, node in extra.items():
            if keyword in ("read_only", "write_only"):
                field = msgspec.structs.replace(field, **{keyword: truth(self.project, node)})
            elif keyword == "required":
                optional = not truth(self.project, node)
                field = msgspec.structs.replace(field, optional=optional, omitted=optional)
            elif keyword == "default":
                field = msgspec.structs.replace(field, omitted=False)
            elif keyword == "validators":
                field = msgspec.structs.replace(field, shape=narrowed(self.project, field.shape, [node]))
            elif keyword == "choices":
                field = msgspec.structs.replace(field, shape=with_choices(self.project, field.shape, node))
            elif keyword in known and isinstance(node.const, (int, float, str)):
                field = msgspec.structs.replace(field, shape=field.shape.with_limits({known[keyword]: node.const}))
        return field


def _declaring(project: Project, row: ClassView, name: str) -> Node | None:
    """The call that declares a column of a model's class."""
    for view in project.lineage_views(row.name):
        if name in view.fields:
            made = view.fields[name].origin
            return made if made.call is not None else None
    return None


def column_shape(project: Project, column: Column) -> Shape:
    """The values of a column, as far as its type tells."""
    word = column.type.rpartition(".")[2].partition("(")[0].strip().lower().replace(" ", "_")
    shape = parsed(project.models.columns.get(word, ""))[0]
    if column.length is not None and shape.kind == "string":
        shape = shape.with_limits({"maxLength": column.length})
    return shape


def called_shape(project: Project, library: str, made: Node) -> tuple[Shape, frozenset[str]] | None:
    """The shape that a field's construction declares, with the table's words; None if it is no field."""
    func = made.func
    if made.call is None or func is None:
        return None
    nested = next((cls for cls in project.denoted_classes(func) if library_of(project, cls) is not None), None)
    if nested is not None:
        one = Shape(kind="object", schema=nested.name)
        many = truth(project, made.arg(None, "many"))
        return (Shape(kind="array", items=one) if many else one), frozenset()
    fields = project.models.schemas[library].fields
    last = _known_kind(project, func, fields)
    if last is None:
        return None
    shape, words = parsed(fields[last])
    shape = _with_inner(project, library, made, last, shape)
    validators = _validators_of(made)
    own = validators is not None and made.arg(None, "validators") is None
    shape = narrowed(project, shape, [made, validators] if own and validators is not None else [made])
    if any(truth(project, made.arg(None, switch)) for switch in ("allow_null", "allow_none")):
        shape = msgspec.structs.replace(shape, nullable=True)
    return shape, words


def _known_kind(project: Project, node: Node, fields: Mapping[str, str]) -> str | None:
    """The last name of a class, or of the nearest that it extends, of which the table of a library speaks."""
    owners = (owner for name in project.names(node) for owner in project.lineage(name))
    return next((last for owner in owners if (last := owner.rpartition(".")[2]) in fields), None)


def _validators_of(made: Node) -> Node | None:
    """``validators=[...]``, or the second argument of a field of a form: ``StringField("Name", [Length(max=9)])``."""
    given = made.arg(None, "validators")
    second = made.arg(1)
    return given or (second if second is not None and items(second) else None)


def _with_inner(project: Project, library: str, made: Node, last: str, shape: Shape) -> Shape:
    """What lists and nested fields hold, choices given first, patterns, enumerations."""
    first = made.argument(("child", 0, "cls_or_instance", "nested"))
    if last in project.models.schemas[library].choosing:
        return with_choices(project, shape, first) if first is not None else shape
    if last == "RegexField":
        found = project.constant(first) if first is not None else None
        return shape.with_limits({"pattern": found.text}) if found is not None and found.text else shape
    if last in ("Enum", "EnumField") and first is not None:
        return with_choices(project, shape, first)
    inner = _held(project, library, first) if first is not None and shape.kind in ("array", "object") else None
    if inner is not None and shape.kind == "array":
        return msgspec.structs.replace(shape, items=inner)
    if inner is not None and last in ("Nested", "FormField"):
        return Shape(kind="array", items=inner) if truth(project, made.arg(None, "many")) else inner
    return _of_several(last, shape)


def _of_several(last: str, shape: Shape) -> Shape:
    """The shape of a field that takes several values, by its class."""
    if last.endswith("Multiple") or last in ("ModelMultipleChoiceField", "SelectMultipleField", "MultipleFileField"):
        return msgspec.structs.replace(shape, items=Shape(kind="file" if "File" in last else "string"))
    return shape


def _held(project: Project, library: str, node: Node) -> Shape | None:
    """The shape behind what a list or nested field is given: a schema, its name, another field."""
    here = node.origin
    found = called_shape(project, library, here)
    if found is not None:
        return found[0]
    for cls in _meant_classes(project, here):
        if library_of(project, cls) is not None:
            return Shape(kind="object", schema=cls.name)
    fields = project.models.schemas[library].fields
    last = _known_kind(project, here, fields)
    return parsed(fields[last])[0] if last is not None else None


def _meant_classes(project: Project, node: Node) -> list[ClassView]:
    """The classes that a value is, is an object of, or names."""
    named = node.text
    if named == "self":
        return [node.code.cls] if node.code.cls is not None else []
    if named:
        return [cls for cls in project.classes() if cls.cls.name == named.rpartition(".")[2]]
    return list(project.denoted_classes(node)) or list(project.instances(node))


_PYDANTIC_ONE = re.compile(
    r"^[\s\"']*pydantic(?:\[[^\]]*\])?[\"']?\s*(?:=\s*)?[\"'{]?[^\n]{0,24}?(?:[=~^]\s*1\.|\"\s*1\.|<\s*2)", re.M
)


def pydantic_one(project: Project) -> bool:
    """Whether the project asks for pydantic 1."""
    return any(_PYDANTIC_ONE.search(file.text) for file in project.artefacts("requirements", "toml") if file.text)


def is_secret(project: Project, path: str, at: Span) -> bool:
    """Whether the extractors see a credential in a stretch of a file."""
    return any(
        (span.line, span.column) < (at.end_line, at.end_column)
        and (at.line, at.column) < (span.end_line, span.end_column)
        for span in project.once(_secret_spans).get(path, ())
    )


def _secret_spans(project: Project) -> dict[str, tuple[Span, ...]]:
    found: dict[str, tuple[Span, ...]] = {}
    for path, hit in project.secrets():
        if hit.strength != "placeholder":
            found[path] = (*found.get(path, ()), hit.span, *hit.parts)
    return found


def _is_class_variable(annotation: Node) -> bool:
    op = annotation.origin.op
    base = annotation.origin.to(op.base) if isinstance(op, ops.Item) else annotation
    return base.spelled.rpartition(".")[2] in ("ClassVar", "InitVar")


def _is_ellipsis(node: Node) -> bool:
    return isinstance(node.origin.op, ops.Opaque)


__all__ = ["called_shape", "column_shape", "is_secret", "library_of", "schema_of", "view_form"]


def _given_value(bind: Node, annotation: Node | None) -> Node | None:
    """What the class gives a name; nothing where it only declares it."""
    value = bind.to(bind.op.value) if isinstance(bind.op, ops.Bind) and bind.op.value != NONE else None
    unknown = value is not None and isinstance(value.op, ops.Opaque) and annotation is not None
    return None if unknown else value
