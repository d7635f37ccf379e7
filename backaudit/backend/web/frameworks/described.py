"""Routes that an OpenAPI document declares and a framework binds to functions by name: ``describes`` in the tables."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from urllib.parse import urlparse

from backaudit.backend.web.frameworks.language import Describing, Table, pick, tables
from backaudit.backend.web.frameworks.placing import places
from backaudit.backend.web.paths import join, parse
from backaudit.backend.web.records import Input, Limits, Route, RouteParam, Step, Where
from backaudit.backend.yaml_files import yaml_documents
from backaudit.extract.yaml import YamlNode
from backaudit.facts.place import Place
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.locate import behind, text_of
from backaudit.vocabulary.protocols import METHODS

_TYPES: dict[str, tuple[str, ...]] = {
    "integer": ("builtins.int",), "number": ("builtins.float",), "boolean": ("builtins.bool",),
    "string": ("builtins.str",), "array": ("list",), "object": ("builtins.dict",),
}  # fmt: skip
_FORMATS: dict[str, tuple[str, ...]] = {
    "uuid": ("uuid.UUID",), "date": ("datetime.date",), "date-time": ("datetime.datetime",),
    "binary": ("builtins.bytes",),
}  # fmt: skip
_WHERE: dict[str, Where] = {
    "path": "path", "query": "query", "header": "header", "cookie": "cookie", "formData": "form", "body": "body",
}  # fmt: skip


def _reference(node: YamlNode) -> str:
    """The place in the same document that a node refers to."""
    reference = node.get("$ref")
    text = (reference.text or "") if reference is not None else ""
    return text if text.startswith("#/") else ""


class _Document:
    """One OpenAPI (2 or 3) document."""

    def __init__(self, path: str, root: YamlNode) -> None:
        self.path = path
        self.root = root

    def resolved(self, node: YamlNode) -> YamlNode:
        """What a reference leads to, however many there are between; a node of a circle where it closes."""
        seen: set[str] = set()
        while (reference := _reference(node)) and reference not in seen:
            seen.add(reference)
            found = self.root.get(*reference[2:].split("/"))
            if found is None:
                break
            node = found
        return node

    def base(self) -> str:
        """The path under which the document says that everything stands."""
        said = self.root.get("basePath")
        servers = self.root.get("servers")
        first = servers.items[0].get("url") if servers is not None and servers.items else None
        text = (said.text if said is not None else None) or (first.text if first is not None else None) or ""
        return urlparse(text).path if "{" not in text else ""

    def inputs(self, shared: YamlNode | None, operation: YamlNode) -> Iterator[Input]:
        for listed in (operation.get("parameters"), shared):
            for item in listed.items if listed is not None else ():
                yield from self._parameter(self.resolved(item))
        body = operation.get("requestBody")
        content = self.resolved(body).get("content") if body is not None else None
        required = self.resolved(body).get("required") if body is not None else None
        for media, described in content.entries[:1] if content is not None else ():
            schema = described.get("schema")
            where: Where = "body" if "json" in media else "form" if "form" in media else "body"
            if schema is not None:
                yield from self._body(schema, where, required is not None and required.text == "true")

    def _parameter(self, item: YamlNode) -> Iterator[Input]:
        name, where, schema = item.get("name"), item.get("in"), item.get("schema")
        known = _WHERE.get(where.text or "") if where is not None else None
        if name is None or known is None:
            return
        required = item.get("required")
        if known == "body" and schema is not None:
            yield from self._body(schema, known, required is not None and required.text == "true")
            return
        yield self._input(name.text or "", known, self.resolved(schema or item), required, item)

    def _body(self, schema: YamlNode, where: Where, required: bool) -> Iterator[Input]:
        here = self.resolved(schema)
        properties, needed = here.get("properties"), here.get("required")
        names = {node.text for node in needed.texts()} if needed is not None else set()
        if properties is None or not properties.entries:
            yield Input(
                name="", where=where, place=Place(self.path, here.span), required=required, whole=True, declared=True,
                types=_types(here),
            )  # fmt: skip
            return
        for name, described in properties.entries:
            found = self._input(name, where, self.resolved(described), None, described)
            yield Input(
                name=name, where=where, place=found.place, types=found.types, limits=found.limits, declared=True,
                required=name in names, default=found.default,
            )  # fmt: skip

    def _input(self, name: str, where: Where, schema: YamlNode, required: YamlNode | None, at: YamlNode) -> Input:
        default = schema.get("default")
        return Input(
            name=name,
            where=where,
            place=Place(self.path, at.span),
            types=_types(schema),
            required=where == "path" or (required is not None and required.text == "true"),
            default=default.text if default is not None else None,
            limits=_limits(schema),
            declared=True,
        )


def _types(schema: YamlNode) -> tuple[str, ...]:
    kind, form = schema.get("type"), schema.get("format")
    named = _FORMATS.get(form.text or "") if form is not None else None
    return named or _TYPES.get((kind.text if kind is not None else None) or "", ())


def _limits(schema: YamlNode) -> Limits:
    def number(name: str) -> float | None:
        node = schema.get(name)
        text = (node.text if node is not None else None) or ""
        return float(text) if text.replace(".", "", 1).replace("-", "", 1).isdigit() else None

    shortest, longest, pattern = number("minLength"), number("maxLength"), schema.get("pattern")
    listed = schema.get("enum")
    return Limits(
        minimum=number("minimum"),
        maximum=number("maximum"),
        min_length=int(shortest) if shortest is not None else None,
        max_length=int(longest) if longest is not None else None,
        pattern=(pattern.text if pattern is not None else None) or "",
        choices=tuple(node.text or "" for node in listed.texts()) if listed is not None else (),
    )


class _Reader:
    def __init__(self, project: Project) -> None:
        self.project = project

    def routes(self) -> Iterator[Route]:
        found = self.project.once(places)
        described = {name: t for name, t in self.project.once(tables).items() if t.describes}
        for last in sorted({last for table in described.values() for last in table.describes}):
            for call in self.project.calls_of(last):
                func = call.func
                table = found.matching(func, "describes", last) if func is not None else None
                if table is not None:
                    yield from self._described(call, table, table.describes[last])

    def _described(self, call: Node, table: Table, spec: Describing) -> Iterator[Route]:
        text = text_of(self.project, pick(call, spec.document))
        document = self._document(call, text, spec) if text else None
        if document is None:
            return
        stated = text_of(self.project, pick(call, spec.base))
        base = stated if stated is not None else document.base()
        paths = document.root.get("paths")
        for path, item in paths.entries if paths is not None else ():
            for verb in map(str.lower, METHODS):
                operation = item.get(verb)
                handler = self._handler(call, spec, path, verb, item, operation) if operation is not None else None
                if operation is not None and handler is not None:
                    yield self._route(call, table, document, join(base, path), verb, item, operation, handler)

    def _document(self, call: Node, text: str, spec: Describing) -> _Document | None:
        """The file of that name: in the folder that the application was given, else the nearest of the project."""
        folders = [posixpath.dirname(call.code.path)]
        receiver = call.receiver
        for app in behind(self.project, receiver) if receiver is not None else ():
            named = text_of(self.project, app.arg(None, spec.folder)) or ""
            folders.insert(0, posixpath.normpath(posixpath.join(posixpath.dirname(app.code.path), named)))
        wanted = [posixpath.normpath(posixpath.join(folder, text)) for folder in folders]
        tail = "/" + posixpath.basename(text)
        ends = sorted((p for p in self.project.facts if f"/{p}".endswith(tail)), key=len)
        for path in [*wanted, *ends]:
            file = self.project.facts.get(path)
            roots = yaml_documents(self.project, file) if file is not None and file.kind in ("yaml", "json") else ()
            if roots and roots[0].get("paths") is not None:
                return _Document(path, roots[0])
        return None

    def _handler(
        self, call: Node, spec: Describing, path: str, verb: str, item: YamlNode, operation: YamlNode
    ) -> Code | ClassView | None:
        identifier = operation.get("operationId")
        name = (identifier.text if identifier is not None else None) or ""
        for key in spec.controllers:
            controller = operation.get(key) or item.get(key)
            if controller is not None and controller.text:
                name = f"{controller.text}.{name}" if name else controller.text
        for candidate in [name] if name else self._by_path(call, spec, path, verb):
            code = self._named(call, candidate)
            if code is not None:
                return code
        return None

    def _named(self, call: Node, dotted: str) -> Code | None:
        """The function ``package.module.name`` or ``package.module.Class.name``, wherever the package's root is."""
        parts = dotted.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            for found in self.project.imported(call.code.file, ".".join(parts[:cut]), "", 0):
                module = found.partition("[")[2][:-1] if found.startswith("module[") else ""
                rest = ".".join(parts[cut:])
                code = self.project.function_named(f"{module}.{rest}") if module else None
                if code is None and module and cut + 2 == len(parts):
                    code = self.project.method(f"{module}.{parts[cut]}", parts[cut + 1])
                if code is not None:
                    return code
        return None

    def _by_path(self, call: Node, spec: Describing, path: str, verb: str) -> Iterator[str]:
        """A resolver that makes the function's name of the path and the method: ``module.pets.search``."""
        given = call.arg(None, spec.resolver)
        parts = [part for part in path.split("/") if part and not part.startswith("{")]
        collection = not path.rstrip("/").endswith("}")
        action = "search" if verb == "get" and collection else verb
        for resolver in behind(self.project, given) if given is not None and parts else ():
            module = text_of(self.project, resolver.arg(0, "default_module_name")) or ""
            if module:
                dotted = parts[0].replace("-", "_")
                title = dotted.title().replace("_", "")
                yield f"{module}.{dotted}.{action}"
                yield f"{module}.{title}View.{action}"
                yield f"{module}.{dotted}.{title}View.{action}"

    def _route(
        self, call: Node, table: Table, document: _Document, path: str, verb: str, item: YamlNode, operation: YamlNode,
        handler: Code | ClassView,
    ) -> Route:  # fmt: skip
        code = handler if isinstance(handler, Code) else handler.body
        template = parse(path, "braces")
        inputs = tuple(document.inputs(item.get("parameters"), operation))
        answers = operation.get("responses")
        statuses = [int(key) for key, _ in answers.entries if key.isdigit()] if answers is not None else []
        return Route(
            methods=(verb.upper(),),
            path=template.text,
            handler=code,
            framework=table.framework,
            place=Place(document.path, operation.span),
            params=_params(code, inputs),
            view=code.cls,
            declared=call,
            converters=template.restrictions,
            inputs=inputs,
            statuses=tuple(sorted(statuses)),
            first=_security(document, operation),
        )


