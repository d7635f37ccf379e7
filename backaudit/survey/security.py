"""How callers prove who they are: the schemes that a project sets up, and which of them a guard asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backaudit.backend.deployment.django_settings import entry
from backaudit.facts.python import ImportFact
from backaudit.models import Arguments, SecurityModel
from backaudit.project import Node, Project
from backaudit.project.declarations import items, text
from backaudit.survey.records import SecurityScheme
from backaudit.vocabulary.meaning import meaning

_UNKNOWN = SecurityScheme(kind="key", name="Authorization", where="header")
_KEYS = meaning("access", "key-guard")
_SESSIONS = meaning("access", "session-guard")
_BASIC = meaning("access", "basic-guard")


def schemes(project: Project) -> Mapping[str, SecurityScheme]:
    """The schemes by name, the likeliest first. Ask with ``project.once``."""
    found: dict[str, SecurityScheme] = {}
    for name, scheme in (*_configured(project), *_called(project), *_imported(project)):
        if scheme not in found.values():
            title = name.rpartition(".")[2]
            found[_free(project.models.words["scheme-titles"].get(title, title), found)] = scheme
    return found


def _free(name: str, taken: Mapping[str, SecurityScheme]) -> str:
    numbered = (f"{name}{number}" for number in range(2, 99))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def _configured(project: Project) -> Iterator[tuple[str, SecurityScheme]]:
    """``REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"]``."""
    listed = entry(project, "REST_FRAMEWORK", "DEFAULT_AUTHENTICATION_CLASSES")
    known: dict[str, SecurityModel] = project.models.security
    for item in items(project.resolved(listed)) if listed is not None else ():
        name = text(project, item)
        if name in known:
            yield name, SecurityScheme(kind=known[name].kind, name=known[name].key, where=known[name].where)


def _called(project: Project) -> Iterator[tuple[str, SecurityScheme]]:
    known: dict[str, SecurityModel] = project.models.security
    for name, model in known.items():
        for call in project.calls(name):
            if project.role(call.code.path) == "production":
                yield name, _scheme(project, call, model)


def _scheme(project: Project, call: Node, model: SecurityModel) -> SecurityScheme:
    return SecurityScheme(
        kind=model.kind,
        name=_argument(project, call, model.name) or model.key or ("X-API-Key" if model.kind == "key" else ""),
        where=model.where,
        url=_argument(project, call, model.url),
    )


def _argument(project: Project, call: Node, which: Arguments) -> str:
    given = call.argument(which)
    return text(project, given) if given is not None else ""


def _imported(project: Project) -> Iterator[tuple[str, SecurityScheme]]:
    """What is imported to decorate or to inherit from."""
    known: dict[str, SecurityModel] = project.models.security
    for file in project.files.values():
        for item in file.facts.imports if file.role == "production" else ():
            name = _dotted(item)
            if name in known and name.rpartition(".")[2] not in ("decode",):
                model = known[name]
                if not model.name and not model.url:
                    yield name, SecurityScheme(kind=model.kind, name=model.key, where=model.where)


def _dotted(item: ImportFact) -> str:
    return f"{item.module}.{item.name}" if item.name and not item.level else ""


def scheme_of(found: Mapping[str, SecurityScheme], guard: str) -> str:
    """The scheme that a guard of that name most likely asks for; ``Authorization`` where none is known."""
    if not found:
        return UNKNOWN
    for pattern, kind in ((_KEYS, "key"), (_BASIC, "basic"), (_SESSIONS, "session")):
        fitting = [name for name, scheme in found.items() if _sort(scheme) == kind]
        if fitting and pattern.holds(guard):
            return fitting[0]
    tokens = next((name for name, scheme in found.items() if scheme.kind in ("bearer", "oauth2")), None)
    return tokens or next(iter(found))


def _sort(scheme: SecurityScheme) -> str:
    return "session" if scheme.where == "cookie" else scheme.kind


UNKNOWN = "Authorization"
UNKNOWN_SCHEME = _UNKNOWN
