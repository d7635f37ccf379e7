"""OpenAPI documents of the repository, held against the code: paths, methods, parameters and statuses, both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlparse

import msgspec

from backaudit.backend.endpoints import endpoints
from backaudit.backend.web.records import UNMOUNTED, Endpoint
from backaudit.backend.web.responses import answers, error_handlers
from backaudit.backend.yaml_files import yaml_documents
from backaudit.extract.yaml import YamlNode
from backaudit.facts.files import FileFacts
from backaudit.facts.place import Place
from backaudit.project import Project
from backaudit.project.code import SERVING
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.protocols import METHODS

_METHODS = frozenset(method.lower() for method in METHODS)
_HOUSE = meaning("routes", "about-the-api")
_PLACEHOLDER = re.compile(r"\{[^}]*\}")
# Of a document that shares less with the code than this, the other half is another service's, or the paths are written
# in a way that is not understood: nothing is said of single routes.
_SHARED = 0.5


class Contradiction(msgspec.Struct, frozen=True, order=True):
    """Something that only one of both says: ``place`` is where it says it."""

    place: Place
    message: str
    remedy: str


class _Operation(msgspec.Struct, frozen=True):
    """One method of one path, as the document has it."""

    method: str
    path: str
    node: YamlNode
    shared: YamlNode
    place: Place


class Document(msgspec.Struct, frozen=True):
    """An OpenAPI document: its operations by what tells routes apart."""

    path: str
    root: YamlNode
    operations: dict[tuple[str, str], _Operation]


def contradictions(project: Project) -> tuple[Contradiction, ...]:
    """All of them, by place. Ask with ``project.once``."""
    coded = {key: endpoint for endpoint in _served(project) for key in _keys(endpoint)}
    documents = [document for document in _documents(project) if document.operations]
    about = [one for one in documents if len(coded.keys() & one.operations.keys()) >= _SHARED * len(one.operations)]
    found: list[Contradiction] = list(_unwritten(about, coded)) if about else []
    for document in about:
        shared = coded.keys() & document.operations.keys()
        if shared:
            found += _missing(document, coded)
            found += (
                one for key in shared for one in _differing(project, document, document.operations[key], coded[key])
            )
    return tuple(sorted(set(found)))


def described(project: Project) -> bool:
    """Whether a document of the repository is about these routes."""
    return any(document.operations for document in _documents(project))


def _served(project: Project) -> Iterator[Endpoint]:
    for endpoint in project.once(endpoints):
        route = endpoint.route
        if project.role(route.handler.path) in SERVING and UNMOUNTED not in route.tags and not route.inputs:
            yield endpoint


def _keys(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    for method in endpoint.route.methods:
        if method in METHODS:
            yield method, _same(endpoint.route.path)


def _same(path: str) -> str:
    """A path by which both are told alike: whatever placeholders are called, with or without the last slash."""
    return _PLACEHOLDER.sub("{}", path).rstrip("/") or "/"


# -- documents --------------------------------------------------------------------------------------------------------


def _documents(project: Project) -> tuple[Document, ...]:
    return project.once(_read)


def _read(project: Project) -> tuple[Document, ...]:
    found: list[Document] = []
    for file in project.artefacts("yaml", "json"):
        if project.role(file.path) in ("production", "script") and _may_be(file):
            found += (_document(file.path, root) for root in yaml_documents(project, file)[:1])
    return tuple(found)


def _may_be(file: FileFacts) -> bool:
    head = file.text[:4_000]
    return ("openapi" in head or "swagger" in head) and "paths" in file.text


def _document(path: str, root: YamlNode) -> Document:
    is_one = root.get("openapi") is not None or root.get("swagger") is not None
    paths = root.get("paths") if is_one else None
    base = _base(root)
    found: dict[tuple[str, str], _Operation] = {}
    for name, item in paths.entries if paths is not None else ():
        for method, node in item.entries:
            if method in _METHODS:
                whole = f"{base}{name}"
                place = Place.at_line(path, node.span.line)
                found[method.upper(), _same(whole)] = _Operation(method.upper(), whole, node, item, place)
    return Document(path, root, found)


def _base(root: YamlNode) -> str:
    """The path under which everything stands."""
    said = root.get("basePath")
    servers = root.get("servers")
    first = servers.items[0].get("url") if servers is not None and servers.items else None
    text = next((node.text for node in (said, first) if node is not None and node.text), "")
    return urlparse(text).path.rstrip("/") if "{" not in text else ""


# -- what only one of both says ---------------------------------------------------------------------------------------


def _missing(document: Document, coded: dict[tuple[str, str], Endpoint]) -> Iterator[Contradiction]:
    paths = {path for _, path in coded}
    for key, operation in document.operations.items():
        if key not in coded and not any(_is_elsewhere(other, key) for other in coded):
            other = " for this method" if key[1] in paths else ""
            message = f"{operation.method} {operation.path} is described, and no route answers it{other}."
            yield Contradiction(operation.place, message, "Take it out of the document, or write the route.")


def _unwritten(documents: list[Document], coded: dict[tuple[str, str], Endpoint]) -> Iterator[Contradiction]:
    """Routes that no document describes, under the paths that they are about: pages beside an API are no part of it."""
    described = {key for document in documents for key in document.operations}
    begun = {_beginning(path) for _, path in described & coded.keys()}
    for key, endpoint in coded.items():
        route = endpoint.route
        told = key in described or any(_is_elsewhere(key, other) for other in described)
        passed_over = key[0] in ("HEAD", "OPTIONS") or _HOUSE.holds(route.path) or _beginning(key[1]) not in begun
        if not told and not passed_over:
            message = f"{key[0]} {route.path} is not described in {documents[0].path}."
            yield Contradiction(route.place.first_line(), message, "Describe it there, or generate the document.")


def _beginning(path: str) -> str:
    """The first part of a path that says what it is about: ``api``, ``tasks``."""
    return path.lstrip("/").partition("/")[0]


def _is_elsewhere(mounted: tuple[str, str], key: tuple[str, str]) -> bool:
    """Whether a route is another one under a further prefix: where it is mounted, settings may say."""
    return mounted[0] == key[0] and key[1] != "/" and mounted[1].endswith(key[1])


def _differing(
    project: Project, document: Document, operation: _Operation, endpoint: Endpoint
) -> Iterator[Contradiction]:
    told = f"{operation.method} {operation.path}"
    documented = {name for where, name in _parameters(document, operation) if where == "query"}
    known = {one.name.lower(): one for one in endpoint.inputs if one.name and one.where == "query"}
    for name in sorted(documented - known.keys()):
        if endpoint.inputs and _reads_all(endpoint):
            message = f"{told} is described with the parameter `{name}`, which the code does not read."
            yield Contradiction(operation.place, message, "Take it out of the document, or read it.")
    for name, one in known.items():
        if one.required and one.declared and name not in documented:
            message = f"{told} asks for the parameter `{name}`, which the document does not name."
            yield Contradiction(one.place.first_line(), message, f"Add it to the operation in {document.path}.")
    yield from _statuses(project, operation, endpoint, told)


def _reads_all(endpoint: Endpoint) -> bool:
    """Whether every query parameter is declared, so that none can be read by another way, as by a library's view."""
    if endpoint.route.handler.function.kind == "class":
        return False
    queries = [one for one in endpoint.inputs if one.where == "query"]
    return all(one.declared and one.name for one in queries)


