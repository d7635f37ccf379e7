"""Requests that the session's cookie lets in, and what protects them against other sites."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.auth.attempts import is_login
from backaudit.backend.access.credentials import checks_password
from backaudit.backend.access.denial import denials
from backaudit.backend.access.guards import authenticated, guarded
from backaudit.backend.access.own_pages import exempts
from backaudit.backend.access.sessions import is_http_session
from backaudit.backend.deployment.settings import is_literally, settings_of
from backaudit.backend.web.records import Route
from backaudit.distinct import distinct
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project
from backaudit.project.locate import decorated, functions_behind, strings
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.protocols import UNSAFE

_NAMED_BY_COOKIE = meaning("access", "cookie-caller")
_PROTECTS = meaning("tokens", "csrf-protection")
_TOKENS = meaning("tokens", "bearer-guard")
_COOKIE_GUARDS = meaning("tokens", "cookie-guard")
_KEPT_AT_HOME = frozenset({"lax", "strict"})


def exempted(project: Project) -> Iterator[tuple[Route, Place]]:
    """Routes that are exempted although a cookie logs in to them, and where."""
    return distinct(_exempted(project), lambda found: found[1])


def _exempted(project: Project) -> Iterator[tuple[Route, Place]]:
    for route in project.once(guarded):
        place = _exemption(project, route)
        if place is not None and _by_cookie(project, route):
            yield route, place


def _exemption(project: Project, route: Route) -> Place | None:
    if route.handler.file.role != "production" or (route.methods and not UNSAFE & set(route.methods)):
        return None
    view = route.view
    around = [view.outer.node(value) for value in view.cls.decorators] if view is not None else []
    for node in (*route.handler.decorators, *around, *route.wrappers):
        if exempts(project, node):
            return route.place if node in route.wrappers else _line(route, node)
    return None


def _line(route: Route, decorator: Node) -> Place:
    return decorator.place if decorator.call is not None else route.handler.place


def _by_cookie(project: Project, route: Route) -> bool:
    if _asks_for_token_itself(project, route):
        return False
    by_token = any(_TOKENS.holds(guard.name) for guard in route.guards)
    if by_token or checks_password(project, route.handler):  # who logs in has no session yet
        return False
    if _proven_otherwise(project, route):
        return False
    if any(_COOKIE_GUARDS.holds(guard.name) for guard in route.guards):
        return True
    return any(_reads_session(project, code) for code in _asking(project, route))


def _proven_otherwise(project: Project, route: Route) -> bool:
    """Whether a decorator of the project's own turns away who brings no proof, and that proof is not the session."""
    for decorator in route.handler.decorators:
        codes = [code for made in functions_behind(project, decorator.func or decorator) for code in made.nested]
        refuses = any("authenticates" in denials(project, code) for code in codes)
        if refuses and not any(_reads_session(project, code) for code in codes):
            return True
    return False


def _asks_for_token_itself(project: Project, route: Route) -> bool:
    """Whether the library checks the token itself, where it is needed."""
    lineage = project.lineage(route.view.name) if route.view is not None else ()
    names = (name for d in route.handler.decorators for name in project.names(d.func or d))
    packages = {name.partition(".")[0] for name in (*lineage, *names)}
    return not project.models.kinds["asks-for-csrf-itself"].isdisjoint(packages)


def _reads_session(project: Project, code: Code) -> bool:
    """Whether a body asks for whom the browser's cookie names; what was signed or sent otherwise is no cookie."""
    spelled = (node for kind in (ops.Attr, ops.Name, ops.Import) for node in code.nodes(kind))
    return any(_NAMED_BY_COOKIE.holds(node.spelled) or is_http_session(project, node) for node in spelled)


def _asking(project: Project, route: Route) -> Iterator[Code]:
    """The handler, and the project's own decorators around it."""
    if route.handler.function.kind == "function":
        yield route.handler
    for decorator in route.handler.decorators:
        for code in functions_behind(project, decorator.func or decorator):
            yield from code.nested


