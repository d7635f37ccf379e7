"""What is asked of a new password before it is taken: by the field that declares it, or by the code that gets it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.passwords.costs import number
from backaudit.analyses.passwords.taken import Taken, taken
from backaudit.backend.web.inputs.applied import applied_to
from backaudit.backend.web.records import Route
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import by_handler, client_input, routes
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import entries as pairs
from backaudit.project.declarations import texts
from backaudit.vocabulary.meaning import meaning, words
from backaudit.vocabulary.names import means_password

LEAST = 8
_DEPTH = 3
_SETS = meaning("passwords", "setting-route")
_CHANGES = meaning("passwords", "changing-route")
_WHOSE = meaning("passwords", "whose-route")
_ASKS = meaning("passwords", "asking-route")
_AGAIN = meaning("passwords", "repeated")
_JUDGING = meaning("passwords", "judging")
_BODIES = ("body", "form")
_VERIFIES = ("check_password", "verify_password")
_LENGTHS = meaning("passwords", "least-length")


class Unchecked(msgspec.Struct, frozen=True):
    """A password that is taken as it comes; ``least``: the length that is asked for, 0 if none is."""

    at: Node
    name: str
    where: str
    least: int


def unchecked(project: Project) -> Iterator[Unchecked]:
    """New passwords that nothing, or less than the least length, is asked of."""
    for route in routes(project):
        if _sets_password(route) and project.role(route.handler.path) == "production":
            yield from _read(project, route)
    for cls, asked in _bodies_of_routes(project):
        if asked < LEAST:
            yield from _declared(project, cls, asked)
    for cls in _forms(project):
        declared = list(_declared(project, cls))
        yield from declared
        if not declared:
            yield from _of_model(project, cls)
    for one in project.once(taken):
        yield from _of_taken(project, one)


def declared_passwords(project: Project) -> Iterator[tuple[ClassView, str, Node]]:
    """(schema or form, name, field) of every new password that is declared, whatever is asked of it."""
    for cls in dict.fromkeys([*(cls for cls, _ in _bodies_of_routes(project)), *_forms(project)]):
        for view in project.lineage_views(cls.name):
            for name, bind in view.fields.items():
                if _is_new(name):
                    yield cls, name, bind


def _bodies_of_routes(project: Project) -> Iterator[tuple[ClassView, int]]:
    """The schemas of endpoints that set a password, and the length that the endpoint itself asks for."""
    schemas: dict[str, Route] = {}
    for route in routes(project):
        if _sets_password(route) and project.role(route.handler.path) == "production":
            for param in route.params:
                schemas.update((name, route) for name in param.types if param.schema)
            schemas.update((one.schema.name, route) for one in applied_to(project, route) if one.where in _BODIES)
    for name, route in schemas.items():
        cls = project.class_named(name)
        if cls is not None:
            yield cls, judged(project, route.handler)


def _sets_password(route: Route) -> bool:
    if route.methods and not {"POST", "PUT", "PATCH"} & set(route.methods):
        return False
    users = route.path.rstrip("/").endswith(("users", "user"))
    return _about_setting(f"{route.path} {route.handler.function.name}", users)


def _about_setting(name: str, users: bool = False) -> bool:
    """Whether names tell of registration or of a new password, not of logging in."""
    parts = set(words(name.replace("sign_up", "signup").replace("sign-up", "signup").replace("SignUp", "signup")))
    return bool(parts & _SETS.words or (parts & _CHANGES.words and parts & _WHOSE.words)) or (
        users and not parts & _ASKS.words
    )


# -- by what is done with it -------------------------------------------------------------------------------------------


def _of_taken(project: Project, one: Taken) -> Iterator[Unchecked]:
    """A password that is hashed or kept, whatever its route is called; where one is asked for, it is not new."""
    if _AGAIN.holds(one.name) or any(_ASKS.holds(code.function.name) for code in one.bodies):
        return
    asked = max(judged(project, code) for code in one.bodies)
    if asked >= LEAST:
        return
    if one.cls is not None:
        judging = project.models.kinds.get("judging-forms", frozenset())
        if judging.isdisjoint(project.lineage(one.cls.name)):
            yield from _field(project, one.cls, one.name, asked)
        return
    least = max(asked, _parameter_least(project, one.at))
    if least < LEAST and not any(_loads(project, code) or _loaded_before(project, code) for code in one.bodies):
        yield Unchecked(one.at, one.name, f"`{one.at.code.function.name}()`", least)


def _parameter_least(project: Project, node: Node) -> int:
    """The length that a parameter's annotation or default asks for: ``Form(min_length=15)``."""
    if not isinstance(node.op, ops.Param):
        return 0
    param = node.code.function.params[node.op.index]
    declared = (node.code.outside(value) for value in (param.annotation, param.default))
    return max([0, *(_least_in(project, made.code, [made.value]) for made in declared if made is not None)])


