"""What code reads of a request: ``request.args.get("q")``, ``self.get_argument("q")``, parsers, schemas and forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from backaudit.backend.web.locations import located
from backaudit.backend.web.params import is_schema
from backaudit.backend.web.records import CLIENT, Input, Limits, Where
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.signature import Literals, limits_of, literal
from backaudit.facts import ops
from backaudit.models import ReadModel
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import items
from backaudit.project.locate import behind, text_of

# What the tables of sources call a thing, and where it stands in a request.
_WHERE: dict[str, Where] = {
    "the query string": "query", "the query string or form": "query", "the form": "form", "the JSON body": "body",
    "the body": "body", "an uploaded file": "file", "a cookie": "cookie", "a header": "header", "the path": "path",
    "a message": "body",
}  # fmt: skip
_DEPTH = 6


def inputs_read(project: Project, code: Code) -> tuple[Input, ...]:
    """What one body of code reads of the request, in order; what it only passes on as a whole comes without a name."""
    return project.all_of(_reads, code)


def key_read(project: Project, call: Node) -> str:
    """The name under which a call of the framework's reads one thing of the request; empty if it is no such call."""
    model = _model_of(project, call)
    return _named_by(project, call, model) if model is not None else ""


def _model_of(project: Project, node: Node) -> ReadModel | None:
    models: Mapping[str, ReadModel] = project.models.reads
    return next((models[name] for name in request_names(project, node) if name in models), None)


def _named_by(project: Project, node: Node, model: ReadModel) -> str:
    return model.key or text_of(project, node.argument(model.name)) or ""


def part_read(project: Project, node: Node) -> Where | None:
    """The part of the request that a mapping of names is (``request.form``); None where it is none."""
    return _Reads(project, node.code).where(node)


def part_handed_out(project: Project, call: Node) -> Where | None:
    """The part of the request that a function of the project gives its caller, whatever way it ends."""
    called = project.callees(call) if isinstance(call.op, ops.Call) else ()
    given = {where for code in called for where in project.solved(_handed_out, code)}
    return given.pop() if len(given) == 1 else None


def _handed_out(project: Project, code: Code) -> Iterator[Where]:
    returned = [node.to(node.op.value) for node in code.nodes(ops.Return) if isinstance(node.op, ops.Return)]
    wheres = [part_read(project, node) for node in returned]
    if wheres and wheres[0] is not None and len(set(wheres)) == 1:
        yield wheres[0]


def _handed_in(project: Project, param: Node) -> Where | None:
    """The part of the request that all callers of a function give it."""
    op = param.op
    given = project.solved(_given_part, param.code, op.index) if isinstance(op, ops.Param) else ()
    return next(iter(given), None)


def _given_part(project: Project, code: Code, index: int) -> Iterator[Where]:
    given = [project.argument(call, code, index) for call in project.callers(code)]
    wheres = [part_read(project, node) if node is not None else None for node in given]
    if wheres and wheres[0] is not None and len(set(wheres)) == 1:
        yield wheres[0]


def _reads(project: Project, code: Code) -> Iterator[Input]:
    return _Reads(project, code).all()


