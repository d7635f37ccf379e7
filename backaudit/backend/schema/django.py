"""Tables of Django's models, with the indexes that Django makes by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from backaudit.backend.schema.tables import Relation, Table, columns_index
from backaudit.backend.schema.values import entries, field_calls, items, number, text, texts, truth
from backaudit.facts import ops
from backaudit.project import ClassView, Node, Project
from backaudit.sql import Column, Index, Key, normal

_KEYS = frozenset({"ForeignKey", "OneToOneField", "ParentalKey", "TreeForeignKey", "TreeOneToOneField"})
_MANY = frozenset({"ManyToManyField", "ParentalManyToManyField", "TreeManyToManyField", "SortedManyToManyField"})
_ONE = frozenset({"OneToOneField", "TreeOneToOneField"})
_PLAIN_METHODS = {
    "GinIndex": "gin",
    "GistIndex": "gist",
    "BrinIndex": "brin",
    "HashIndex": "hash",
    "SpGistIndex": "spgist",
}

# The library's own models that projects query or extend: field, type, extra keywords.
_USER = (
    Column(name="password", attribute="password", type="CharField", length=128),
    Column(name="last_login", attribute="last_login", type="DateTimeField"),
)
_NAMED_USER = (
    *_USER,
    Column(name="username", attribute="username", type="CharField", unique=True, length=150),
    Column(name="first_name", attribute="first_name", type="CharField", length=150),
    Column(name="last_name", attribute="last_name", type="CharField", length=150),
    Column(name="email", attribute="email", type="EmailField", length=254),
    Column(name="is_staff", attribute="is_staff", type="BooleanField", few=True),
    Column(name="is_active", attribute="is_active", type="BooleanField", few=True),
    Column(name="is_superuser", attribute="is_superuser", type="BooleanField", few=True),
    Column(name="date_joined", attribute="date_joined", type="DateTimeField"),
)
USER = "django.contrib.auth.models.User"
_LIBRARY_FIELDS = {
    "django.contrib.auth.models.AbstractUser": _NAMED_USER,
    "django.contrib.auth.models.AbstractBaseUser": _USER,
    "django.contrib.auth.base_user.AbstractBaseUser": _USER,
}


def tables(project: Project) -> Iterator[Table]:
    """The tables of all concrete models, their many-to-many tables, and the user table that comes with Django."""
    models = {cls.name: cls for cls in _models(project)}
    user = [name for name, cls in models.items() if _replaces_user(project, cls)]
    seeded = _seeded(project)
    for cls in models.values():
        yield from _tables(project, cls, seeded)
    if models and not user:
        yield _library_user()


def custom_user(project: Project) -> str:
    """The project's own user model, empty if it has none or several."""
    found = [cls.name for cls in _models(project) if _replaces_user(project, cls)]
    return found[0] if len(found) == 1 else ""


def _replaces_user(project: Project, cls: ClassView) -> bool:
    return project.inherits(cls.name, *_LIBRARY_FIELDS) and not _is_abstract(project, cls)


def _library_user() -> Table:
    columns = (Column(name="id", attribute="id", type="AutoField", nullable=False, primary_key=True), *_NAMED_USER)
    indexes = (columns_index("id", unique=True, primary=True), columns_index("username", unique=True))
    return Table(name="auth_user", orm="django", model=USER, columns=columns, indexes=indexes)


def _models(project: Project) -> list[ClassView]:
    found = {cls.name: cls for cls in project.subclasses(*project.models.kinds["django-model-base"])}
    for last in ("ForeignKey", "CharField", "DateTimeField"):
        for node in project.calls_of(last):
            cls = node.code.cls
            if (
                cls is not None
                and node.code.function.kind == "class"
                and cls.name not in found
                and _is_model_field(project, node)
            ):
                found[cls.name] = cls
    return [found[name] for name in sorted(found) if found[name].file.role != "migration"]


def _is_model_field(project: Project, node: Node) -> bool:
    func = node.func
    return func is not None and any(name.startswith("django.db.models.") for name in project.names(func))


def _is_abstract(project: Project, cls: ClassView) -> bool:
    meta = cls.inner.get("Meta")
    return meta is not None and truth(project, meta.fields.get("abstract"))


