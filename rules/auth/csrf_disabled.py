"""auth/csrf-disabled."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.caller import mentions_caller
from backaudit.backend.access.credentials import checks_password
from backaudit.backend.access.guards import authenticated, guarded, in_body
from backaudit.backend.access.sessions import is_http_session
from backaudit.backend.deployment.settings import django_setting, is_literally, settings_named
from backaudit.backend.web.records import Route
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.locate import decorated, functions_behind, items, strings
from backaudit.rule import Finding, Step, assume, rule
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.protocols import UNSAFE

_NAMED_BY_COOKIE = meaning("access", "cookie-caller")
_MIDDLEWARE = "django.middleware.csrf.CsrfViewMiddleware"
_SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
_EXEMPTS = (
    "django.views.decorators.csrf.csrf_exempt", "flask_wtf.csrf.CSRFProtect.exempt", "flask_wtf.CSRFProtect.exempt",
)  # fmt: skip
_PROTECTS = meaning("tokens", "csrf-protection")
_TOKENS = meaning("tokens", "bearer-guard")
_COOKIE_GUARDS = meaning("tokens", "cookie-guard")

_UNPROTECTED = assume("wrapper", "nothing else in front of the forms protects them")


@rule(
    "auth/csrf-disabled",
    severity="medium",
    cwe=352,
    owasp=("A01:2025", "A01:2021"),
)
def csrf_disabled(project: Project) -> Iterator[Finding]:
    """Protection against forged requests is off where a cookie logs in.

    The browser sends the session's cookie with every request, also with one that another site's page makes. Without a
    token that only your own pages know, any page that a logged-in user visits can post forms in the user's name.

    Mend: leave the protection on. Views that are called by programs belong behind a token in a header instead of a
    cookie; for those the exemption does no harm.

    Bad:
        # file: settings.py
        ROOT_URLCONF = "urls"
        INSTALLED_APPS = ["django.contrib.auth"]
        # file: urls.py
        from django.urls import path

        from views import close

        urlpatterns = [path("close/", close)]
        # file: views.py
        from django.contrib.auth.decorators import login_required
        from django.views.decorators.csrf import csrf_exempt

        @csrf_exempt
        @login_required
        def close(request):
            request.user.delete()

    Good:
        # file: settings.py
        ROOT_URLCONF = "urls"
        INSTALLED_APPS = ["django.contrib.auth"]
        # file: urls.py
        from django.urls import path

        from views import close

        urlpatterns = [path("close/", close)]
        # file: views.py
        from django.contrib.auth.decorators import login_required

        @login_required
        def close(request):
            request.user.delete()

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
    """
    for name in sorted(project.models.kinds["csrf-settings"]):
        by_hand = name == "WTF_CSRF_CHECK_DEFAULT" and project.calls_of("protect")
        for setting in settings_named(project, name) if not by_hand else ():
            if is_literally(project, setting.value, False):
                message = f"`{setting.name} = False` turns the protection of every form off."
                yield Finding(place=setting.place, message=message)
    yield from _django_middleware(project)
    yield from _exempt(project)
    yield from _left_out(project)
    yield from _forms(project)
    yield from _never_on(project)


def _django_middleware(project: Project) -> Iterator[Finding]:
    setting = django_setting(project, "MIDDLEWARE") or django_setting(project, "MIDDLEWARE_CLASSES")
    listed = strings(project, setting.value) if setting is not None else ()
    if setting is not None and _SESSIONS in listed and not any("csrf" in name.lower() for name in listed):
        yield Finding(
            place=setting.place,
            message=f"`{setting.name}` has sessions and lacks `{_MIDDLEWARE}`: no form is protected.",
            remedy=f'Put "{_MIDDLEWARE}" after the session middleware.',
        )


def _exempt(project: Project) -> Iterator[Finding]:
    """Views that are exempted although a cookie logs in to them."""
    seen: set[Place] = set()
    for route in project.once(guarded):
        place = _exemption(project, route)
        if place is not None and place not in seen and _by_cookie(project, route):
            seen.add(place)
            shown = f"{'/'.join(route.methods) or 'Any method'} {route.path}"
            yield Finding(
                place=place,
                message=f"{shown} is exempted from the protection, and the session's cookie logs in to it.",
                scope=route.handler.function.qualname,
            )


def _exemption(project: Project, route: Route) -> Place | None:
    if route.handler.file.role != "production" or (route.methods and not UNSAFE & set(route.methods)):
        return None
    view = route.view
    around = [view.outer.node(value) for value in view.cls.decorators] if view is not None else []
    for node in (*route.handler.decorators, *around, *route.wrappers):
        named = [node.func or node, *node.args()] if node.method == "method_decorator" else [node.func or node]
        inner = [item for name in named for item in (name, *items(name))]
        if any(not set(_EXEMPTS).isdisjoint(project.names(name)) for name in inner):
            return route.place if node in route.wrappers else _line(route, node)
    return None


def _line(route: Route, decorator: Node) -> Place:
    return decorator.place if decorator.call is not None else route.handler.place


def _by_cookie(project: Project, route: Route) -> bool:
    if route.view is not None and any(name.startswith("rest_framework") for name in project.lineage(route.view.name)):
        return False
    names = {name for d in route.handler.decorators for name in project.names(d.func or d)}
    if "rest_framework.decorators.api_view" in names:
        return False
    if any(_COOKIE_GUARDS.holds(guard.name) for guard in route.guards):
        return True
    by_token = any(_TOKENS.holds(guard.name) for guard in route.guards)
    if by_token or checks_password(project, route.handler):  # who logs in has no session yet
        return False
    return any(_reads_session(project, code) for code in _asking(project, route))


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
            yield code
            yield from (code.file.code(op.function) for op in code.ops if isinstance(op, ops.Def))


def _left_out(project: Project) -> Iterator[Finding]:
    """A protection that was written and is used nowhere."""
    for decorator, target in project.once(decorated):
        if not isinstance(target, Code) or "csrf" not in target.function.name.lower():
            continue
        made = any(name.endswith("web.middleware") for name in project.names(decorator.func or decorator))
        if made and not _used(project, target):
            for call in project.calls("aiohttp.web.Application"):
                if project.role(call.code.path) == "production":
                    yield Finding(
                        place=_middlewares(call),
                        message=f"`{target.function.name}` is written and not among the application's middlewares.",
                        remedy=f"Add `{target.function.name}` to `middlewares`.",
                    )


def _used(project: Project, code: Code) -> bool:
    """Whether another body reads the function, or another file imports it."""
    name = code.function.name
    imported = any(item.name == name for file in project.files.values() for item in file.facts.imports)
    return imported or any(True for _ in project.mentioning(name))


def _middlewares(call: Node) -> Place:
    listed = call.arg(None, "middlewares")
    return listed.place if listed is not None and listed.at.line >= call.at.line else call.place


def _forms(project: Project) -> Iterator[Finding]:
    """``class Meta: csrf = False`` in a form."""
    for cls in project.subclasses(*sorted(project.models.kinds.get("forms", ()))):
        meta: ClassView | None = cls.inner.get("Meta")
        field = meta.fields.get("csrf") if meta is not None else None
        if field is not None and is_literally(project, field, False) and cls.file.role == "production":
            message = f"The form `{cls.cls.name}` is made without its CSRF token."
            yield Finding(place=field.place, message=message, assumed=_UNPROTECTED)


def _never_on(project: Project) -> Iterator[Finding]:
    """A Flask application that logs in by its session, takes forms, and protects none."""
    made = [call for call in project.calls("flask.Flask") if project.role(call.code.path) == "production"]
    homes = {_folder(call.code.path) for call in made}
    for home in sorted(homes):
        call = next(call for call in made if _folder(call.code.path) == home)
        forms = [route for route in project.once(guarded) if _takes_form(project, route)]
        forms = [route for route in forms if _home(route.handler.path, homes) in (home, None)]
        if not forms or _protects_itself(project, home, homes):
            continue
        first = next((route for route in forms if authenticated(route)), forms[0])
        shown = f"{'/'.join(first.methods)} {first.path}"
        yield Finding(
            place=call.place,
            message=f"No form is protected, and the session's cookie logs in: {shown} can be posted by any site.",
            remedy="`CSRFProtect(app)` of Flask-WTF, and `{{ csrf_token() }}` in each form.",
            assumed=_UNPROTECTED,
            shown="strict",
            related=(Step(first.handler.place, "takes a form for whoever the session names"),),
        )


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _home(path: str, homes: set[str]) -> str | None:
    """The application that a file belongs to: the one whose folder it is in, the innermost first."""
    own = [home for home in homes if not home or path.startswith(f"{home}/")]
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
    by_token = any(_TOKENS.holds(guard.name) for guard in route.guards)
    asked = any(in_body(guard) for guard in route.guards)
    return reads and not by_token and (asked or mentions_caller(project, route.handler))
