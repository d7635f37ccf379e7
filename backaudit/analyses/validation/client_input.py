"""Client input that does harm as text, by the kind of sink that it reaches."""

from __future__ import annotations

import re

from backaudit.analyses.validation.placeholders import (
    is_joined_behind,
    is_no_json,
    is_part_of_a_name,
    is_segment,
)
from backaudit.analyses.validation.rooted import is_rooted
from backaudit.analyses.validation.saved import names_in_archive, read_back
from backaudit.backend.web.converters import converters_of
from backaudit.backend.web.inputs.applied import made_by
from backaudit.backend.web.inputs.classes import schema_of
from backaudit.backend.web.inputs.reads import checked_data, converts, enclosed, form_field, parser_converts, takes_file
from backaudit.backend.web.records import RouteParam
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import client_input, routes
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.flow.approvals import CONVERTED, approves_by_answer, guarded, leads_to_one_place, texts_of
from backaudit.flow.patterns import is_whole
from backaudit.flow.search import Search
from backaudit.flow.trace import ANY, KEY, Access, Goal, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.locate import argument_of, class_field
from backaudit.project.types import split

# Kinds where a text that comes out of a table does as much harm as one that comes straight from a client: where a whole
# statement may be kept on purpose, what is put into one; elsewhere any.
_STATEMENTS = frozenset({"sql", "command"})


_ANY_TEXT = frozenset({"html", "template", "code", "deserialize"})


# Kinds of sinks where only the beginning of a text decides: whoever fixes the host fixes the harm.
_BEGINNING = frozenset({"url", "redirect"})


# Kinds that need a victim who follows an attacker's link: what a link cannot carry does no harm.
_FROM_LINKS = frozenset({"redirect"})


# What of a request does no harm in a kind: in a page, the addresses that are handed on as the browser has encoded them.
_UNHEARD = {"redirect": "not-from-links", "html": "encoded-addresses"}


# Kinds where an uploaded file harms by its name, not by its content.
_NAMES = frozenset({"path", "url", "redirect", "command", "sql", "name"})


_NAME_OF_FILE = frozenset({"filename", "name"})