def _tables(project: Project, cls: ClassView, seeded: frozenset[str]) -> Iterator[Table]:
    options = _options(project, cls)
    if truth(project, options.get("proxy")) or _is_abstract(project, cls) or not _concrete(project, cls):
        return
    parents = _parents(project, cls)
    declared = list(_fields(project, cls, parents))
    name = text(project, options.get("db_table")) or f"{_label(project, cls, options)}_{cls.cls.name.lower()}"
    columns = [
        *_library_columns(project, cls),
        *(_column(project, n, call) for n, call in declared if call.method not in _MANY),
    ]
    if not any(column.primary_key for column in columns):
        implicit = "id" if not parents else parents[0].rpartition(".")[2].lower() + "_ptr_id"
        columns.insert(
            0, Column(name=implicit, attribute="id" if not parents else implicit, nullable=False, primary_key=True)
        )
    yield Table(
        name=name,
        orm="django",
        model=cls.name,
        columns=tuple(columns),
        indexes=(*_own_indexes(project, columns, declared), *_meta_indexes(project, options, columns)),
        relations=tuple(r for n, call in declared for r in _relations(project, cls, n, call)),
        ordering=tuple(_ordering(project, options, columns)),
        parents=tuple(parents),
        place=cls.place,
        seeded=cls.cls.name.lower() in seeded,
    )
    for field, call in declared:
        if call.method in _MANY and call.arg(None, "through") is None:
            yield _through(project, cls, name, field, call)


def _concrete(project: Project, cls: ClassView) -> bool:
    return project.inherits(cls.name, *project.models.kinds["django-model-base"]) or any(
        call.method in _KEYS or _is_model_field(project, call)
        for _, bind in cls.fields.items()
        if (call := bind.origin).call is not None
    )


def _options(project: Project, cls: ClassView) -> dict[str, Node]:
    """Meta's entries; an abstract base's Meta is inherited if the class has none, or names it as base."""
    for owner in project.lineage(cls.name):
        view = project.class_named(owner)
        meta = view.inner.get("Meta") if view is not None else None
        if meta is not None and view is not None:
            inherited = [base for base in meta.bases if isinstance(base.op, ops.Attr)]
            above = [found for base in inherited for found in project.denoted_classes(base)]
            extra = {name: node for base in above for name, node in base.fields.items() if name != "abstract"}
            return {**extra, **meta.fields}
    return {}


def _label(project: Project, cls: ClassView, options: dict[str, Node]) -> str:
    named = text(project, options.get("app_label"))
    parts = cls.file.path.split("/")[:-1]
    parts = parts[: parts.index("models")] if "models" in parts else parts
    return named or (parts[-1] if parts else "app")


def _parents(project: Project, cls: ClassView) -> list[str]:
    """Concrete models that the class extends: their columns are in their own tables."""
    found: list[str] = []
    for owner in project.lineage(cls.name)[1:]:
        view = project.class_named(owner)
        if view is not None and _concrete(project, view) and not _is_abstract(project, view) and view.fields:
            found.append(owner)
    return found[:1]


def _fields(project: Project, cls: ClassView, parents: list[str]) -> Iterator[tuple[str, Node]]:
    above = {name for parent in parents for name in project.lineage(parent)}
    for owner, name, bind in field_calls(project, cls):
        call = bind.origin
        if (
            owner.name not in above
            and call.call is not None
            and (call.method.endswith("Field") or call.method in _KEYS)
        ):
            yield name, call


def _library_columns(project: Project, cls: ClassView) -> Iterator[Column]:
    own = set(cls.fields)
    for owner in project.lineage(cls.name):
        for column in _LIBRARY_FIELDS.get(owner, ()):
            if column.attribute not in own:
                yield column


def _column(project: Project, name: str, call: Node) -> Column:
    key = call.method in _KEYS
    primary = truth(project, call.arg(None, "primary_key"))
    target = _target(project, call) if key else ""
    return Column(
        name=text(project, call.arg(None, "db_column")) or (f"{name}_id" if key else name),
        attribute=name,
        type=call.method,
        nullable=truth(project, call.arg(None, "null")),
        unique=primary or call.method in _ONE or truth(project, call.arg(None, "unique")),
        primary_key=primary,
        length=number(call.arg(None, "max_length")),
        default=call.arg(None, "default") is not None,
        references=target,
        few="Boolean" in call.method or call.arg(None, "choices") is not None or "Enum" in call.method,
    )


