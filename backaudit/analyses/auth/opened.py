"""Origins that an application opens itself to, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.auth.deeds import public_words, words
from backaudit.analyses.auth.origins import fits_stranger
from backaudit.backend.access.denial import mention, tests_around
from backaudit.backend.access.guards import authenticated, guarded
from backaudit.backend.deployment.django_settings import dict_entry, django_setting
from backaudit.backend.deployment.setting import Setting
from backaudit.backend.deployment.settings import is_literally, settings_named
from backaudit.backend.deployment.stages import stage_of
from backaudit.backend.web.written_headers import bodies_with, set_headers
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project
from backaudit.project.locate import behind, conditions, functions_behind, strings
from backaudit.vocabulary.meaning import meaning

_ALL = ("*", ".*", "^.*$", r"https?://.*", "http.*")
_ORIGIN, _CREDENTIALS = "access-control-allow-origin", "access-control-allow-credentials"
_ORIGINS_SETTING = "CORS_ORIGINS"
_REFLECTED = meaning("tokens", "reflected-origin")
_HEADER = 'if origin in ("https://app.example.org",): response.headers["Access-Control-Allow-Origin"] = origin'
_ANCHORED = r"allow_origin_regex=r'https://([a-z0-9-]+\.)?example\.org'"


class Opened(msgspec.Struct, frozen=True):
    """Every origin, or a stranger's, is let in; ``credentials``: with the cookies of who visits it."""

    place: Place
    how: str
    credentials: bool
    remedy: str


def opened(project: Project) -> Iterator[Opened]:
    """All that opens an application, whichever library does it; not those of developers and tests."""
    elsewhere = ("test", "development")
    return (found for found in _opened(project) if stage_of(project, found.place.path) not in elsewhere)


def _opened(project: Project) -> Iterator[Opened]:
    yield from _middleware(project)
    yield from _settings_objects(project)
    yield from _extensions(project)
    yield from _configurations(project)
    yield from _origin_maps(project)
    yield from _sockets(project)
    yield from _django(project)
    yield from _by_hand(project)


def _is_all(project: Project, node: Node | None) -> bool:
    return any(text in _ALL for text in strings(project, node))


def _true(project: Project, node: Node | None) -> bool:
    return node is not None and is_literally(project, node, True)


def _middleware(project: Project) -> Iterator[Opened]:
    for last in ("add_middleware", "Middleware", "CORSMiddleware"):
        for call in project.calls_of(last):
            target = call.arg(0) if last != "CORSMiddleware" else call.func
            if target is None or project.models.kinds["cors-middlewares"].isdisjoint(project.names(target)):
                continue
            origins, pattern = call.arg(None, "allow_origins"), call.arg(None, "allow_origin_regex")
            stranger = fits_stranger(strings(project, pattern), whole=True)
            credentials = _true(project, call.arg(None, "allow_credentials"))
            if stranger and not _is_all(project, pattern):
                how = f"The pattern of origins also fits strangers' sites, as `{stranger}`,"
                yield Opened(_where(call, pattern), how, credentials, _ANCHORED)
            elif _is_all(project, origins) or _is_all(project, pattern):
                remedy = 'allow_origins=["https://app.example.org"]'
                place = _where(call, origins or pattern)
                yield Opened(place, "Every origin is allowed", credentials, remedy)


def _settings_objects(project: Project) -> Iterator[Opened]:
    """Objects and calls that hold the policy of an application: unless told, they allow every origin."""
    for call in project.calls(*sorted(project.models.kinds["cors-policies"])):
        origins = call.argument(("allow_origins", "allow_origin"))
        pattern = call.arg(None, "allow_origin_regex")
        silent = origins is None and pattern is None
        if silent or _is_all(project, origins) or _is_all(project, pattern):
            allowed = call.arg(None, "allow_credentials")
            how = f"`{call.method}` without origins allows every origin" if silent else "Every origin is allowed"
            remedy = 'allow_origins=["https://app.example.org"]'
            credentials = _true(project, allowed) or _is_all(project, allowed)
            yield Opened(_where(call, origins or pattern), how, credentials, remedy)


def _where(call: Node, given: Node | None) -> Place:
    """The list of origins if it is written in the call, else the call."""
    inside = given is not None and call.at.line <= given.at.line <= call.at.end_line
    return given.place if given is not None and inside else call.place