class _Reads:
    def __init__(self, project: Project, code: Code) -> None:
        self.project = project
        self.code = code
        self._seen: dict[Node, Where | None] = {}
        self._conversions = dict(self._converted())

    def _converted(self) -> Iterator[tuple[Node, str]]:
        """Values that the body hands to ``int(...)`` and its like."""
        known = self.project.models.words["converter-types"]
        for call in self.code.nodes(ops.Call):
            first = call.arg(0)
            if first is not None and call.method in known and call.receiver is None:
                yield first.origin, known[call.method]

    def all(self) -> Iterator[Input]:
        named: set[Where] = set()
        for found in self._single():
            named.add(found.where)
            yield found
        yield from self._wholes(named)

    def _single(self) -> Iterator[Input]:
        for node in map(self.code.node, range(len(self.code.ops))):
            op = node.op
            if isinstance(op, ops.Item):
                yield from self._item(node, op)
            elif isinstance(op, ops.Call):
                yield from self._call(node)
            elif isinstance(op, ops.Attr):
                yield from self._attribute(node, op)

    # -- where a value stands in the request --------------------------------------------------------------------------

    def where(self, node: Node, depth: int = 0) -> Where | None:
        """Where in the request a mapping of names stands, through copies and ``or {}``."""
        node = node.origin
        if node not in self._seen:
            self._seen[node] = None
            self._seen[node] = self._where(node, depth)
        return self._seen[node]

    def _where(self, node: Node, depth: int) -> Where | None:
        if isinstance(node.op, (ops.Attr, ops.Call)):
            for name in request_names(self.project, node):
                described = self.project.models.sources.get(name)
                if described is not None:
                    return _WHERE.get(described)
        inner = () if self.project.gives_up(depth, _DEPTH, node.place) else _same_part(node)
        found = (self.where(part, depth + 1) for part in inner)
        same = next((where for where in found if where is not None), None)
        return same or part_handed_out(self.project, node) or _handed_in(self.project, node)

    # -- one thing by its name ----------------------------------------------------------------------------------------

    def _item(self, node: Node, op: ops.Item) -> Iterator[Input]:
        where = self.where(node.to(op.base))
        key = self.project.constant(node.to(op.key)) if where is not None else None
        if where is not None and key is not None and key.text:
            yield from self._named(node, where, key.text, required=True)

    def _named(
        self, node: Node, where: Where, name: str, *, required: bool, types: tuple[str, ...] = (),
        default: Literals = None,
    ) -> Iterator[Input]:  # fmt: skip
        if where == "header":
            shown = _header(name)
            if not shown:
                return
            name = shown
        converted = self._conversions.get(node.origin)
        if converted is not None and not types:
            types = (converted,)
        if where == "file":
            types = types or ("builtins.bytes",)
        yield Input(name=name, where=where, place=node.place, types=types, required=required, default=default)

    def _call(self, node: Node) -> Iterator[Input]:
        model = self._model(node)
        if model is not None:
            yield from self._modelled(node, model)
            return
        receiver = node.receiver
        if receiver is not None and node.is_call_of("key-reads"):
            where = self.where(receiver)
            key = node.arg(0, "key") if where is not None else None
            name = text_of(self.project, key) if key is not None else None
            if where is not None and name:
                default, kind = node.arg(1, "default"), node.arg(None, "type")
                types = self._type(kind) if kind is not None else ()
                given = literal(self.project, default) if default is not None else None
                yield from self._named(node, where, name, required=False, types=types, default=given)
        elif node.method in ("parse_args", "parse"):
            yield from parser_inputs(self.project, node)

    def _model(self, node: Node) -> ReadModel | None:
        return _model_of(self.project, node)

    def _modelled(self, node: Node, model: ReadModel) -> Iterator[Input]:
        name = _named_by(self.project, node, model)
        default, kind = node.argument(model.default), node.argument(model.type)
        types = (model.converts,) if model.converts else self._type(kind) if kind is not None else ()
        given = literal(self.project, default) if default is not None else None
        asked = node.arg(None, "required")
        required = (model.required and default is None) or (asked is not None and asked.const is True)
        limits = limits_of(self.project, node.keywords(), ())
        if name:
            for found in self._named(
                node, cast(Where, model.where), name, required=required, types=types, default=given
            ):
                yield msgspec.structs.replace(found, limits=limits)

    def _type(self, kind: Node) -> tuple[str, ...]:
        return converted_type(self.project, kind)

    def _attribute(self, node: Node, op: ops.Attr) -> Iterator[Input]:
        model = self._model(node)
        if model is not None and model.key:
            yield from self._modelled(node, model)
            return
        base = node.to(op.base).origin
        kinds = self.project.models.kinds
        readable, methods = kinds["attribute-reads"], kinds["key-reads"] | kinds["client-copies"]
        if isinstance(base.op, ops.Attr) and not readable.isdisjoint(request_names(self.project, base)):
            where = self.where(base)
            if where is not None and op.name not in methods and not op.name.startswith("_"):
                yield from self._named(node, where, op.name, required=False)

    # -- whole parts --------------------------------------------------------------------------------------------------

    def _wholes(self, named: set[Where]) -> Iterator[Input]:
        """Schemas and forms that are given a whole part of the request, and parts that are read as a whole."""
        schemas = [found for call in self.code.nodes(ops.Call) for found in self._given_whole(call)]
        yield from schemas
        checked = {found.where for found in schemas}
        for value, op in enumerate(self.code.ops):
            if isinstance(op, (ops.Attr, ops.Call)):
                node = self.code.node(value)
                found = self.where(node)
                if found in ("body", "form", "file") and found not in named | checked:
                    checked.add(found)
                    yield Input(name="", where=found, place=node.place, required=True, whole=True)

    def _given_whole(self, call: Node) -> Iterator[Input]:
        """The schemas that a call is of, if it gets a whole part of the request, or takes it by itself."""
        for cls in _schemas(self.project, call):
            wheres = [found for arg in call.args() if (found := self.where(arg)) in CLIENT]
            implicit = not call.args() and _reads_itself(self.project, cls)
            if wheres or implicit:
                where = "body" if "body" in wheres else (wheres[0] if wheres else "form")
                yield Input(
                    name="", where=where, place=call.place, types=(cls.name,), required=not implicit,
                    schema=cls.name, whole=True,
                )  # fmt: skip


