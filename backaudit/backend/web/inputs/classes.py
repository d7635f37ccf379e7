"""Classes that are input schemas: fields as annotations or calls declare them, or as a model's columns give them."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
    memory = project.once(_memory)
    if cls.name not in memory:
        memory[cls.name] = None
        library = library_of(project, cls)
        memory[cls.name] = _Reader(project, cls, *library).schema() if library is not None else None
    return memory[cls.name]


def _memory(project: Project) -> dict[str, InputSchema | None]:
    return {}


def library_of(project: Project, cls: ClassView) -> tuple[str, SchemaModel] | None:
    """Whose schema a class is: the library's name and what is known of it."""
    lineage = set(project.lineage(cls.name))
    tables: dict[str, SchemaModel] = project.models.schemas
    for name, model in tables.items():
        if not lineage.isdisjoint(model.bases):
            return name, model
    made = {dotted for value in cls.cls.decorators for dotted in project.names(cls.outer.node(value))}
    made |= {dotted for view in _above(project, cls) for value in view.cls.decorators
             for dotted in project.names(view.outer.node(value))}  # fmt: skip
    return next(((name, model) for name, model in tables.items() if not made.isdisjoint(model.decorators)), None)


def _above(project: Project, cls: ClassView) -> Iterator[ClassView]:
    for owner in project.lineage(cls.name)[1:]:
        view = project.class_named(owner)
        if view is not None:
            yield view


def is_filled(made: Node) -> bool:
    """Whether a declared field has a value though the client left it out, ``None`` included."""
    return any(made.arg(None, key) is not None for key in ("default", "load_default", "missing"))


