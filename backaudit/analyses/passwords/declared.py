"""Passwords in what is declared to leave: response models, serializers, the columns of an admin's pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from backaudit.analyses.passwords.answered import Exposure
from backaudit.analyses.passwords.mends import not_sent
from backaudit.analyses.passwords.shown import is_hidden, password_fields, shown_in_text
from backaudit.backend.web.callbacks import acts
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import entries, routes
from backaudit.distinct import distinct
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.flow.rows import is_model, models
from backaudit.project import ClassView, Node, Project
from backaudit.project.code import SERVING
from backaudit.project.declarations import entries as pairs
from backaudit.project.declarations import items, texts
from backaudit.project.locate import class_field
from backaudit.project.types import split
from backaudit.rule import Step
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import is_password_column

# -- response models ------------------------------------------------------------------------------------------------


def response_fields(project: Project) -> Iterator[Exposure]:
    """Fields of response models that hold a password, each once."""
    return distinct(_response_fields(project), lambda exposure: exposure.place)


def _response_fields(project: Project) -> Iterator[Exposure]:
    inputs = {split(name)[0] for params in project.once(entries).values() for param in params for name in param.types}
    for route in (*routes(project), *project.once(acts)):
        if route.response is None or project.role(route.handler.path) not in SERVING or _only_refuses(route):
            continue
        left_out = _left_out(project, route)
        for cls, name, bind in _fields_of(project, route.response):
            own = cls.name not in inputs and not is_model(project, cls.name)
            place = bind.place if own else _response_place(route, route.response)
            if name not in left_out:
                found = _of_response(route, place, cls, name, bind)
                yield replace(found, fixes=tuple(not_sent(bind))) if own else found


def _of_response(route: Route, place: Place, cls: ClassView, name: str, bind: Node) -> Exposure:
    endpoint = " ".join([*route.methods[:1], route.path])
    what = f"`{cls.cls.name}.{name}` is in the response model of `{endpoint}`"
    steps = (Step(bind.place, "is a field of the response model"), Step(route.place, "answers with it"))
    return Exposure(place, what, steps)


def _only_refuses(route: Route) -> bool:
    """Whether a handler answers nothing, but raises whatever it is asked."""
    code = route.handler
    return any(True for _ in code.nodes(ops.Raise)) and not any(True for _ in code.nodes(ops.Return))


def _response_place(route: Route, response: Node) -> Place:
    """Where the route names its response model; of a class that is imported, not the import."""
    if not isinstance(response.origin.op, ops.Import):
        return _one_line(response)
    declared = route.declared
    named = declared is not None and declared.arg(None, "response_model") is not None
    return declared.place.first_line() if declared is not None and named else route.handler.place.first_line()


def _one_line(node: Node) -> Place:
    return node.place.first_line()


def _left_out(project: Project, route: Route) -> frozenset[str]:
    """What the route excludes from its response model; everything, where it includes some fields."""
    declared = route.declared
    if declared is None:
        return frozenset()
    excluded = declared.arg(None, "response_model_exclude")
    included = declared.arg(None, "response_model_include")
    if included is not None:
        return frozenset(name for name in _PASSWORD_NAMES.names if name not in texts(project, included))
    return frozenset(texts(project, excluded)) if excluded is not None else frozenset()


_PASSWORD_NAMES = meaning("passwords", "stored-field")


def _fields_of(project: Project, response: Node) -> Iterator[tuple[ClassView, str, Node]]:
    for name in project.annotated(response):
        head, over = split(name)
        cls = project.class_named(over) or project.class_named(head)
        if cls is not None:
            yield from _nested(project, cls, set())


def _nested(project: Project, cls: ClassView, seen: set[str]) -> Iterator[tuple[ClassView, str, Node]]:
    if cls.name in seen:
        return
    seen.add(cls.name)
    if _represents_itself(project, cls, ("serialize_model", "model_serializer", "model_dump", "dict")):
        return
    views = project.lineage_views(cls.name)
    for name in password_fields(project, cls):
        declaring = next((view for view in views if name in view.fields), None)
        if declaring is not None:
            yield cls, name, declaring.fields[name]
    for inner in _inner_models(project, cls):
        yield from _nested(project, inner, seen)


def _inner_models(project: Project, cls: ClassView) -> Iterator[ClassView]:
    """The schemas of the fields that are shown."""
    for bind in cls.fields.values():
        op = bind.op
        shown = isinstance(op, ops.Bind) and op.annotation != NONE and not is_hidden(project, bind)
        for found in project.annotated(bind.to(op.annotation)) if shown and isinstance(op, ops.Bind) else ():
            inner = project.class_named(split(found)[1]) or project.class_named(split(found)[0])
            if inner is not None and inner is not cls and not is_model(project, inner.name):
                yield inner


def _represents_itself(project: Project, cls: ClassView, names: tuple[str, ...]) -> bool:
    return any(project.method(cls.name, name) is not None for name in names)


# -- serializers ----------------------------------------------------------------------------------------------------


def serializer_fields(project: Project) -> Iterator[Exposure]:
    """Serializers whose output has the user's password."""
    yield from _object_types(project)
    for cls in project.subclasses(*sorted(project.models.kinds.get("model-serializers", ()))):
        if project.role(cls.file.path) not in SERVING or not _is_output(project, cls):
            continue
        meta = cls.inner.get("Meta")
        if meta is None:
            yield from _written_out(project, cls)
            continue
        field = _serialized(project, cls, meta)
        place = meta.fields.get("fields") or meta.fields.get("exclude") or meta.fields.get("model")
        if field is not None and place is not None:
            what = f"`{cls.cls.name}` gives out the field `{field}` of `{_model_name(meta)}`"
            yield Exposure(_one_line(place), what)