def _schemas(project: Project, call: Node) -> Iterator[ClassView]:
    """The schemas, serializers and forms that a call builds or loads."""
    func = call.func
    if func is None:
        return
    forms = project.models.kinds.get("forms", frozenset())
    target = call.receiver if call.is_call_of("loads-input") and call.receiver is not None else func
    for cls in (*project.denoted_classes(target), *(project.instances(target) if target is not func else ())):
        if is_schema(project, cls.name) or not forms.isdisjoint(project.lineage(cls.name)):
            yield cls


def _reads_itself(project: Project, cls: ClassView) -> bool:
    """A form that takes the request's fields without being given them."""
    return any(name.startswith("flask_wtf.") for name in project.lineage(cls.name))


def _header(name: str) -> str:
    """A header as it is sent; WSGI's ``HTTP_X_NAME`` is one, what the server adds is none."""
    if (name.isupper() and "_" in name) or name in ("HTTPS",):
        if not name.startswith("HTTP_") and name not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            return ""
        return "-".join(part.capitalize() for part in name.removeprefix("HTTP_").split("_"))
    return name


# -- declared parsers -----------------------------------------------------------------------------------------------


def converted_type(project: Project, kind: Node) -> tuple[str, ...]:
    """The type that a converter function (``type=int``) gives."""
    for name in (*project.names(kind), kind.spelled):
        for known, given in project.models.words["converter-types"].items():
            if name == known or name.endswith(f".{known}"):
                return (given,)
    return ()


def parser_inputs(project: Project, call: Node) -> Iterator[Input]:
    """The arguments that were added to the request parser whose ``parse_args()`` is called."""
    receiver = call.receiver
    parsers = [node for node in behind(project, receiver) if node.call is not None] if receiver is not None else []
    for parser in parsers:
        yield from added_arguments(project, parser)


def added_arguments(project: Project, parser: Node, depth: int = 0) -> Iterator[Input]:
    """What ``add_argument`` was called with on one parser; a copied parser has those of its origin."""
    base = parser.receiver
    if parser.method == "copy" and base is not None and not project.gives_up(depth, _DEPTH, parser.place):
        for origin in behind(project, base):
            yield from added_arguments(project, origin, depth + 1)
    for added in project.calls_of("add_argument"):
        receiver = added.receiver
        name = text_of(project, added.arg(0, "name"))
        if receiver is not None and name and parser in behind(project, receiver):
            yield _added(project, added, name)