# -- fields ----------------------------------------------------------------------------------------------------------


def _declared(project: Project, cls: ClassView, asked: int = 0) -> Iterator[Unchecked]:
    for view in project.lineage_views(cls.name):
        fields = view.fields
        newer = any("new" in words(name) and means_password(name) for name in fields)
        for name, bind in fields.items():
            if _is_new(name) and ("new" in words(name) or not newer) and not _validated(project, cls):
                least = max(_least(project, bind), asked)
                if least < LEAST:
                    yield Unchecked(bind, name, f"`{cls.cls.name}`", least)


def _field(project: Project, cls: ClassView, name: str, asked: int) -> Iterator[Unchecked]:
    """One field, which is known to take a password, whatever it is called (``password_hash`` that is hashed here)."""
    if means_password(name):
        yield from (found for found in _declared(project, cls, asked) if found.name == name)
        return
    bind = next((view.fields[name] for view in project.lineage_views(cls.name) if name in view.fields), None)
    if bind is not None and not _validated(project, cls):
        least = max(_least(project, bind), asked)
        if least < LEAST:
            yield Unchecked(bind, name, f"`{cls.cls.name}`", least)


def _is_new(name: str) -> bool:
    return means_password(name) and not _AGAIN.holds(name)


def _least(project: Project, bind: Node) -> int:
    """The length that a declaration asks for; enough where it gives patterns or validators of its own."""
    op = bind.op
    values = (op.annotation, op.value) if isinstance(op, ops.Bind) else ()
    return _least_in(project, bind.code, [value for value in values if value != NONE])


def _least_in(project: Project, code: Code, values: list[Value]) -> int:
    found = [0]
    for call in calls_in(project, code, values):
        keywords = call.keywords()
        found += [number(project, value) or 0 for name, value in keywords.items() if _LENGTHS.holds(name)]
        found += _marked_least(project, call)
        judging = call.method == "Regexp" or "Hash" in call.method or _JUDGING.holds(call.method)
        given = [keywords[name] for name in sorted(project.models.kinds["form-keywords"]) if name in keywords]
        if judging or any(_own_check(project, value) for value in given):
            found.append(LEAST)
    return max(found)


def _marked_least(project: Project, call: Node) -> Iterator[int]:
    """The least lengths that a validator or a marker beside the type is given: ``Length(15)``, ``MinLen(15)``."""
    for position, part in enumerate(project.models.limits["validators"].get(call.method, "").split()):
        name, _, limit = part.partition(":")
        if limit in ("minLength", "equalLength"):
            yield number(project, call.arg(position, name)) or 0


def _own_check(project: Project, value: Node) -> bool:
    """A pattern, or a list of validators with a function among them: classes are judged by their names."""
    made = value.origin
    if made.call is not None and made.method in project.models.limits["validators"]:
        return False
    if not isinstance(made.op, ops.Build):
        return True
    return any(isinstance(made.to(item).origin.op, (ops.Name, ops.Import, ops.Attr, ops.Def)) for item in made.op.items)


