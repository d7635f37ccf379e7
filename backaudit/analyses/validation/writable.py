"""Fields of forms, serializers and schemas that let a client set what only the server should."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.assignment import spreads, taken_over
from backaudit.analyses.validation.made_forms import taken_away
from backaudit.analyses.validation.privileged import OWNER, gives_power, is_owner, is_power, only_privileged
from backaudit.backend.access.events import events_in_part
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.web.chosen import chosen
from backaudit.backend.web.inputs.made import made_fields
from backaudit.backend.web.inputs.reads import enclosed
from backaudit.backend.web.routes import by_handler, client_input, routes
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.flow.approvals import guarded
from backaudit.flow.search import Search
from backaudit.flow.trace import KEY, Access, Goal, Origin, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.nodes import operands
from backaudit.project.operands import made_of
from backaudit.rule import KNOWN, Assumed, Finding, Step, assume
from backaudit.vocabulary.meaning import meaning

_ALL = "__all__"
_FOR_SOME = assume("guard", "the form keeps the field for whoever may not choose it, too")
# The class or function itself, not the folder that it stands in.
_OF_ADMINS = meaning("access", "of-administrators")


def exposed_fields(project: Project) -> tuple[Finding, ...]:
    """What lets clients write owners, roles and the like. Ask with ``project.once``."""
    return (*_forms(project), *_views(project), *_schemas(project))


# -- Django: forms, serializers, generic views -------------------------------------------------------------------------


def _forms(project: Project) -> Iterator[Finding]:
    kinds = project.models.kinds
    bases = sorted(kinds.get("schemas", frozenset()) | kinds.get("forms", frozenset()))
    for cls in project.subclasses(*bases):
        meta = cls.inner.get("Meta")
        if meta is None or "model" not in meta.fields:
            continue
        if cls.file.role != "production" or _OF_ADMINS.holds(cls.cls.name.lower()):
            continue
        serializer = not project.inherits(cls.name, *sorted(kinds.get("forms", frozenset())))
        users = list(_users(project, cls, serializer))
        table = _table(project, meta.fields["model"])
        left = _exposed(project, cls, meta, table)
        away = taken_away(project, cls)
        left = [name for name in left if away.get(name) != "always"]
        exposed = [name for name in left if not (_refuses(project, cls, name) or _fills(project, cls, name))]
        shown = [name for name in exposed if any(_writes(project, user, name) for user in users)]
        if shown:
            yield _finding(meta, cls, shown, _FOR_SOME if any(name in away for name in shown) else KNOWN)
        elif _is_all(meta) and users and serializer:
            yield _everything(meta, cls)


def _table(project: Project, model: Node) -> Table | None:
    return next(
        (t for cls in project.denoted_classes(model.origin) if (t := project.once(schema).of_model(cls.name))), None
    )


def _is_all(meta: ClassView) -> bool:
    field = meta.fields.get("fields")
    return field is not None and field.const == _ALL


def _exposed(project: Project, cls: ClassView, meta: ClassView, table: Table | None) -> list[str]:
    """The listed fields that the server should set, as far as the class itself does not make them read-only."""
    names = _names(meta.fields.get("fields"))
    if _is_all(meta) or (names is None and "exclude" in meta.fields):
        names = _all_but_excluded(project, meta, table)
    fixed = set(_names(meta.fields.get("read_only_fields")) or ()) | set(_read_only(project, cls, meta))
    ranked = [name for name in names or () if gives_power(table, name) or is_owner(table, name)]
    return [name for name in ranked if fixed.isdisjoint((name, name.removesuffix("_id")))]


def _all_but_excluded(project: Project, meta: ClassView, table: Table | None) -> list[str]:
    excluded = set(_names(meta.fields.get("exclude")) or ())
    names = [column.attribute or column.name for column in table.columns] if table is not None else []
    names += _of_library(project, meta)
    return [name for name in names if excluded.isdisjoint((name, name.removesuffix("_id")))]


def _refuses(project: Project, cls: ClassView, name: str) -> bool:
    """Whether the form or serializer itself looks at who the field names, and raises."""
    hooks = (f"clean_{name}", f"validate_{name}", "save", "clean", "validate", "is_valid")
    found = [(hook, method) for hook in hooks if (method := project.method(cls.name, hook)) is not None]
    if any(hook.endswith(name) and _raises(method) for hook, method in found):
        return True
    return any(project.solved(_raises_for, method, name) or _asks_who(project, method) for _, method in found)


def _asks_who(project: Project, hook: Code) -> bool:
    """Whether a form's method holds its row against who calls: ``self.instance.check_editable(request.user)``."""
    return any(event.tie for event in events_in_part(project, hook))