def _added(project: Project, added: Node, name: str) -> Input:
    kind, default, required = added.arg(None, "type"), added.arg(None, "default"), added.arg(None, "required")
    location = added.arg(None, "location")
    listed = items(project.resolved(location)) if location is not None else []
    text = text_of(project, listed[0] if listed else location) or "json"
    return Input(
        name=name,
        where=located(project, text, "body"),
        place=added.place,
        types=converted_type(project, kind) if kind is not None else (),
        required=required is not None and required.const is True,
        default=literal(project, default) if default is not None else None,
        limits=limits_of(project, added.keywords(), ()),
    )


def declared_by(project: Project, decorator: Node) -> Iterator[Input]:
    """What a decorator that parses the request declares: a schema, a dict of fields, or a parser."""
    given = decorator.arg(0)
    if given is None:
        return
    location = text_of(project, decorator.arg(None, "location"))
    where = located(project, location or "json", "body")
    for value in behind(project, given):
        if value.is_dict:
            yield from _fields(project, value, where)
            continue
        for cls in (*project.denoted_classes(value), *project.instances(value)):
            yield Input(
                name="",
                where=where,
                place=decorator.place,
                types=(cls.name,),
                required=True,
                schema=cls.name,
                whole=True,
            )
        if value.method in ("RequestParser", "parser", "copy"):
            yield from added_arguments(project, value)
        elif value.method in ("model", "inherit", "clone"):
            name = text_of(project, value.arg(0)) or ""
            yield Input(name="", where="body", place=decorator.place, types=(name,) if name else (), whole=True)


def _fields(project: Project, display: Node, where: Where) -> Iterator[Input]:
    known = project.models.words["field-types"]
    for key, field in display.entries():
        if key.text:
            required, default = field.arg(None, "required"), field.argument(("load_default", "missing"))
            yield Input(
                name=key.text,
                where=where,
                place=field.place,
                types=(known[field.method],) if field.method in known else (),
                required=required is not None and required.const is True,
                default=literal(project, default) if default is not None else None,
                limits=_validated(project, field),
            )


def _validated(project: Project, field: Node) -> Limits:
    """``validate=validate.Length(min=1, max=9)``, ``Range``, ``OneOf``, ``Regexp``."""
    given = field.arg(None, "validate")
    for check in (items(project.resolved(given)) or [given]) if given is not None else ():
        limits = _of_validator(check)
        if limits:
            return limits_of(project, limits, ())
    return Limits()


def _of_validator(check: Node) -> dict[str, Node]:
    """The limits of one validator, as a field's keywords would say them."""
    ranges = {"Length": "length", "Range": "value"}.get(check.method)
    if ranges is not None:
        return {f"{name}_{ranges}": value for name, value in check.keywords().items()}
    first, named = check.arg(0), {"OneOf": "choices", "Regexp": "pattern"}.get(check.method)
    return {named: first} if named is not None and first is not None else {}


def _same_part(node: Node) -> list[Node]:
    """The values that a value may be the same part of the request as."""
    op = node.op
    if isinstance(op, (ops.Await, ops.Enter)):
        return [node.to(op.value)]
    if isinstance(op, (ops.Logic, ops.Phi)):
        return [node.to(value) for value in op.values]
    if isinstance(op, ops.Choice):
        return [node.to(op.then), node.to(op.other)]
    parts = (node.receiver, node.arg(0)) if node.is_call_of("client-copies") else ()
    return [part for part in parts if part is not None]


__all__ = [
    "added_arguments", "converted_type", "declared_by", "inputs_read", "parser_inputs", "part_handed_out", "part_read",
]  # fmt: skip