def calls_in(project: Project, code: Code, values: list[Value], depth: int = 0) -> Iterator[Node]:
    """The calls of a declaration, those inside annotations, displays and aliases included."""
    for value in values:
        node = code.node(value).origin
        op = node.op
        if isinstance(op, (ops.Name, ops.Import)) and not project.gives_up(depth, _DEPTH, node.place):
            alias = project.alias_of(node) or project.definition(node)
            if alias is not None and alias != node:
                yield from calls_in(project, alias.code, [alias.value], depth + 1)
        if isinstance(op, ops.Call):
            yield node
            yield from calls_in(project, code, [*op.args, *(v for _, v in op.keywords)], depth + 1)
        else:
            yield from calls_in(project, code, _parts(op), depth)


def _parts(op: ops.AnyOp) -> list[Value]:
    if isinstance(op, ops.Build):
        return list(op.items)
    if isinstance(op, ops.Item):
        return [op.base, op.key]
    return [op.left, op.right] if isinstance(op, ops.Bin) else []


def _validated(project: Project, cls: ClassView) -> bool:
    """Whether a method of the class judges the password."""
    for view in project.lineage_views(cls.name):
        for code in view.methods.values():
            named = _fields_of(project, code)
            own = any(means_password(name) for name in named)
            given = frozenset(param.name for param in code.function.params) if own else frozenset[str]()
            if (own or not named or "*" in named) and judged(project, code, handed=given) >= LEAST:
                return True
    return False


def _fields_of(project: Project, code: Code) -> list[str]:
    """The fields that a validator's decorator names: ``@validates("email")``."""
    calls = [decorator for decorator in code.decorators if decorator.call is not None]
    return [name for call in calls for argument in call.args() for name in texts(project, argument)]


def judged(project: Project, code: Code, depth: int = 0, handed: frozenset[str] = frozenset()) -> int:
    """The length that a body, or what it calls, asks of a password; enough where it judges its form.

    ``handed``: the parameters in which a caller hands the password over.
    """
    found = 0
    for call in code.nodes(ops.Call):
        given = [*call.args(), *([call.receiver] if call.receiver is not None else [])]
        named = any(_named(node, handed) for node in given)
        if (named and call.is_call_of("checks-a-text") and call.method != "len") or _judges_by_name(call):
            return LEAST
        if named and call.method == "len":
            found = max(found, _asked(project, call))
        if named and not project.gives_up(depth, _DEPTH, call.place):
            inside = ((callee, _handed(project, call, callee, handed)) for callee in project.callees(call))
            found = max([found, *(judged(project, callee, depth + 1, names) for callee, names in inside)])
    return found


def _handed(project: Project, call: Node, callee: Code, handed: frozenset[str]) -> frozenset[str]:
    """The parameters of a function that a call gives the password."""
    params = callee.function.params
    given = ((param.name, project.argument(call, callee, index)) for index, param in enumerate(params))
    return frozenset(name for name, value in given if value is not None and _named(value, handed))


def _judges_by_name(call: Node) -> bool:
    """``validate_password(…)``."""
    parts = set(words(call.method))
    return bool(parts & _JUDGING.words and parts & {"password", "pw"}) and call.method not in _VERIFIES


def _asked(project: Project, length: Node) -> int:
    """The number that a password's length is compared with; enough where it is none that we know."""
    for node in length.code.nodes(ops.Compare):
        op = node.op
        assert isinstance(op, ops.Compare)
        for mine, other, over in ((op.left, op.right, ("<=", ">")), (op.right, op.left, (">=", "<"))):
            if length.code.origin(mine) == length.value:
                known = number(project, node.to(other))
                # ``len(p) < 6`` asks for six characters, ``len(p) <= 6`` for seven.
                return LEAST if known is None else known + (op.operator in over)
    return LEAST


def _named(node: Node, handed: frozenset[str]) -> bool:
    made = node.origin
    spelled = [node.spelled, made.spelled]
    names = [part for text in spelled for part in text.replace("[", ".").replace("]", "").replace("'", "").split(".")]
    if isinstance(made.op, ops.Param) and (made.op.name in handed or made.op.name in ("v", "value")):
        return True  # ``v`` and ``value``: what validators call theirs
    return any(means_password(name) for name in names)


# -- forms and serializers -------------------------------------------------------------------------------------------