def _extensions(project: Project) -> Iterator[Opened]:
    """Extensions that are given an application, and open it to every origin unless told."""
    for call in project.calls(*sorted(project.models.kinds["cors-extensions"])):
        origins = call.arg(None, "origins") or _resource_origins(project, call)
        given = origins is not None or call.arg(None, "resources") is not None
        if _configured(project) and not given:
            continue
        if call.method == "cross_origin" and not _asks(project, call):
            continue
        if not given or _is_all(project, origins):
            credentials = _true(project, call.arg(None, "supports_credentials"))
            how = "Every origin is allowed" if given else f"`{call.spelled}` without origins allows every origin"
            yield Opened(call.place, how, credentials, 'CORS(app, origins=["https://app.example.org"])')


def _asks(project: Project, call: Node) -> bool:
    """Whether the view that a decorator opens to other origins asks for a login."""
    opened = [route for route in project.once(guarded) if call in route.handler.decorators]
    return not opened or any(authenticated(route) and not words(route) & public_words(project) for route in opened)


def _configured(project: Project) -> bool:
    return bool(settings_named(project, _ORIGINS_SETTING))


def _configurations(project: Project) -> Iterator[Opened]:
    """``app.config.CORS_ORIGINS = "*"``: the setting that the extensions read."""
    allowed = settings_named(project, "CORS_SUPPORTS_CREDENTIALS")
    credentials = any(_true(project, setting.value) for setting in allowed)
    for setting in settings_named(project, _ORIGINS_SETTING):
        if _is_all(project, setting.value):
            how = f"`{setting.name}` allows every origin"
            yield Opened(setting.place, how, credentials, f'{setting.name} = "https://app.example.org"')


def _origin_maps(project: Project) -> Iterator[Opened]:
    """Calls that are given what each origin may: ``{"*": ResourceOptions(allow_credentials=True)}``."""
    for call in project.calls(*sorted(project.models.kinds["cors-origin-maps"])):
        for given in call.args():
            for display in behind(project, given):
                yield from _mapped(project, call, display)


def _mapped(project: Project, call: Node, display: Node) -> Iterator[Opened]:
    for origin, options in display.entries():
        if _is_all(project, origin):
            made = behind(project, options)
            credentials = any(_true(project, each.arg(None, "allow_credentials")) for each in made)
            place = _where(call, origin)
            yield Opened(place, "Every origin is allowed", credentials, '{"https://app.example.org": options}')


def _resource_origins(project: Project, call: Node) -> Node | None:
    """``resources={r"/api/*": {"origins": "*"}}``."""
    resources = call.arg(None, "resources")
    for display in behind(project, resources) if resources is not None else ():
        for _, options in display.entries():
            found = dict_entry(project, options, "origins")
            if found is not None:
                return found
    return None


def _sockets(project: Project) -> Iterator[Opened]:
    for call in project.calls(*sorted(project.models.kinds["cors-sockets"])):
        origins = call.arg(None, "cors_allowed_origins")
        if _is_all(project, origins):
            # A socket's handshake carries the cookies: every origin is every origin with credentials.
            how = "The socket server accepts every origin,"
            yield Opened(call.place, how, True, 'cors_allowed_origins=["https://app.example.org"]')


def _django(project: Project) -> Iterator[Opened]:
    credentials = django_setting(project, "CORS_ALLOW_CREDENTIALS")
    with_credentials = credentials is not None and is_literally(project, credentials.value, True)
    for name in ("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"):
        setting = django_setting(project, name)
        if setting is not None and is_literally(project, setting.value, True):
            yield from _django_finding(setting, with_credentials)
    listed = django_setting(project, "CORS_ALLOWED_ORIGIN_REGEXES")
    if listed is not None and _is_all(project, listed.value):
        yield from _django_finding(listed, with_credentials)
    elif listed is not None and (stranger := fits_stranger(strings(project, listed.value), whole=False)):
        how = f"`{listed.name}` also fits strangers' sites, as `{stranger}`,"
        yield Opened(listed.place, how, with_credentials, _ANCHORED)


def _django_finding(setting: Setting, credentials: bool) -> Iterator[Opened]:
    remedy = 'CORS_ALLOWED_ORIGINS = ["https://app.example.org"]'
    yield Opened(setting.place, f"`{setting.name}` allows every origin", credentials, remedy)