class ClientInput(Goal):
    """Client input that reaches a sink of ``kind`` with its text unchecked."""

    def __init__(self, project: Project, kind: str) -> None:
        models = project.models
        self.kind = kind
        self.doubts: list[Node] | None = [] if kind != "store" else None
        self.stored = "built" if kind in _STATEMENTS else "always" if kind in _ANY_TEXT else "never"
        self._cleans = models.cleans.get(kind, frozenset()) | models.cleans.get("any", frozenset())
        self._guards: frozenset[str] = models.guards.get(kind, frozenset()) | models.guards.get("any", frozenset())
        if kind != "store":
            self._guards |= {CONVERTED}
        self._harmless = models.kinds.get("harmless-types", frozenset())
        self._sources = models.sources
        self._unheard = models.kinds[_UNHEARD[kind]] if kind in _UNHEARD else frozenset[str]()
        self._path_keywords = models.kinds.get("path-keywords", frozenset())
        self._uploads = models.kinds.get("uploads", frozenset())

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        if isinstance(op, ops.Param):
            return self._part_of_request(search.project, node, access) or self._parameter(
                search.project, node, op, access
            )
        if isinstance(op, (ops.Name, ops.Import)):
            return self._part_of_request(search.project, node, access)
        if isinstance(op, (ops.Attr, ops.Call)):
            return (
                self._read(search.project, node, access)
                or self._checked(search.project, node, access)
                or self._of_file(search.project, node)
            )
        return None

    def _of_file(self, project: Project, node: Node) -> str | None:
        """A file that a client filled in the same request, or the names in an archive that it sent."""
        if not isinstance(node.op, ops.Call):
            return None
        if self.kind == "path":
            return "a name in an archive comes from the client" if names_in_archive(project, node) else None
        if self.kind in _NAMES or self.kind == "store":
            return None
        return "a file that was uploaded comes from the client" if read_back(project, node) else None

    def _read(self, project: Project, node: Node, access: Access) -> str | None:
        for name in request_names(project, node):
            if name not in self._sources or name in self._unheard:
                continue
            if access and access[0] in project.models.kinds["server-keys"]:
                return None
            if isinstance(node.op, ops.Call) and access and parser_converts(project, node, str(access[0])):
                return None
            return f"{self._sources[name]} comes from the client"
        return None

    def _is_no_text(self, project: Project, node: Node, access: Access) -> bool:
        """Whether what is read of a request holds no text that a client is free to choose."""
        names = [name for name in request_names(project, node) if name in self._sources]
        if any(self._typed_path(project, node, name) or self._is_fixed_path(project, node, name) for name in names):
            return True
        held = any(self._held(project, name, access) for name in names)
        return bool(names) and (held or self._uploaded(project, node, access))

    def _typed_path(self, project: Project, node: Node, name: str) -> bool:
        """Whether ``self.kwargs`` of a class view holds nothing but numbers and the like."""
        cls = node.code.cls
        if name not in self._path_keywords or cls is None:
            return False
        found = [route for route in project.once(routes) if route.handler.cls is cls]
        sent = (param for route in found for param in route.params)
        texts = [param for param in sent if param.where == "path" and not param.types]
        return bool(found) and not texts

    def _part_of_request(self, project: Project, node: Node, access: Access) -> str | None:
        """A part of the request object that was handed on under another name."""
        for name in project.types(node) if access else ():
            asked = f"{name}.{access[0]}"
            if self._held(project, asked, access[1:]) or self._is_fixed_path(project, node, asked):
                continue
            if asked in self._sources and asked not in self._unheard:
                server = len(access) > 1 and access[1] in project.models.kinds["server-keys"]
                return None if server else f"{self._sources[asked]} comes from the client"
        return None

    def _held(self, project: Project, asked: str, access: Access) -> bool:
        """Whether an attribute holds uploads, and one of them is meant as an object, or its content is."""
        kept = split(project.knowledge.attributes.get(asked, ""))[1]
        return kept in self._uploads and self.kind in _NAMES and not _NAME_OF_FILE & set(map(str, access[-1:]))

    def _is_fixed_path(self, project: Project, node: Node, asked: str) -> bool:
        """Whether it is the path of a request whose route has no placeholder."""
        if asked not in project.models.kinds["own-paths"]:
            return False
        found = [route for route in project.once(routes) if route.handler is node.code]
        return bool(found) and not any(param.where == "path" for route in found for param in route.params)

    def _uploaded(self, project: Project, node: Node, access: Access) -> bool:
        """Whether an uploaded file is meant as an object: opening or saving it takes no text of the client's."""
        files = any(split(split(name)[1])[0] in self._uploads for name in project.types(node))
        return files and self.kind in _NAMES and not _NAME_OF_FILE & set(map(str, access[-1:]))

    def _checked(self, project: Project, node: Node, access: Access) -> str | None:
        """What went through a form or schema: still text, unless its field says otherwise, but no longer unchecked."""
        if self.kind == "store":
            return None
        field = form_field(project, node)
        if field is not None:
            bounded = self.kind == "pattern" and _is_bounded(project, (field[0].name,), (field[1],))
            return None if bounded or converts(project, *field) else f"`{node.spelled}` comes from the client (form)"
        schema = checked_data(project, node)
        if schema is None or not access or self._is_checked_part(project, schema, access):
            return None
        return f"`{node.spelled}[{access[0]!r}]` comes from the client"

    def _is_checked_part(self, project: Project, schema: ClassView, access: Access) -> bool:
        """Whether the field of a schema that is read is no text any more, or one that was judged."""
        field = str(access[0])
        if converts(project, schema, field) or self._approved_by_hook(project, schema, field):
            return True
        if self.kind in _NAMES and takes_file(project, schema, field):
            return True
        return self.kind == "pattern" and _is_bounded(project, (schema.name,), access)

    def _approved_by_hook(self, project: Project, schema: ClassView, name: str) -> bool:
        """Whether ``clean_name`` or ``validate_name`` gives back nothing but what it checked, or something fixed."""
        hooks = (project.method(schema.name, prefix + name) for prefix in ("clean_", "validate_"))
        code = next((hook for hook in hooks if hook is not None), None)
        return code is not None and self._gives_checked(code)

    def _approved_by_schema(self, project: Project, types: tuple[str, ...], access: Access) -> bool:
        """Whether the field of a schema that is read has a validator which gives back nothing but what it checked."""
        schemas = [cls for name in types if (cls := enclosed(project, name)) is not None]
        if self.kind == "store" or len(schemas) != 1 or len(access) != 1:
            return False
        if _has_whole_pattern(project, schemas[0], access[0]):
            return True
        methods = schemas[0].methods.values()
        validator = next((method for method in methods if _is_validator(project, method, access[0])), None)
        return validator is not None and self._gives_checked(validator)

    def _approved_by_converters(self, project: Project, code: Code, param: RouteParam) -> bool:
        """Whether every route admits but some texts for a placeholder, or makes something else of them."""
        found = converters_of(project, code, param)
        return bool(found) and all(one.narrow or self._is_judged(project, one.made) for one in found)

    def _is_judged(self, project: Project, made: Code | None) -> bool:
        if made is None:
            return False
        types = project.returned(made)
        return self._gives_checked(made) or (bool(types) and all(self._is_harmless(project, name) for name in types))

    def _gives_checked(self, code: Code) -> bool:
        given = [(node.value, node.op.value) for node in code.nodes(ops.Return) if isinstance(node.op, ops.Return)]
        return bool(given) and all(self._approved(code, at, value) for at, value in given)

    def _approved(self, code: Code, at: Value, value: Value) -> bool:
        if value == ops.NONE:
            return True
        node = code.node(value).origin
        root = node  # of `settings.HOME` it is `settings`
        while isinstance(root.op, ops.Attr):
            root = root.to(root.op.base).origin
        return isinstance(root.op, (ops.Const, ops.Import, ops.Name)) or guarded(node, at, self._guards)

    def _parameter(self, project: Project, node: Node, op: ops.Param, access: Access) -> str | None:
        param = client_input(project, node.code, op.index)
        if param is None or (param.where == "path" and param.bounded) or is_whole(param.pattern):
            return None
        if param.where == "path" and self._approved_by_converters(project, node.code, param):
            return None
        if self._approved_by_schema(project, param.types, access):
            return None
        if self.kind == "pattern" and (param.bounded or _is_bounded(project, param.types, access)):
            return None
        if self.kind in _FROM_LINKS and param.where in ("header", "cookie"):
            return None
        types = self._part_types(project, param.types or self._uploads_of(project, node), access)
        if types is None or (types and all(self._is_harmless(project, name) for name in types)):
            return None
        shown = ".".join([param.name, *(str(part) for part in access if part != ANY)])
        return f"`{shown}` comes from the client ({param.where})"

    def _uploads_of(self, project: Project, node: Node) -> tuple[str, ...]:
        """The types of uploads that the annotation of a hook's parameter says (``validate_logo(self, file: ...)``)."""
        return tuple(name for name in project.types(node) if split(name)[0] in self._uploads)

    def _part_types(self, project: Project, types: tuple[str, ...], access: Access) -> tuple[str, ...] | None:
        """The types of the part of a parameter that is wanted; None if the whole object is, which is no text."""
        if any(split(name)[0] in self._uploads for name in types):
            wanted = set(map(str, access)) & {"filename", "name", "content_type"}
            return ("builtins.str",) if wanted or (not access and self.kind not in _NAMES) else None
        for name in types:
            cls = enclosed(project, name)
            if cls is None:
                continue
            rest = access[1:] if split(name)[0] == "list" else access
            if not rest or rest[0] == KEY:
                return None
            if rest[0] == ANY:
                return self._any_field(project, cls)
            annotation = _annotation_of_field(project, cls, str(rest[0]))
            if annotation is None and _has_no(project, cls, str(rest[0])):
                return None
            if annotation is not None:
                inner = project.annotated(annotation)
                return self._part_types(project, inner, rest[1:]) if rest[1:] else inner
        return types

    def _any_field(self, project: Project, cls: ClassView) -> tuple[str, ...] | None:
        """The types of those fields of a schema that are free text."""
        declared = [f for f in cls.fields.values() if isinstance(f.op, ops.Bind) and f.op.annotation != NONE]
        types = [name for f in declared for name in project.annotated(f.to(f.op.annotation))]  # type: ignore[union-attr]
        free = [name for name in types if not self._is_harmless(project, name)]
        return tuple(free) or None

    def through(self, search: Search, call: Node) -> list[Node]:
        """The page at an address that the client chose is the client's own text."""
        if self.kind not in _ANY_TEXT or call.func is None:
            return []
        table = search.models.sinks.get("url", {})
        known = [table[name] for name in search.project.names(call.func) if name in table]
        places = [argument_of(call, argument) for arguments in known[:1] for argument in arguments]
        goal = ClientInput(search.project, "url")
        return [
            place
            for place in places
            if place is not None and next(Trace(search.project, goal).origins(place, (), call.value), None) is not None
        ]

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        if isinstance(node.op, ops.Const) or self._is_made_harmless(search, node, access):
            return True
        if self.kind == "path" and _is_last_part(node, "/\\." if _is_piece(node, use) else "/\\"):
            return True
        if self.kind == "header" and _is_quoted(search.project, node):
            return True
        if self.kind == "pattern" and _is_cut(node):
            return True
        types = self._types(search.project, node) if not access else ()
        if types and all(self._is_harmless(search.project, name) for name in types):
            return True
        if not 0 <= use < len(node.code.ops):
            return False
        if self.kind in _BEGINNING and self._stands_behind(search, node, node.code.node(use)):
            return True
        if self.kind == "path" and (is_part_of_a_name(node, use) or is_rooted(node, use)):
            return True
        if is_no_json(node, use):
            return True
        return guarded(node, use, self._guards_at(node, use), doubts=self.doubts)

    def _stands_behind(self, search: Search, node: Node, call: Node) -> bool:
        """Whether what stands before a value decides: a path joined to an address can replace it, and names no host."""
        if _stands_later(node, call):
            return True
        if not is_joined_behind(node, call):
            return False
        if self.kind != "redirect":
            return True
        # Of a redirect ``//host`` is enough, which takes slashes.
        found = Trace(search.project, ClientInput(search.project, self.kind)).origins(node)
        return all(is_segment(origin.node) for origin in found)

    def _is_made_harmless(self, search: Search, node: Node, access: Access) -> bool:
        """Whether an attribute or a call gives what is no text, or what was cleaned."""
        if not isinstance(node.op, (ops.Attr, ops.Call)):
            return False
        if self._is_no_text(search.project, node, access):
            return True
        if isinstance(node.op, ops.Attr):
            return not self._cleans.isdisjoint(search.project.names(node))
        if self._cleaned(search, node) or self._begun(search.project, node) or self._filtered(search.project, node):
            return True
        return bool(access) and _is_declared_narrow(search.project, node, str(access[0]))

    def _guards_at(self, node: Node, use: Value) -> frozenset[str]:
        """What approves of a value where it becomes part of a text: of a name behind a folder, between quotes, more."""
        if self.kind == "path" and _is_behind(node, use):
            return self._guards | _BEHIND_A_FOLDER
        if self.kind in ("xpath", "ldap"):
            return self._guards | {f"not:{quote}" for quote in _quotes_around(node, use)}
        return self._guards

    def _types(self, project: Project, node: Node) -> tuple[str, ...]:
        """What a value surely is; none where some way to it says nothing, for the search goes on there.

        Of a parameter that a client fills: as far as the framework obeys its annotation.
        """
        op = node.op
        if isinstance(op, ops.Param):
            param = client_input(project, node.code, op.index)
            return project.types(node) if param is None else param.types
        return () if _has_open_way(project, node) else project.types(node)

    def _filtered(self, project: Project, call: Node) -> bool:
        """Whether ``filter(good, values)`` lets only checked values through."""
        if call.func is None or "builtins.filter" not in project.names(call.func):
            return False
        function = call.arg(0)
        edges = project.graph.targets(function) if function is not None else ()
        return bool(edges) and all(approves_by_answer(edge.code, 0, self._guards) for edge in edges)

    def _begun(self, project: Project, call: Node) -> bool:
        """Whether ``"https://host/{}".format(...)`` fixes where it leads."""
        receiver = call.receiver
        if self.kind not in _BEGINNING or call.method != "format" or receiver is None:
            return False
        known = project.constant(receiver)
        return known is not None and isinstance(known.const, str) and leads_to_one_place(known.const.partition("{")[0])

    def _cleaned(self, search: Search, call: Node) -> bool:
        func = call.func
        if func is not None and not self._cleans.isdisjoint(search.project.names(func)):
            return True
        each = call.arg(0) if func is not None and "builtins.map" in search.project.names(func) else None
        if each is not None and not self._cleans.isdisjoint(search.project.names(each)):
            return True
        if self.kind == "path" and call.method == "replace" and _drops(call):
            return True
        converter = call.arg(None, "type")
        return converter is not None and bool({"builtins.int", "builtins.float"} & set(search.project.names(converter)))

    def _is_harmless(self, project: Project, name: str) -> bool:
        head, over = split(name)
        if head == "list" and over:
            return self._is_harmless(project, over)
        return head in self._harmless or not self._harmless.isdisjoint(project.lineage(head))

    def parts(self, search: Search, node: Node, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """Where only the beginning decides: the pieces up to the first that fixes it, or that is not known."""
        if self.kind == "html" and _escapes(search.project, node):
            return values[:1]
        if self.kind not in (*_BEGINNING, "name") or not values:
            return values
        if self.kind == "name":
            return () if _is_named_by_code(node, values) else values
        text = ""
        modulo = isinstance(node.op, ops.Bin) and node.op.operator == "%"
        for position, value in enumerate(values):
            known = _known_piece(search.project, node.to(value))
            if known is None:
                # ``base + path``: whatever the base is, it decides; a path in front of it leads nowhere else.
                return values[: position + 1] if not text or text.endswith(("://", "//", "@")) else ()
            text += known.partition("%")[0] if modulo else known
            if leads_to_one_place(text):
                return ()
        return ()


def _stands_later(node: Node, call: Node) -> bool:
    """Whether ``"{}?name={}".format(base, name)`` puts a value behind the first of its pieces, which decides."""
    known = node.code.project.constant(call.receiver) if call.method == "format" and call.receiver is not None else None
    first = re.match(r"[^{]*{(\w*)", known.text or "") if known is not None else None
    if first is None:
        return False
    named = first.group(1)
    decides = call.arg(int(named or 0)) if not named or named.isdigit() else call.arg(None, named)
    return decides is not None and decides.origin != node.origin


# What leads nowhere else in a name that stands behind a folder, though a path of its own could be absolute.
_BEHIND_A_FOLDER = frozenset({"not:../", "not:/.."})


def _is_declared_narrow(project: Project, call: Node, name: str) -> bool:
    """Whether a call puts a schema to what came in whose field of that name is no free text."""
    declared = [field.shape for made in made_by(project, call) if (field := made.field(name)) is not None]
    return bool(declared) and not any(shape.free for shape in declared)


def _is_behind(node: Node, use: Value) -> bool:
    """Whether something stands before the value in the text that is made of it."""
    op = node.code.ops[use]
    if isinstance(op, ops.Format):
        return _in_fstring(node, use)
    if isinstance(op, ops.Bin):
        return op.operator in ("+", "/", "%") and node.code.origin(op.right) == node.origin.value
    first = op.args[:1] if isinstance(op, ops.Call) else ()
    return bool(first) and node.code.origin(first[0]) != node.origin.value


def _quotes_around(node: Node, use: Value) -> str:
    """The quotation mark between which a value stands in the text that is made of it."""
    before = _piece_before(node, use)
    while before is not None and isinstance(before.origin.op, ops.Bin):
        before = before.origin.to(before.origin.op.right)
    known = node.code.project.constant(before) if before is not None else None
    last = (known.text or "")[-1:] if known is not None else ""
    return last if last in ("'", '"') else ""


def _piece_before(node: Node, use: Value) -> Node | None:
    """What stands before a value in the sum or f-string that takes it."""
    op = node.code.ops[use]
    if isinstance(op, ops.Bin):
        return node.to(op.left) if node.code.origin(op.right) == node.origin.value else None
    before: Node | None = None
    for display in node.code.nodes(ops.Build) if isinstance(op, ops.Format) else ():
        items = display.op.items if isinstance(display.op, ops.Build) else ()
        if use in items[1:]:
            before = display.to(items[items.index(use) - 1])
    return before


def _is_quoted(project: Project, node: Node) -> bool:
    """``f"{value!r}"`` and ``"{!r}".format(value)`` show line breaks as what they are."""
    if isinstance(node.op, ops.Format):
        return node.op.conversion.endswith(("r", "a"))
    receiver = node.receiver
    if node.method != "format" or receiver is None:
        return False
    known = project.constant(receiver)
    fields = _FIELD.findall(known.text or "") if known is not None else []
    return bool(fields) and all(field.endswith(("!r", "!a")) for field in fields)


_FIELD = re.compile(r"\{([^{}]*)\}")


def _is_named_by_code(node: Node, values: tuple[Value, ...]) -> bool:
    """Whether a name begins, or ends, as the code says: it is one of those that are meant."""
    ends = (texts_of(node.to(values[0])), texts_of(node.to(values[-1])))
    return any(texts and {"", "."}.isdisjoint(texts) for texts in ends)


def _in_fstring(node: Node, piece: Value) -> bool:
    displays = (each.op for each in node.code.nodes(ops.Build))
    return any(isinstance(op, ops.Build) and piece in op.items[1:] for op in displays)


def _has_whole_pattern(project: Project, schema: ClassView, name: str | int) -> bool:
    """Whether a field of a schema has to match a pattern which says what the whole text is."""
    made = schema_of(project, schema)
    field = made.field(str(name)) if made is not None else None
    return field is not None and is_whole(str(field.shape.limit("pattern") or ""))


def _is_bounded(project: Project, types: tuple[str, ...], access: Access) -> bool:
    """Whether a field of an input schema has a greatest length."""
    classes = [cls for name in types if (cls := enclosed(project, name)) is not None]
    schemas = [made for cls in classes if (made := schema_of(project, cls)) is not None]
    fields = [field for made in schemas if access and (field := made.field(str(access[0]))) is not None]
    return any(field.shape.bounded for field in fields)


def _is_piece(node: Node, use: Value) -> bool:
    return 0 <= use < len(node.code.ops) and not isinstance(node.code.ops[use], ops.Call) and _is_behind(node, use)


def _is_last_part(node: Node, separators: str) -> bool:
    """Whether it is what stands behind the last slash: ``url.split("/")[-1]``, ``path.rpartition("/")[2]``.

    Where something stands before it, what holds no dot is enough: there is no such folder, and none further up.
    """
    op = node.origin.op
    if not isinstance(op, ops.Item):
        return False
    parts = node.origin.to(op.base).origin
    separator = parts.arg(0, "sep")
    if separator is None or separator.text not in tuple(separators):
        return False
    last = (-1, 2) if parts.method == "rpartition" else (-1,)
    return parts.method in ("split", "rsplit", "rpartition") and node.origin.to(op.key).const in last


def _is_cut(node: Node) -> bool:
    """``text[:100]``."""
    op = node.op
    cut = node.to(op.key).op if isinstance(op, ops.Item) else None
    if not isinstance(cut, ops.Build) or cut.kind != "slice" or len(cut.items) < 2:
        return False
    return cut.items[1] >= 0 and isinstance(node.to(cut.items[1]).const, int)


def _drops(replace: Node) -> bool:
    """Whether ``text.replace(".", "")`` leaves no dot that could climb: a part of a name stays in its folder."""
    old, new = replace.arg(0), replace.arg(1)
    written = new.text if new is not None else None
    return old is not None and old.const == "." and written is not None and "." not in written


def _escapes(project: Project, node: Node) -> bool:
    """Whether markup is on the left, which escapes what is added to it or filled into it."""
    if not isinstance(node.op, ops.Bin):
        return False
    return not project.models.kinds["escapes-what-is-added"].isdisjoint(project.types(node.to(node.op.left)))


def _only_assigned(cls: ClassView, name: str) -> bool:
    """Whether an attribute is what methods give it, and nothing declares its type."""
    stores = cls.assigned.get(name, ())
    declared = any(isinstance(s.op, ops.SetAttr) and s.op.annotation != NONE for s in stores)
    return bool(stores) and not declared and name not in cls.fields


def _is_validator(project: Project, method: Code, field: str | int) -> bool:
    """Whether a method judges a field of its schema by a decorator."""
    hooks = project.models.kinds.get("validator-decorators", frozenset())
    for decorator in method.decorators:
        named = decorator.func is not None and not hooks.isdisjoint(project.names(decorator.func))
        if named and any(argument.text == field for argument in decorator.args()):
            return True
    return False


def _has_no(project: Project, cls: ClassView, name: str) -> bool:
    """Whether a schema all of whose fields are known has none of a name: what is not declared is not kept."""
    made = schema_of(project, cls)
    if made is None or made.extra == "allow" or made.field(name) is not None:
        return False
    own = any(name in view.fields or name in view.methods for view in project.lineage_views(cls.name))
    return made.whole and not made.model and not own


def _annotation_of_field(project: Project, cls: ClassView, name: str) -> Node | None:
    field = class_field(project, cls, name)
    op = field.op if field is not None else None
    return field.to(op.annotation) if field is not None and isinstance(op, ops.Bind) and op.annotation != NONE else None


def _has_open_way(project: Project, node: Node) -> bool:
    """Whether a value may come some way of which its type says nothing."""
    op = node.op
    if isinstance(op, ops.Call):
        return any(code.function.returns == NONE for code in project.callees(node))
    if isinstance(op, ops.Attr):
        return any(_only_assigned(cls, op.name) for cls in project.instances(node.to(op.base)))
    return isinstance(op, (ops.Phi, ops.Choice, ops.Logic)) or (isinstance(op, ops.Bind) and op.annotation == NONE)


def _known_piece(project: Project, node: Node) -> str | None:
    """The literal text that a piece of a text is."""
    piece = node.origin
    piece = piece.to(piece.op.value).origin if isinstance(piece.op, ops.Format) else piece
    known = project.constant(piece)
    return known.const if known is not None and isinstance(known.const, str) else None