def _forms(project: Project) -> Iterator[ClassView]:
    """Forms and serializers that set a password and leave its judgement to others."""
    kinds = project.models.kinds
    for cls in project.subclasses(*sorted(kinds.get("forms", ())), *sorted(kinds.get("serializers", ()))):
        if project.role(cls.file.path) != "production" or not (_about_setting(cls.cls.name) or _creates(cls)):
            continue
        if kinds.get("judging-forms", frozenset()).isdisjoint(project.lineage(cls.name)):
            yield cls


def _creates(cls: ClassView) -> bool:
    return "create" in cls.methods


def _of_model(project: Project, cls: ClassView) -> Iterator[Unchecked]:
    """A serializer's password that comes from the model, whose column asks for nothing."""
    meta = cls.inner.get("Meta")
    listed = meta.fields.get("fields") if meta is not None else None
    if meta is None or listed is None:
        return
    for name in texts(project, listed):
        if _is_new(name) and name not in cls.fields:
            options = pairs(pairs(meta.fields.get("extra_kwargs")).get(name))
            least = number(project, options.get("min_length")) or 0
            if least < LEAST and "validators" not in options and not _validated(project, cls):
                yield Unchecked(listed, name, f"`{cls.cls.name}`", least)


# -- reads -----------------------------------------------------------------------------------------------------------


def _read(project: Project, route: Route) -> Iterator[Unchecked]:
    """A password that a handler, or what it calls, takes out of the form or body itself."""
    for code in _bodies(project, route.handler):
        asked = judged(project, code)
        if asked >= LEAST or _loads(project, code) or _has_schema(project, route):
            return
        for node, key, base in _reads_by_key(code):
            if key and base is not None and _is_new(key) and _from_client(project, base):
                yield Unchecked(node, key, f"`{code.function.name}()`", asked)
                return


def _reads_by_key(code: Code) -> Iterator[tuple[Node, str | None, Node | None]]:
    """``data["key"]`` and ``data.get("key")``, in order, each with its key and what it is read from."""
    for node in map(code.node, range(len(code.ops))):
        op = node.op
        if isinstance(op, ops.Item):
            yield node, node.to(op.key).text, node.to(op.base)
        elif isinstance(op, ops.Call) and op.args and node.method == "get":
            yield node, node.to(op.args[0]).text, node.receiver


def _bodies(project: Project, handler: Code) -> Iterator[Code]:
    """A handler, and the functions that it calls to do its work."""
    yield handler
    called = dict.fromkeys(code for call in handler.nodes(ops.Call) for code in project.callees(call))
    yield from (code for code in called if not _ASKS.holds(code.function.name))


def _loads(project: Project, code: Code) -> bool:
    """Whether a schema of the project reads the body: its fields are where to ask for a length."""
    if any(_puts_a_schema(project, decorator) for decorator in code.decorators):
        return True
    reads = ("load", "validate", "is_valid", "validate_on_submit")
    receivers = [call.receiver for call in code.nodes(ops.Call) if call.method in reads]
    return any(list(project.instances(node)) for node in receivers if node is not None)


def _puts_a_schema(project: Project, decorator: Node) -> bool:
    """Whether a decorator reads the body by a schema; one that may only document is asked which it does."""
    known, names = project.models.applies_around, project.names(decorator.func or decorator)
    if any(known[name].switch for name in names if name in known):
        return False
    reading = {name.rpartition(".")[2] for name in known}
    return any(name.rpartition(".")[2] in reading for name in names)


def _loaded_before(project: Project, code: Code) -> bool:
    """Whether a decorator of a handler puts a schema with the password to the body."""
    return any(_has_schema(project, route) for route in project.once(by_handler).get(code, ()))


def _has_schema(project: Project, route: Route) -> bool:
    """Whether a schema that is put to the body declares the password: then its field is where to ask for a length."""
    bodies = (one.schema for one in applied_to(project, route) if one.where in _BODIES)
    return any(_is_new(field.attribute) for made in bodies for field in made.fields)


def _from_client(project: Project, base: Node) -> bool:
    made = base.origin
    op = made.op
    if isinstance(op, ops.Param):
        return client_input(project, made.code, op.index) is not None
    sources = project.models.sources
    return isinstance(op, (ops.Attr, ops.Call)) and any(name in sources for name in request_names(project, made))