def _object_types(project: Project) -> Iterator[Exposure]:
    """Types of a GraphQL schema that take their fields from a table: whoever may query asks for any of them."""
    for cls in project.subclasses(*sorted(project.models.kinds.get("object-types", ()))):
        meta = cls.inner.get("Meta")
        bind = meta.fields.get("model") if meta is not None else None
        if meta is None or bind is None or project.role(cls.file.path) not in SERVING:
            continue
        listed = _all_texts(project, meta, ("fields", "only_fields"))
        left = _all_texts(project, meta, ("exclude", "exclude_fields"))
        given = {"fields", "only_fields"} & meta.fields.keys()
        columns = [name for name in _model_passwords(project, meta) if name not in left]
        shown = [name for name in columns if not given or name in listed or "__all__" in listed]
        if shown:
            what = f"`{cls.cls.name}` gives out the field `{shown[0]}` of `{_model_name(meta)}`"
            yield Exposure(_one_line(bind), what)


def _all_texts(project: Project, meta: ClassView, names: tuple[str, ...]) -> set[str]:
    return {text for name in names for text in texts(project, meta.fields.get(name))}


def _written_out(project: Project, cls: ClassView) -> Iterator[Exposure]:
    """A schema that names its fields one by one."""
    for name in password_fields(project, cls):
        bind = cls.fields.get(name)
        if bind is not None and bind.origin.call is not None:
            yield Exposure(_one_line(bind), f"`{cls.cls.name}` gives out the field `{name}`")


def _serialized(project: Project, cls: ClassView, meta: ClassView) -> str | None:
    if _represents_itself(project, cls, ("to_representation", "_serialize")):
        return None
    hidden = _write_only(project, cls, meta)
    columns = _model_passwords(project, meta)
    names = _shown_names(project, cls, meta, columns)
    shown = [name for name in names if is_password_column(name) and name not in hidden]
    return next((name for name in shown if name in (columns or names)), None)


def _shown_names(project: Project, cls: ClassView, meta: ClassView, columns: Sequence[str]) -> Sequence[str]:
    """The fields that a serializer lists, or the columns where it takes all but some."""
    listed, excluded = meta.fields.get("fields"), meta.fields.get("exclude")
    names = texts(project, listed)
    if "__all__" in names or (listed is None and (excluded is not None or _is_auto(project, cls))):
        left = texts(project, excluded)
        return [column for column in columns if column not in left]
    return names


def _is_auto(project: Project, cls: ClassView) -> bool:
    return any("Auto" in owner for owner in project.lineage(cls.name))


def _write_only(project: Project, cls: ClassView, meta: ClassView) -> set[str]:
    """The fields that are read from the client only, or whose own class decides what is shown of them."""
    found = {name for key in ("write_only_fields", "load_only") for name in texts(project, meta.fields.get(key))}
    extra = pairs(meta.fields.get("extra_kwargs"))
    found |= {name for name, options in extra.items() if _is_for_input(pairs(options))}
    for view in project.lineage_views(cls.name):
        for name, bind in view.fields.items():
            fields = project.instances(bind.origin)
            itself = any(_represents_itself(project, field, ("to_representation",)) for field in fields)
            if itself or _is_for_input(bind.origin.keywords()):
                found.add(name)
    return found


def _is_for_input(options: Mapping[str, Node]) -> bool:
    return any(key in options and options[key].const is True for key in ("write_only", "load_only"))