def _fills(project: Project, cls: ClassView, name: str) -> bool:
    """Whether the form or serializer itself puts something else under the name than what was sent."""
    put = (node for body in _methods(project, cls) for node in body.nodes(ops.SetItem))
    for node in put:
        op = node.op
        if isinstance(op, ops.SetItem) and node.to(op.key).const in (name, name.removesuffix("_id")):
            value = node.to(op.value)
            if value.const is None and not any(part.const == name for part in made_of(value)):
                return True
    return False


def _raises(code: Code) -> bool:
    return any(isinstance(op, ops.Raise) for op in code.ops)


def _raises_for(project: Project, code: Code, name: str) -> Iterator[bool]:
    """True if a branch that leaves the body by an exception asks for the attribute or key of that name."""
    refusing = (r for r in code.body.regions if r.kind in ("then", "else") and r.exits == "raise" and r.test != NONE)
    called = (callee for call in code.nodes(ops.Call) for callee in project.callees(call))
    if any(_mentions(code.node(region.test), name) for region in refusing) or any(
        project.solved(_raises_for, callee, name) for callee in called
    ):
        yield True


def _mentions(test: Node, name: str) -> bool:
    return any(_is_named(part.op, name) for part in made_of(test))


def _is_named(op: ops.AnyOp, name: str) -> bool:
    if isinstance(op, ops.Attr):
        return op.name.removesuffix("_id") == name.removesuffix("_id")
    return isinstance(op, ops.Const) and op.value == name


def _of_library(project: Project, meta: ClassView) -> list[str]:
    """The rights that a model inherits from Django's user."""
    model = meta.fields["model"].origin
    holders = project.models.kinds["permission-holders"]
    lineage = {name for cls in project.denoted_classes(model) for name in project.lineage(cls.name)}
    known = model.method == "get_user_model" or not holders.isdisjoint(lineage | set(project.names(model)))
    return ["is_superuser", "is_staff", "user_permissions"] if known else []


def _names(field: Node | None) -> list[str] | None:
    display = field.origin if field is not None else None
    if display is None or not isinstance(display.op, ops.Build):
        return None
    return [text for item in display.op.items if (text := display.to(item).text) is not None]


def _read_only(project: Project, cls: ClassView, meta: ClassView) -> Iterator[str]:
    for view in project.lineage_views(cls.name):
        for name, field in view.fields.items():
            if _is_only_read(project, field.origin):
                yield name
            if name == "read_only_fields":
                yield from _names(field) or ()
    yield from _read_only_by_options(meta)


def _read_only_by_options(meta: ClassView) -> Iterator[str]:
    extra = meta.fields.get("extra_kwargs")
    for key, options in extra.entries() if extra is not None else ():
        if any(name.const == "read_only" and value.const is True for name, value in options.entries()):
            yield key.text or ""


def _is_only_read(project: Project, made: Node) -> bool:
    """Whether a field is declared as one that is not written: by its kind, a switch, or as a schema in it."""
    flag = made.arg(None, "read_only")
    if made.is_call_of("unwritten-fields") or (flag is not None and flag.const is True):
        return True
    kinds = project.denoted_classes(made.func) if made.func is not None else ()
    return any(project.inherits(kind.name, *sorted(project.models.kinds["schemas"])) for kind in kinds)


