"""The shapes in which one API tells of errors."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.endpoints import endpoints
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
    routes = {endpoint.route.handler: endpoint.route for endpoint in project.once(endpoints)}
    for code, route in routes.items():
        if project.role(code.path) in SERVING and code.function.kind != "class":
            yield from _of_code(project, code, route.label)
    for code, _ in project.once(error_handlers):
        if project.role(code.path) in SERVING:
            yield from _of_code(project, code, f"the handler `{code.function.name}`")


def _of_code(project: Project, code: Code, by: str) -> Iterator[Told]:
    for answer in answers(project, code):
        if answer.status is not None and answer.status >= _FIRST_ERROR:
            key = _key(project, answer)
            if key:
                yield Told(key, answer.place.first_line(), by)


def _key(project: Project, answer: Answer) -> str:
    """The key under which the error stands: the code's own, or that of the framework's exception."""
    own = project.models.kinds["error-bodies"]
    framework = next((name.partition("=")[2] for name in own if name.partition("=")[0] == answer.maker), "")
    for node in (*answer.body, *_made_by_keywords(answer)):
        pairs = pairs_of(node.origin)
        if pairs:
            inner = next((key for key in pairs if any(book.holds(key) for book in _ERROR)), "")
            return f"{framework}.{inner}" if framework and inner else inner
    return framework


def _made_by_keywords(answer: Answer) -> Iterator[Node]:
    """``jsonify(error=…)``, alone or beside its status: the call is the mapping."""
    op = answer.node.op
    given = answer.node.to(op.value).origin if isinstance(op, ops.Return) and op.value != NONE else answer.node
    first = given.to(given.op.items[0]).origin if isinstance(given.op, ops.Build) and given.op.items else given
    if first.call is not None and first.call.keywords:
        yield first
