"""The shapes in which one API tells of errors."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.api.replaced import handlers_by_setting, is_replaced, stored_bodies
from backaudit.backend.endpoints import endpoints
from backaudit.backend.web.records import Endpoint
from backaudit.backend.web.responses import Answer, answers, error_handlers, pairs_of
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project
from backaudit.project.code import SERVING
from backaudit.vocabulary.meaning import meaning

_ERROR = (meaning("failures", "error-key"), meaning("failures", "text-key"))
_FIRST_ERROR = 400


class Told(msgspec.Struct, frozen=True):
    """One error that is answered: under which key it stands, where, and by which route, if by one."""

    key: str
    place: Place
    by: str


class Shapes(msgspec.Struct, frozen=True):
    """The keys under which errors stand, the commonest first, each with its errors by place."""

    by_key: tuple[tuple[str, tuple[Told, ...]], ...]

    @property
    def commonest(self) -> str:
        return self.by_key[0][0]


def shapes(project: Project) -> Shapes:
    """All errors whose body the code shows. Ask with ``project.once``."""
    found: dict[str, dict[Place, Told]] = {}
    for told in _told(project):
        found.setdefault(told.key, {}).setdefault(told.place, told)
    counted = sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return Shapes(tuple((key, tuple(of[place] for place in sorted(of))) for key, of in counted))


def _told(project: Project) -> Iterator[Told]:
    served = [one for one in project.once(endpoints) if project.role(one.route.handler.path) in SERVING]
    for code, route in {endpoint.route.handler: endpoint.route for endpoint in served}.items():
        if code.function.kind != "class":
            yield from _of_code(project, code, route.label)
    for code in dict.fromkeys([*(code for code, _ in project.once(error_handlers)), *handlers_by_setting(project)]):
        if project.role(code.path) in SERVING:
            yield from _of_handler(project, code)
    yield from _by_frameworks(project, served)


def _of_code(project: Project, code: Code, by: str) -> Iterator[Told]:
    for answer in answers(project, code):
        if answer.status is not None and answer.status >= _FIRST_ERROR:
            key = _key(project, answer)
            if key:
                yield Told(key, answer.place.first_line(), by)


def _of_handler(project: Project, code: Code) -> Iterator[Told]:
    """What answers exceptions: an error by every way, also where the exception brings its status."""
    by = f"the handler `{code.function.name}`"
    told = [(_key(project, answer), answer.place) for answer in answers(project, code) if _may_be_error(answer)]
    told += [(_key_of(pairs_of(body)), body.place) for body in stored_bodies(project, code)]
    yield from (Told(key, place.first_line(), by) for key, place in told if key)


def _may_be_error(answer: Answer) -> bool:
    return answer.status is None or answer.status >= _FIRST_ERROR or not answer.stated


def _by_frameworks(project: Project, served: list[Endpoint]) -> Iterator[Told]:
    """What frameworks answer themselves where what is sent does not fit: one of each, by the first such route."""
    seen: set[str] = set()
    for endpoint in sorted(served, key=lambda one: one.route.place):
        name = endpoint.route.framework
        model = project.models.framework(name)
        key = _framework_key(project, model.refuses_by)
        if key and name not in seen and any(one.declared and one.where != "path" for one in endpoint.inputs):
            seen.add(name)
            if not is_replaced(project, model.refuses_by, model.refuses_with):
                by = f"the framework itself, as where {endpoint.route.label} is sent what does not fit"
                yield Told(key, endpoint.route.place.first_line(), by)


def _key(project: Project, answer: Answer) -> str:
    """The key under which the error stands: the code's own, or that of the framework's exception."""
    framework = _framework_key(project, answer.maker)
    if answer.how == "raise" and answer.maker and is_replaced(project, answer.maker, answer.status):
        return ""
    for node in (*answer.body, *_made_by_keywords(answer)):
        pairs = pairs_of(_written(project, node.origin))
        if pairs:
            inner = _key_of(pairs)
            if answer.how == "raise" and not framework and _is_read(answer.node.code, inner):
                return ""
            return f"{framework}.{inner}" if framework and inner else inner
    return framework


def _framework_key(project: Project, maker: str) -> str:
    own = project.models.kinds["error-bodies"]
    return next((key for name, _, key in (one.partition("=") for one in sorted(own)) if name == maker), "")


def _key_of(pairs: dict[str, Node] | None) -> str:
    return next((key for key in pairs or () if any(book.holds(key) for book in _ERROR)), "")


def _written(project: Project, node: Node) -> Node:
    """The value that is sent as a JSON text, where a body is one."""
    first = node.arg(0)
    is_text = node.func is not None and not project.models.kinds["json-texts"].isdisjoint(project.names(node.func))
    return first.origin if is_text and first is not None else node


def _is_read(code: Code, name: str) -> bool:
    """Whether a body reads a field of this name from what is sent: an error under it is one of this field."""
    looked_up = (node.to(node.op.key) for node in code.nodes(ops.Item) if isinstance(node.op, ops.Item))
    asked = (node.to(node.op.left) for node in code.nodes(ops.Compare) if isinstance(node.op, ops.Compare))
    got = (node.arg(0) for node in code.nodes(ops.Call) if node.method == "get")
    return any(part is not None and part.text == name for part in (*looked_up, *asked, *got))


def _made_by_keywords(answer: Answer) -> Iterator[Node]:
    """``jsonify(error=…)``, alone or beside its status: the call is the mapping."""
    op = answer.node.op
    given = answer.node.to(op.value).origin if isinstance(op, ops.Return) and op.value != NONE else answer.node
    first = given.to(given.op.items[0]).origin if isinstance(given.op, ops.Build) and given.op.items else given
    if first.call is not None and first.call.keywords:
        yield first