def _users(project: Project, cls: ClassView, serializer: bool) -> Iterator[ClassView | Code]:
    """The views and functions that write through a form or serializer."""
    for route in routes(project):
        view = route.view
        if view is None or only_privileged(project, route) or not _may_write(route.methods):
            continue
        if _is_used_by(project, view, cls, serializer):
            yield view
    for call in project.calls_of(cls.cls.name):
        data = call.arg(None if serializer else 0, "data")
        made = call.func is not None and f"type[{cls.name}]" in project.types(call.func)
        serves = call.code.file.role == "production" and _may_save(call)
        if data is not None and made and serves:
            route_ = next(iter(project.once(by_handler).get(call.code, ())), None)
            if route_ is None or not only_privileged(project, route_):
                yield call.code


def _may_save(made: Node) -> bool:
    """Whether a body saves the form or serializer that it makes, or lets somebody else have it."""
    code = made.code
    held = {value for value in range(len(code.ops)) if code.origin(value) == made.value}
    for value, op in enumerate(code.ops):
        if value in held or held.isdisjoint(operands(op)):
            continue
        if not isinstance(op, ops.Attr) or op.name in ("save", "create", "update"):
            return True
    return False


def _is_used_by(project: Project, view: ClassView, cls: ClassView, serializer: bool) -> bool:
    """Whether a view writes through a form or serializer: by its field, or by what its method chooses for writing."""
    field = "serializer_class" if serializer else "form_class"
    return any(one.cls == cls and not one.reads(project) for one in chosen(project, view, field))


def _may_write(methods: tuple[str, ...]) -> bool:
    return not methods or bool({"POST", "PUT", "PATCH"} & set(methods))


def _writes(project: Project, user: ClassView | Code, name: str) -> bool:
    """Whether a view or function leaves it to the client what is written to a field."""
    bodies = [user] if isinstance(user, Code) else list(_methods(project, user))
    return not any(_sets(body, name) for body in bodies)


def _methods(project: Project, view: ClassView) -> Iterator[Code]:
    for cls in project.lineage_views(view.name):
        yield from cls.methods.values()


def _sets(code: Code, name: str) -> bool:
    """Whether a body sets the attribute, or saves with a keyword of that name."""
    names = {name, f"{name}_id", name.removesuffix("_id")}
    for value, op in enumerate(code.ops):
        if isinstance(op, ops.SetAttr) and op.name in names:
            return True
        if isinstance(op, ops.SetItem) and code.node(op.key).const in names:
            return True
        given = {keyword for keyword, _ in op.keywords} if isinstance(op, ops.Call) else set()
        if names & given and code.node(value).method in ("save", "update", "copy", "create", "dict"):
            return True
    return False


def _views(project: Project) -> Iterator[Finding]:
    """Generic views that make their form from a list of fields."""
    seen: set[str] = set()
    for route in routes(project):
        view = route.view
        if view is None or view.name in seen or not {"model", "fields"} <= set(view.fields):
            continue
        if not _may_write(route.methods) or only_privileged(project, route):
            continue
        seen.add(view.name)
        table = _table(project, view.fields["model"])
        exposed = [name for name in _exposed(project, view, view, table) if _writes(project, view, name)]
        if exposed and view.file.role == "production":
            yield _finding(view, view, exposed)


def _finding(holder: ClassView, cls: ClassView, names: list[str], assumed: Assumed = KNOWN) -> Finding:
    field = holder.fields.get("fields") or holder.fields.get("exclude") or next(iter(holder.fields.values()))
    said = ", ".join(f"`{name}`" for name in names)
    many = "are fields" if len(names) > 1 else "is a field"
    power = any(is_power(name) for name in names)
    why = "what its user may do" if power else "whose the object is"
    decide = "they decide" if len(names) > 1 else "it decides"
    return Finding(
        place=field.place.first_line(),
        message=f"{said} {many} of `{cls.cls.name}` that a client may write: {decide} {why}.",
        remedy="Take it out of `fields` or list it in `read_only_fields`; set it on the server from `request.user`.",
        assumed=(*assumed, *(KNOWN if power else OWNER)),
    )