def _is_used(project: Project, code: Code) -> bool:
    """Whether another body reads the function, or another file imports it."""
    name = code.function.name
    imported = any(item.name == name for file in project.files.values() for item in file.facts.imports)
    return imported or any(True for _ in project.mentioning(name))


def _middlewares(call: Node) -> Place:
    listed = call.arg(None, "middlewares")
    return listed.place if listed is not None and listed.at.line >= call.at.line else call.place


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _home_of(path: str, made: list[Node]) -> str:
    """Where an application is at home: the folder of the file that makes it; that file, if others are made beside."""
    beside = {call.code.path for call in made if _folder(call.code.path) == _folder(path)}
    return path if len(beside) > 1 else _folder(path)


def _home(path: str, homes: set[str]) -> str | None:
    """The application that a file belongs to: its own, or the one whose folder it is in, the innermost first."""
    own = [home for home in homes if not home or path == home or path.startswith(f"{home}/")]
    return max(own, key=len, default=None)


def _protects_itself(project: Project, home: str, homes: set[str]) -> bool:
    """Whether anything in an application's own code, or in what all share, speaks of such a protection."""
    shared = (home, None)
    files = [file for path, file in project.files.items() if _home(path, homes) in shared]
    imported = (f"{item.module} {item.name}" for file in files for item in file.facts.imports)
    read = (code for code in project.mentioned(_PROTECTS.holds) if _home(code.path, homes) in shared)
    return any(_PROTECTS.holds(name) for name in imported) or any(True for _ in read)


def _takes_form(project: Project, route: Route) -> bool:
    unprotected = project.models.framework(route.framework).forms_unprotected
    if not unprotected or route.handler.file.role != "production" or not UNSAFE & set(route.methods):
        return False
    reads = any(node.spelled.startswith("request.form") for node in route.handler.nodes(ops.Attr))
    return reads and _by_cookie(project, route)


def left_out(project: Project) -> Iterator[tuple[Code, Place]]:
    """A protection that was written and is used nowhere, and where an application lacks it."""
    for decorator, target in project.once(decorated):
        if not isinstance(target, Code) or "csrf" not in target.function.name.lower():
            continue
        made = any(name.endswith("web.middleware") for name in project.names(decorator.func or decorator))
        for call in (
            project.calls(*sorted(project.models.kinds["lists-middlewares"]))
            if made and not _is_used(project, target)
            else ()
        ):
            if project.role(call.code.path) == "production":
                yield target, _middlewares(call)


def forms_without_token(project: Project) -> Iterator[tuple[str, Node]]:
    """The names of forms whose ``Meta`` switches the token off, and where."""
    for cls in project.subclasses(*sorted(project.models.kinds.get("forms", ()))):
        meta = cls.inner.get("Meta")
        field = meta.fields.get("csrf") if meta is not None else None
        if field is not None and is_literally(project, field, False) and cls.file.role == "production":
            yield cls.cls.name, field


def stays_at_home(project: Project) -> bool:
    """Whether a setting keeps the session's cookie out of what other sites post."""
    settings = settings_of(project, "cookie-settings:samesite")
    return any(text.lower() in _KEPT_AT_HOME for setting in settings for text in strings(project, setting.value))


def unprotected_applications(project: Project) -> Iterator[tuple[Node, Route]]:
    """Flask applications that log in by their session, take forms, and protect none; and one of the forms."""
    unprotected = sorted(project.models.kinds["forms-unprotected-apps"])
    made = [call for call in project.calls(*unprotected) if project.role(call.code.path) == "production"]
    homes = {_home_of(call.code.path, made) for call in made}
    forms = [route for route in project.once(guarded) if _takes_form(project, route)]
    for home in sorted(homes):
        call = next(call for call in made if home in (call.code.path, _folder(call.code.path)))
        own = [route for route in forms if _home(route.handler.path, homes) in (home, None)]
        if own and not _protects_itself(project, home, homes):
            yield call, min(own, key=lambda route: (is_login(project, route), not authenticated(route)))