def view_form(project: Project, view: ClassView) -> InputSchema | None:
    """The form that a generic view makes of a model and a list of its fields."""
    named = {name for base in project.lineage(view.name) for name in [base.rpartition(".")[2]]}
    if not {"model", "fields"} <= set(view.fields) or not named & {"CreateView", "UpdateView", "ModelFormMixin"}:
        return None
    reader = _Reader(project, view, "django", project.models.schemas["django"])
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
        self.views = [cls, *_above(project, cls)]
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
        if annotation is None:
            # ``attr.ib()`` needs no annotation.
            made = bind.origin
            if made.call is None or made.method not in self.model.fields or self.library != "attrs":
                return None
        if name.startswith("_") or (annotation is not None and _is_class_variable(self.project, annotation)):
            return None
        op = bind.op
        value = bind.to(op.value) if isinstance(op, ops.Bind) and op.value != NONE else None
        value = None if value is not None and isinstance(value.op, ops.Opaque) and annotation is not None else value
        call = value.origin if value is not None and self._declares(value.origin) else None
        if call is not None and self.model.fields.get(call.method) == "private":
            return None
        shape = shape_of(self.project, annotation) if annotation is not None else Shape()
        markers = [*self._markers(annotation), *([call] if call is not None else [])]
        shape = narrowed(self.project, shape, [call] if call is not None else [])
        default, optional = self._default(value, markers)
        return Field(
            name=self._alias(markers) or self._generated_alias(name),
            attribute=name,
            shape=shape,
            place=bind.place,
            optional=optional or self._is_partial(annotation) or (shape.nullable and self._is_pydantic_one()),
            default=default,
            validated=name in self.validated or "*" in self.validated,
        )

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
        inside = [key.to(item) for item in key.op.items] if isinstance(key.op, ops.Build) else [key]
        if node.to(op.base).spelled.rpartition(".")[2] != "Annotated":
            return []
        return [*self._markers(inside[0]), *(made for part in inside[1:] if (made := part.origin).call is not None)]

    def _default(self, value: Node | None, markers: list[Node]) -> tuple[Scalar, bool]:
        """The literal default and whether the field may be left out."""
        call = value is not None and self._declares(value.origin)
        for marker in reversed(markers):
            if marker.method not in self.model.fields:
                continue
            own = marker.arg(0 if self.library in ("pydantic", "sqlmodel", "ninja") else None, "default")
            if own is not None:
                return self._literal(own), not _is_ellipsis(own)
            if marker.arg(None, "default_factory") is not None or marker.arg(None, "factory") is not None:
                return None, True
        if value is None or call:
            return None, self._is_loose(value)
        return self._literal(value), True

    def _is_loose(self, value: Node | None) -> bool:
        """TypedDicts with ``total=False``."""
        total = dict(self.cls.cls.keywords).get("total")
        return total is not None and self.cls.outer.node(total).const is False

    def _is_pydantic_one(self) -> bool:
        """Whether a field that may be ``None`` may be left out, too: so it is in pydantic 1."""
        return self.library in ("pydantic", "sqlmodel", "ninja") and self.project.once(pydantic_one)

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
        if isinstance(made.op, ops.Const) and made.op.value is None:
            yield name, None
            return
        found = called_shape(self.project, self.library, made)
        if found is None:
            return
        shape, words = found
        if "private" in words:
            yield name, None
            return
        if "column" in words:
            return
        optional = self._may_be_left_out(made)
        default = next(
            (d for key in ("default", "initial", "load_default", "missing") if (d := made.arg(None, key))), None
        )
        key = made.arg(None, "data_key") or made.arg(None, "load_from")
        elsewhere = made.arg(None, "attribute") is not None or made.arg(None, "source") is not None
        yield name, Field(
            name=(key.text if key is not None else None) or name,
            attribute=name,
            shape=shape,
            place=bind.place,
            optional=optional,
            default=self._literal(default) if default is not None and optional else None,
            omitted=optional and not elsewhere and not is_filled(made),
            elsewhere=elsewhere,
            validated=name in self.validated or "*" in self.validated,
            read_only="read" in words or truth(self.project, made.arg(None, "read_only"))
            or truth(self.project, made.arg(None, "dump_only")),
            write_only=truth(self.project, made.arg(None, "write_only"))
            or truth(self.project, made.arg(None, "load_only")),
        )  # fmt: skip

    def _may_be_left_out(self, made: Node) -> bool:
        required = made.arg(None, "required")
        if required is not None:
            return not truth(self.project, required)
        names = {item.method or item.spelled.rpartition(".")[2] for item in items(_validators_of(made))}
        if names & self.project.models.kinds["requiring-validators"]:
            return False
        if not self.model.required:
            return True
        given = any(made.arg(None, key) is not None for key in ("default", "read_only", "load_default"))
        return (given and self.library != "django") or (made.method == "BooleanField" and self.library != "django")

    # -- what stands around the fields --------------------------------------------------------------------------------

    def _validated(self) -> Iterator[str]:
        """The names of fields that methods of the class judge; ``*`` for the whole."""
        hooks = self.project.models.kinds.get("validator-decorators", frozenset())
        for view in self.views:
            for method, code in view.methods.items():
                for prefix in ("validate_", "clean_"):
                    if method.startswith(prefix) and method != prefix:
                        yield method.removeprefix(prefix)
                for decorator in code.decorators:
                    if decorator.call is not None and not hooks.isdisjoint(
                        self.project.names(decorator.func or decorator)
                    ):
                        yield from (arg.text for arg in decorator.args() if arg.text is not None)

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
        if table is None or row is None:
            return dict.fromkeys(self._listed() or ()), None, self._listed() == []
        found = {
            column.attribute or column.name: self._of_column(column, table, row)
            for owner in reversed(list(self.project.once(schema).family(table)))
            for column in owner.columns
        }
        for owner in self.project.once(schema).family(table):
            for relation in owner.relations:
                if (
                    relation.many
                    and relation.remote == "*"
                    and _declaring(self.project, row, relation.name) is not None
                ):
                    shape = Shape(kind="array", items=Shape(kind="integer"))
                    made = Field(
                        name=relation.name, attribute=relation.name, shape=shape, place=self.cls.place, optional=True
                    )
                    found.setdefault(relation.name, made)
        listed = self._listed()
        if listed is not None:
            return {name: found.get(name) for name in listed if name in found or name in declared}, table, True
        excluded = set(texts(self.project, self.meta.fields.get("exclude")))
        return {n: f for n, f in found.items() if n not in excluded}, table, self._takes_all()

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

    def _of_column(self, column: Column, table: Table, row: ClassView) -> Field | None:
        name = column.attribute or column.name
        shape = column_shape(self.project, column)
        shape = Shape(kind="integer") if column.primary_key and shape.kind == "any" else shape
        call = _declaring(self.project, row, name)
        if call is not None:
            shape = narrowed(self.project, shape, [call])
            editable = call.arg(None, "editable")
            if editable is not None and editable.const is False:
                return None if self.model.form else self._column_field(column, row, name, shape, True)
        generated = column.primary_key or (
            call is not None and any(truth(self.project, call.arg(None, n)) for n in ("auto_now", "auto_now_add"))
        )
        if generated and self.model.form:
            return None
        return self._column_field(column, row, name, shape, generated and self.library == "rest_framework")

    def _column_field(self, column: Column, row: ClassView, name: str, shape: Shape, read_only: bool) -> Field:
        call = _declaring(self.project, row, name)
        blank = call is not None and truth(self.project, call.arg(None, "blank"))
        blank = blank or column.nullable or column.default or read_only or shape.kind == "boolean"
        return Field(
            name=name,
            attribute=name,
            shape=msgspec.structs.replace(shape, nullable=column.nullable and not self.model.form),
            place=self.cls.place,
            optional=blank,
            validated=name in self.validated,
            read_only=read_only,
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
                field = msgspec.structs.replace(field, optional=not truth(self.project, node))
            elif keyword == "validators":
                field = msgspec.structs.replace(field, shape=narrowed(self.project, field.shape, [node]))
            elif keyword == "choices":
                field = msgspec.structs.replace(field, shape=with_choices(self.project, field.shape, node))
            elif keyword in known and isinstance(node.const, (int, float, str)):
                field = msgspec.structs.replace(field, shape=field.shape.with_limits({known[keyword]: node.const}))
        return field


def _declaring(project: Project, row: ClassView, name: str) -> Node | None:
    """The call that declares a column of a model's class."""
    for owner in project.lineage(row.name):
        view = project.class_named(owner)
        if view is not None and name in view.fields:
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
    fields = project.models.schemas[library].fields
    nested = next((cls for cls in project.denoted_classes(func) if schema_of(project, cls) is not None), None)
    if nested is not None:
        one = Shape(kind="object", schema=nested.name)
        many = truth(project, made.arg(None, "many"))
        return (Shape(kind="array", items=one) if many else one), frozenset()
    names = [owner for name in project.names(func) for owner in project.lineage(name)]
    last = next((part for name in names if (part := name.rpartition(".")[2]) in fields), None)
    if last is None:
        return None
    shape, words = parsed(fields[last])
    shape = _with_inner(project, library, made, last, shape)
    validators = _validators_of(made)
    markers = [made, *([validators] if validators is not None and made.arg(None, "validators") is None else [])]
    shape = narrowed(project, shape, markers)
    if truth(project, made.arg(None, "allow_null")) or truth(project, made.arg(None, "allow_none")):
        shape = msgspec.structs.replace(shape, nullable=True)
    return shape, words


def _validators_of(made: Node) -> Node | None:
    """``validators=[...]``, or the second argument of a field of a form: ``StringField("Name", [Length(max=9)])``."""
    given = made.arg(None, "validators")
    second = made.arg(1)
    return given or (second if second is not None and items(second) else None)


def _with_inner(project: Project, library: str, made: Node, last: str, shape: Shape) -> Shape:
    """What lists and nested fields hold, choices given first, patterns, enumerations."""
    first = made.arg(0, "child") or made.arg(None, "cls_or_instance") or made.arg(None, "nested")
    if last in ("ChoiceField", "MultipleChoiceField", "SelectField", "RadioField") and library == "rest_framework":
        return with_choices(project, shape, first) if first is not None else shape
    if last == "RegexField":
        found = project.constant(first) if first is not None else None
        return shape.with_limits({"pattern": found.text}) if found is not None and found.text else shape
    if last in ("Enum", "EnumField") and first is not None:
        return with_choices(project, shape, first)
    if first is not None and shape.kind in ("array", "object"):
        inner = _held(project, library, first)
        if inner is not None and shape.kind == "array":
            return msgspec.structs.replace(shape, items=inner)
        if inner is not None and last in ("Nested", "FormField"):
            many = truth(project, made.arg(None, "many"))
            return Shape(kind="array", items=inner) if many else inner
    if last.endswith("Multiple") or last in ("ModelMultipleChoiceField", "SelectMultipleField", "MultipleFileField"):
        return msgspec.structs.replace(shape, items=Shape(kind="file" if "File" in last else "string"))
    return shape


def _held(project: Project, library: str, node: Node) -> Shape | None:
    """The shape behind what a list or nested field is given: a schema, its name, another field."""
    here = node.origin
    found = called_shape(project, library, here)
    if found is not None:
        return found[0]
    named = here.text
    classes = list(project.denoted_classes(here)) or list(project.instances(here))
    if named:
        classes = [c for c in project.classes() if c.cls.name == named.rpartition(".")[2] and named != "self"]
        classes += [here.code.cls] if named == "self" and here.code.cls is not None else []
    for cls in classes:
        if library_of(project, cls) is not None:
            return Shape(kind="object", schema=cls.name)
    bare = [owner for name in project.names(here) for owner in project.lineage(name)]
    fields = project.models.schemas[library].fields
    last = next((part for name in bare if (part := name.rpartition(".")[2]) in fields), None)
    return parsed(fields[last])[0] if last is not None else None


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


def _is_class_variable(project: Project, annotation: Node) -> bool:
    op = annotation.origin.op
    base = annotation.origin.to(op.base) if isinstance(op, ops.Item) else annotation
    return base.spelled.rpartition(".")[2] in ("ClassVar", "InitVar")


def _is_ellipsis(node: Node) -> bool:
    return isinstance(node.origin.op, ops.Opaque)


__all__ = ["called_shape", "column_shape", "is_secret", "library_of", "schema_of", "view_form"]