# -- headers that a project writes itself ------------------------------------------------------------------------------


def _by_hand(project: Project) -> Iterator[Opened]:
    """``response.headers["Access-Control-Allow-Origin"] = "*"``, or whatever origin asks."""
    for code in bodies_with(project, _ORIGIN):
        stores = list(set_headers(code))
        lines = [(node, value) for node, name, value in stores if name == _CREDENTIALS]
        sent = [value.origin.text or "" for node, value in lines if not _is_never_asked(project, node)]
        credentials = any(text.lower() == "true" for text in sent)
        for node, name, value in stores:
            if name == _ORIGIN:
                yield from _written(project, node, value, credentials)


def _is_never_asked(project: Project, node: Node) -> bool:
    """Whether a line runs only where a switch is on that is off by default, and that nobody gives."""
    for test, region in tests_around(node):
        op = test.origin.op
        param = _named_param(node.code, test)
        if region.kind == "then" and param is not None and isinstance(op, (ops.Param, ops.Name)):
            return not any(call.arg(None, param) is not None for call in _switched(project, param))
    return False


def _named_param(code: Code, test: Node) -> str | None:
    """The switch that a condition is, of the body or of one around it, if it is off by default."""
    around: Code | None = code
    while around is not None:
        for param in around.function.params:
            default = around.outside(param.default)
            if param.name == test.origin.spelled and default is not None and default.const is False:
                return param.name
        around = around.parent
    return None


def _switched(project: Project, name: str) -> Iterator[Node]:
    """The calls that switch something of that name, and do not only hand it on."""
    for code in project.mentioning(name):
        for call in code.nodes(ops.Call):
            given = call.arg(None, name)
            if given is not None and given.origin.spelled != name:
                yield call


def _written(project: Project, node: Node, value: Node, credentials: bool) -> Iterator[Opened]:
    """What one header with an origin opens."""
    if value.origin.text == "*" and _answers_all(node.code):
        yield Opened(node.place, "Every origin is allowed", False, _HEADER)
    elif _REFLECTED.holds(mention(project, value.origin).lower()) and not _compared(project, node, value):
        yield Opened(node.place, "Whatever origin asks is allowed", credentials, _HEADER)


def _answers_all(code: Code) -> bool:
    """A hook or middleware. A star that single views answer with opens those alone, which carry no cookie by it."""
    hooks = code.project.models.kinds["after-hooks"]
    named = [d.arg(0) for d in code.decorators]
    names = {d.spelled.rpartition(".")[2].removesuffix("()") for d in code.decorators} | {code.function.name}
    names |= {first.text for first in named if first is not None and first.text}
    return not hooks.isdisjoint(names) or _calls_next(code) or code in code.project.once(_listed_hooks)


def _listed_hooks(project: Project) -> frozenset[Code]:
    """Functions that are added to a list of hooks: ``app.on_response_prepare.append(function)``."""
    hooks = project.models.kinds["after-hooks"]
    found: set[Code] = set()
    for call in project.calls_of("append"):
        given, receiver = call.arg(0), call.receiver
        if given is not None and receiver is not None and receiver.spelled.rpartition(".")[2] in hooks:
            found.update(functions_behind(project, given))
    return frozenset(found)


def _calls_next(code: Code) -> bool:
    return any(call.method in ("get_response", "call_next") for call in code.nodes(ops.Call))


def _compared(project: Project, node: Node, value: Node) -> bool:
    """Whether the header is written only for origins that a condition compares, or asks a check about: around where it
    is written, or around where one of the values that it may have is chosen.
    """
    made = value.origin
    chosen = [value, *(made.to(part) for part in (made.op.values if isinstance(made.op, ops.Phi) else ()))]
    asked = [part for part in chosen if not isinstance(part.origin.op, ops.Const)]
    return any(_is_compared(project, place) for place in (node, *asked))


def _is_compared(project: Project, node: Node) -> bool:
    for test, _ in tests_around(node):
        for single in conditions(test):
            here = single.origin
            read = here.method in ("get", "getlist", "get_header") or isinstance(here.op, (ops.Item, ops.Param))
            none = isinstance(here.op, ops.Compare) and here.op.operator in ("is", "is not")
            if not read and not none and "origin" in mention(project, single).lower():
                return True
    return False