def _params(code: Code, inputs: tuple[Input, ...]) -> tuple[RouteParam, ...]:
    """The handler's parameters by the names of the document; ``body`` is the body."""
    known = {item.name.replace("-", "_").lower(): item for item in inputs if item.where != "body"}
    body = any(item.where == "body" for item in inputs)
    found = []
    for index, param in enumerate(code.function.params):
        item = known.get(param.name.rstrip("_").lower())
        if index == 0 and code.cls is not None and param.name in ("self", "cls"):
            found.append(RouteParam(index, param.name, "self"))
        elif item is not None:
            bounded = item.limits != Limits()
            found.append(RouteParam(index, param.name, item.where, item.types, False, bounded))
        else:
            found.append(RouteParam(index, param.name, "body" if body and param.name == "body" else "other"))
    return tuple(found)


def _security(document: _Document, operation: YamlNode) -> tuple[Step, ...]:
    """The schemes that the document requires of an operation; an empty one lets everybody through."""
    stated = operation.get("security") or document.root.get("security")
    if stated is None or any(not item.entries for item in stated.items):
        return ()
    names = [name for item in stated.items for name, _ in item.entries]
    place = Place(document.path, stated.span)
    return tuple(Step("permission", name, place, ("authenticates",)) for name in dict.fromkeys(names))


def routes(project: Project) -> tuple[Route, ...]:
    """Every endpoint that a document declares and the project's code answers."""
    return tuple(_Reader(project).routes())