def _everything(meta: ClassView, cls: ClassView) -> Finding:
    return Finding(
        place=meta.fields["fields"].place.first_line(),
        message=f"`{cls.cls.name}` lets a client write every field that its model has, also those added later.",
        assumed=assume("purpose", "the model has, or will have, fields that are not the client's"),
        shown="strict",
    )


# -- schemas whose fields become a row's -------------------------------------------------------------------------------


class _SchemaValues(Goal):
    """The values of an input schema as a whole."""

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        if not isinstance(op, ops.Param) or access not in ((), (KEY,)):
            return None
        param = client_input(search.project, node.code, op.index)
        if param is None or not param.schema:
            return None
        return f"`{param.name}` comes from the client ({param.where})"

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        return isinstance(node.op, ops.Const) or guarded(node, use, frozenset())


def _schemas(project: Project) -> Iterator[Finding]:
    told: set[Node] = set()
    for at, value, access, target, row in (*spreads(project), *taken_over(project)):
        if at in told or project.role(at.code.path) != "production":
            continue
        found = _whole_schema(project, at, value, access, row)
        if found is not None:
            names, origin = found
            told.add(at)
            yield _of_schema(names, origin, at, target)


def _whole_schema(project: Project, at: Node, value: Node, access: Access, row: str) -> tuple[list[str], Origin] | None:
    """The columns of rank that a whole schema sets, and where it comes from."""
    table = project.once(schema).of_model(row) if row else None
    given = set(at.keywords()) | _excluded(value)
    for origin in Trace(project, _SchemaValues()).origins(value, access, at.value):
        routes_ = project.once(by_handler).get(origin.node.code, ())
        if any(only_privileged(project, route) for route in routes_):
            continue
        names = [
            name
            for name in _schema_fields(project, origin.node)
            if (table.column(name) is not None if table is not None else not row)
            if gives_power(table, name) or (table is not None and is_owner(table, name))
            if name not in given and not _sets(at.code, name) and not _sets(origin.node.code, name)
        ]
        if names:
            return names, origin
    return None


def _of_schema(names: list[str], origin: Origin, at: Node, target: str) -> Finding:
    said = ", ".join(f"`{name}`" for name in names)
    return Finding(
        place=at.place.first_line(),
        message=f"The client chooses {said} of {target}: the schema has it as a field.",
        remedy="Take it out of the input schema and set it from the authenticated user.",
        assumed=KNOWN if any(map(is_power, names)) else OWNER,
        trace=(*origin.steps, Step(at.place, "every field of it is set")),
    )


def _schema_fields(project: Project, node: Node) -> list[str]:
    found: dict[str, None] = dict.fromkeys(_made_fields(project, node))
    for name in project.types(node):
        cls = enclosed(project, name)
        for view in project.lineage_views(cls.name) if cls is not None else ():
            found |= dict.fromkeys(view.fields)
    return list(found)


def _made_fields(project: Project, node: Node) -> list[str]:
    """The fields of a schema that a call made, of a parameter's annotation."""
    op = node.op
    declared = node.code.function.params[op.index].annotation if isinstance(op, ops.Param) else NONE
    annotation = node.code.outside(declared)
    return made_fields(project, annotation) if annotation is not None else []


def _excluded(spread: Node) -> set[str]:
    given = spread.arg(None, "exclude")
    display = given.origin if given is not None else None
    if display is None or not isinstance(display.op, ops.Build):
        return set()
    return {text for item in display.op.items if (text := display.to(item).text) is not None}