def _model_passwords(project: Project, meta: ClassView) -> tuple[str, ...]:
    bind = meta.fields.get("model")
    if bind is None:
        return ()
    for cls in project.denoted_classes(bind.origin):
        return password_fields(project, cls)
    return (
        ("password",)
        if not project.models.kinds["row-classes"].isdisjoint(project.names(bind.origin)) or _is_user(bind)
        else ()
    )


def _is_user(bind: Node) -> bool:
    made = bind.origin
    return made.call is not None and made.method == "get_user_model"


def _model_name(meta: ClassView) -> str:
    bind = meta.fields.get("model")
    op = bind.origin.op if bind is not None else None
    return op.name if isinstance(op, (ops.Name, ops.Import, ops.Attr)) else "the user"


def _is_output(project: Project, cls: ClassView) -> bool:
    """Whether something of the project answers with what the serializer makes."""
    for code in dict.fromkeys([*project.mentioning("serializer_class"), *project.mentioning(cls.cls.name)]):
        field = code.cls.fields.get("serializer_class") if code.cls is not None else None
        if field is not None and cls in list(project.denoted_classes(field.origin)):
            return not _answers_itself(code.cls)
    made = [node.receiver for method in ("dump", "dumps", "jsonify") for node in project.calls_of(method)]
    made += [_base(node) for code in project.mentioning("data") for node in code.nodes(ops.Attr)]
    return any(cls in list(project.instances(node)) for node in made if node is not None)


def _base(node: Node) -> Node | None:
    """Of ``serializer.data``: the serializer."""
    op = node.op
    return node.to(op.base) if isinstance(op, ops.Attr) and op.name == "data" else None


def _answers_itself(view: ClassView | None) -> bool:
    """Whether a view's own methods decide what is answered."""
    return view is not None and bool({"post", "create", "get", "list", "retrieve"} & view.methods.keys())


# -- admin pages ----------------------------------------------------------------------------------------------------


def admin_columns(project: Project) -> Iterator[Exposure]:
    """Pages of Flask-Admin that show or export the column of the hash."""
    bases = sorted(project.models.kinds.get("admin-views", ()))
    for view in project.subclasses(*bases):
        shown = [model for call in project.calls_of(view.cls.name) for model in _administered(project, call)]
        model = next(iter(shown), None)
        column = next(iter(password_fields(project, model)), None) if model is not None else None
        if model is not None and column is not None and project.role(view.file.path) in SERVING:
            yield from _of_view(project, view, model, column)
    for call in project.calls(*bases):
        for model in _administered(project, call):
            for column in password_fields(project, model)[:1]:
                place = _one_line(call)
                yield Exposure(place, f"The admin's list of `{model.cls.name}` has the column `{column}`")


def _administered(project: Project, call: Node) -> Iterator[ClassView]:
    first = call.arg(0, "model")
    if first is not None:
        yield from (cls for cls in project.denoted_classes(first) if is_model(project, cls.name))


def _of_view(project: Project, view: ClassView, model: ClassView, column: str) -> Iterator[Exposure]:
    shown = (
        ("can_view_details", "details page", ("column_details_list",), "column_details_exclude_list"),
        ("can_export", "export", ("column_export_list", "column_list"), "column_export_exclude_list"),
    )
    for switch, page, lists, excluding in shown:
        bind = class_field(project, view, switch)
        if bind is not None and bind.const is True and not _limited(project, view, column, lists, excluding):
            yield Exposure(_one_line(bind), f"The admin's {page} of `{model.cls.name}` has the column `{column}`")
    if not _limited(project, view, column, ("column_list",), "column_exclude_list"):
        yield Exposure(view.place, f"The admin's list of `{model.cls.name}` has the column `{column}`")


def _limited(project: Project, view: ClassView, column: str, lists: tuple[str, ...], excluding: str) -> bool:
    for name in lists:
        listed = class_field(project, view, name)
        if listed is not None and listed.const is None and items(listed):
            return column not in texts(project, listed)
    excluded = class_field(project, view, excluding)
    return excluded is not None and column in texts(project, excluded)


# -- texts ----------------------------------------------------------------------------------------------------------


def texts_of_rows(project: Project) -> Iterator[Exposure]:
    """``__repr__`` and ``__str__`` of rows that have the password in them."""
    for cls in project.once(models):
        if project.role(cls.file.path) in SERVING:
            for node in shown_in_text(project, cls):
                what = f"The text of a `{cls.cls.name}` has `{node.spelled}` in it, and so has every log that shows one"
                yield Exposure(node.place, what)
                break