def _parameters(document: Document, operation: _Operation) -> set[tuple[str, str]]:
    """Where each parameter stands, and its name in lower case."""
    found: set[tuple[str, str]] = set()
    for holder in (operation.shared, operation.node):
        listed = holder.get("parameters")
        for item in listed.items if listed is not None else ():
            node = _resolved(document, item)
            where, name = node.get("in"), node.get("name")
            if where is not None and name is not None:
                found.add((where.text or "", (name.text or "").lower()))
    return found


def _resolved(document: Document, node: YamlNode) -> YamlNode:
    reference = node.get("$ref")
    text = reference.text if reference is not None else ""
    found = document.root.get(*text[2:].split("/")) if text and text.startswith("#/") else None
    return found or node


def _statuses(project: Project, operation: _Operation, endpoint: Endpoint, told: str) -> Iterator[Contradiction]:
    responses = operation.node.get("responses")
    said = {int(status) for status, _ in (responses.entries if responses is not None else ()) if status.isdigit()}
    coded = {*endpoint.declared, *endpoint.returned}
    described, answered = set(filter(_is_success, said)), set(filter(_is_success, coded))
    if described and answered and described.isdisjoint(answered):
        message = f"{told} is described with {_shown(described)}, and the code answers {_shown(answered)}."
        yield Contradiction(operation.place, message, "Let both say what is answered.")
    if answered and not said.issuperset(coded):
        yield from _refusals(operation, said, coded, told)
    never = (said & _OF_HANDLERS) - coded - project.once(_by_error_handlers)
    if answered and never:
        message = f"{told} is described with {_shown(never)}, which no code of it answers."
        yield Contradiction(operation.place, message, "Take it out of the document, or answer it.")


def _refusals(operation: _Operation, said: set[int], coded: set[int], told: str) -> Iterator[Contradiction]:
    """Refusals of the handler's own that an operation does not describe beside those that it does."""
    refused = {status for status in coded - said - _OF_GUARDS if _FIRST_ERROR <= status < _FAULT}
    if refused and any(_FIRST_ERROR <= status < _FAULT for status in said - _OF_GUARDS):
        message = f"{told} answers {_shown(refused)} too, which the document does not say."
        yield Contradiction(operation.place, message, "Describe it as well.")


def _by_error_handlers(project: Project) -> frozenset[int]:
    """The statuses that handlers of exceptions answer for whatever a route raises."""
    found = (answer.status for code, _ in project.once(error_handlers) for answer in answers(project, code))
    return frozenset(status for status in found if status is not None)


def _is_success(status: int) -> bool:
    return 200 <= status < _FIRST_ERROR


def _shown(statuses: set[int]) -> str:
    return " and ".join(map(str, sorted(statuses)))


_FIRST_ERROR, _FAULT = 400, 500
# What frameworks and guards answer before a handler runs; and what nobody answers but code that means it.
_OF_GUARDS = frozenset({401, 403, 405, 406, 413, 415, 422, 429})
_OF_HANDLERS = frozenset({402, 409, 410, 412, 418, 423})