def _target(project: Project, call: Node) -> str:
    first = call.arg(0, "to")
    if first is None:
        return ""
    named = text(project, first)
    denoted = [cls.name for cls in project.denoted_classes(first)]
    return (
        denoted[0] if denoted else named or ("AUTH_USER_MODEL" if "AUTH_USER_MODEL" in first.spelled else first.spelled)
    )


def _own_indexes(project: Project, columns: Iterable[Column], declared: list[tuple[str, Node]]) -> Iterator[Index]:
    calls = dict(declared)
    for column in columns:
        call = calls.get(column.attribute)
        place = call.place if call is not None else None
        if _has_pattern_index(project, column, call):
            yield Index(keys=(Key(column.name, opclass="varchar_pattern_ops"),))
        if column.primary_key:
            yield columns_index(column.name, unique=True, primary=True, place=place)
        elif column.unique:
            yield columns_index(column.name, unique=True, place=place)
        elif call is not None and _indexed(project, call):
            yield columns_index(column.name, place=place)


def _has_pattern_index(project: Project, column: Column, call: Node | None) -> bool:
    """Whether Django adds a second index on PostgreSQL, for LIKE: it does for indexed columns of text."""
    text_field = column.type.endswith(("CharField", "TextField", "SlugField", "EmailField", "URLField"))
    return text_field and (column.unique or (call is not None and _indexed(project, call)))


def _indexed(project: Project, call: Node) -> bool:
    switch = call.arg(None, "db_index")
    if switch is not None:
        return truth(project, switch)
    return call.method in _KEYS or call.method.endswith("SlugField")


def _meta_indexes(project: Project, options: dict[str, Node], columns: list[Column]) -> Iterator[Index]:
    names = {column.attribute: column.name for column in columns}
    for option in ("unique_together", "index_together"):
        groups = items(options.get(option))
        flat = [group for group in groups if not items(group)]
        for group in [texts(project, g) for g in groups if items(g)] + (
            [texts(project, options.get(option))] if flat else []
        ):
            if group:
                yield columns_index(
                    *(names.get(n, n) for n in group), unique=option == "unique_together", place=options[option].place
                )
    for item in [*items(options.get("indexes")), *items(options.get("constraints"))]:
        index = index_call(project, item, names)
        if index is not None:
            yield index


def index_call(project: Project, item: Node, names: dict[str, str]) -> Index | None:
    """``models.Index(...)`` and ``UniqueConstraint(...)``; ``names``: field to column."""
    call = item.origin.call
    if call is None or not (item.method.endswith("Index") or item.method == "UniqueConstraint"):
        return None
    fields = texts(project, item.arg(None, "fields"))
    opclasses = texts(project, item.arg(None, "opclasses"))
    keys = [_field_key(name, names) for name in fields]
    keys = [
        msgspec.structs.replace(key, opclass=opclasses[i]) if i < len(opclasses) else key for i, key in enumerate(keys)
    ]
    keys += [_expression_key(project, item.origin.to(value), names) for value in call.args]
    condition = item.arg(None, "condition")
    if not keys:
        return None
    return Index(
        keys=tuple(keys),
        name=text(project, item.arg(None, "name")),
        unique=item.method == "UniqueConstraint",
        where=(condition_text(condition, names) or "?") if condition is not None else "",
        method=_PLAIN_METHODS.get(item.method, "btree"),
        place=item.place,
    )


def _field_key(name: str, names: dict[str, str]) -> Key:
    plain = name.lstrip("-")
    return Key(names.get(plain, plain), False, name.startswith("-"))


def _expression_key(project: Project, node: Node, names: dict[str, str]) -> Key:
    named = text(project, node)
    if named:
        return _field_key(named, names)
    node = node.origin
    receiver = node.receiver
    if node.method in ("desc", "asc") and receiver is not None:
        inner = _expression_key(project, receiver, names)
        return msgspec.structs.replace(inner, descending=node.method == "desc")
    first = node.arg(0)
    if node.method == "F" and first is not None:
        return _field_key(text(project, first), names)
    if node.method == "OpClass" and first is not None:
        return _expression_key(project, first, names)
    inside = _expression_key(project, first, names).text if first is not None else "?"
    return Key(normal(f"{node.method}({inside})"), True)


def condition_text(node: Node, names: dict[str, str]) -> str:
    """A ``Q(...)`` of one plain keyword as SQL in normal form, empty if it says more."""
    keywords = node.origin.keywords()
    if node.origin.method != "Q" or len(keywords) != 1:
        return ""
    (key, value), *_ = keywords.items()
    field, _, lookup = key.partition("__")
    column = names.get(field, field)
    if lookup == "isnull":
        return normal(f"{column} IS {'' if value.const is True else 'NOT '}NULL")
    constant = value.const
    if lookup or constant is None:
        return ""
    return normal(f"{column} = {str(constant).upper() if isinstance(constant, bool) else repr(constant)}")


def _ordering(project: Project, options: dict[str, Node], columns: list[Column]) -> Iterator[str]:
    names = {column.attribute: column.name for column in columns}
    for name in texts(project, options.get("ordering")):
        plain = name.lstrip("-")
        yield ("-" if name.startswith("-") else "") + names.get(plain, plain)


def _relations(project: Project, cls: ClassView, name: str, call: Node) -> Iterator[Relation]:
    if call.method not in _KEYS | _MANY:
        return
    target = _target(project, call)
    target = cls.name if target == "self" else target
    many = call.method in _MANY
    yield Relation(name=name, target=target, column="" if many else f"{name}_id", many=many, remote="*" if many else "")
    reverse = text(project, call.arg(None, "related_name"))
    single = call.method in _ONE
    default = cls.cls.name.lower() + ("" if single else "_set")
    named = reverse.replace("%(class)s", cls.cls.name.lower()) or default
    if not named.endswith("+"):
        query_name = "" if reverse else cls.cls.name.lower()
        for alias in dict.fromkeys((named, query_name)):
            if alias:
                yield Relation(name=f"<{alias}", target=target, many=not single, remote="*" if many else f"{name}_id")


def _through(project: Project, cls: ClassView, table: str, field: str, call: Node) -> Table:
    mine, theirs = f"{cls.cls.name.lower()}_id", _target(project, call).rpartition(".")[2].lower() + "_id"
    columns = (
        Column(name="id", primary_key=True, nullable=False),
        Column(name=mine, references=cls.name),
        Column(name=theirs, references=_target(project, call)),
    )
    indexes = (
        columns_index("id", unique=True, primary=True),
        columns_index(mine, theirs, unique=True),
        columns_index(mine),
        columns_index(theirs),
    )
    return Table(name=f"{table}_{field}", orm="django", columns=columns, indexes=indexes, place=call.place)


def _seeded(project: Project) -> frozenset[str]:
    """Models whose rows migrations load: lower-case class names of ``get_model("app", "Name")`` with created rows."""
    found: set[str] = set()
    for node in project.calls_of("get_model"):
        name = node.arg(1, "model_name")
        if project.role(node.code.path) == "migration" and name is not None and name.text and _creates(node):
            found.add(name.text.lower())
    return frozenset(found)


def _creates(node: Node) -> bool:
    bound = [
        n
        for n in node.code.nodes(ops.Call)
        if n.method in ("create", "bulk_create", "get_or_create", "update_or_create")
    ]
    return any(_rooted(call, node) for call in bound)


def _rooted(call: Node, model: Node) -> bool:
    here = call.receiver
    while here is not None and isinstance(here.origin.op, ops.Attr):
        here = here.origin.to(here.origin.op.base)
    return here is not None and here.origin == model.origin


def migrated(project: Project) -> Iterator[tuple[str, str, Index]]:
    """(app, model in lower case, index) that migrations add, less what is removed later."""
    removed = {
        text(project, n.arg(1, "name")) for last in ("RemoveIndex", "RemoveConstraint") for n in project.calls_of(last)
    }
    for last, keyword in (("AddIndex", "index"), ("AddIndexConcurrently", "index"), ("AddConstraint", "constraint")):
        for node in project.calls_of(last):
            model, made = text(project, node.arg(0, "model_name")), node.arg(1, keyword)
            index = index_call(project, made, {}) if made is not None else None
            if model and index is not None and index.name not in removed:
                yield node.code.path.split("/migrations/")[0].rpartition("/")[2], model.lower(), index


__all__ = ["USER", "condition_text", "custom_user", "entries", "migrated", "tables"]
