"""What a project is configured with: Django's settings modules, Flask's configuration, pydantic's settings classes,
and look-ups in the environment with their defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from backaudit.backend.deployment.django_settings import django_setting, entry
from backaudit.backend.deployment.flask_settings import flask_settings
from backaudit.backend.deployment.setting import Setting
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.project import ClassView, Node, Project
from backaudit.project.locate import behind, text_of


class EnvLookup(msgspec.Struct, frozen=True):
    """A read of the environment; ``default`` is what stands in when the variable is not set, None if nothing does."""

    name: str
    call: Node
    default: Node | None

    @property
    def place(self) -> Place:
        return self.call.place


# -- pydantic and the environment -----------------------------------------------------------------------------------


def pydantic_settings(project: Project) -> tuple[Setting, ...]:
    """Fields of pydantic's settings classes with their defaults."""
    found: list[Setting] = []
    for cls in project.once(_settings_classes):
        for name, bind in cls.fields.items():
            op = bind.op
            annotated = isinstance(op, ops.Bind) and op.annotation != NONE and op.value == op.annotation
            if not annotated and name not in ("model_config", "Config"):
                value = _given_field(project, bind)
                found.append(Setting(name, value, bind.place, "pydantic", cls.file.role == "production"))
    return tuple(found)


def _given_field(project: Project, bind: Node) -> Node:
    """A field's default: of ``Field("x", ...)`` and ``SecretStr("x")``, what stands in them."""
    value = bind.origin
    wraps = value.func is not None and not project.models.kinds["settings-wrappers"].isdisjoint(
        project.names(value.func)
    )
    return (value.arg(0, "default") or bind) if wraps else bind


def _settings_classes(project: Project) -> tuple[ClassView, ...]:
    """Those of pydantic, and schemas that an extension is configured with, known by the names of their fields."""
    own = dict.fromkeys(project.subclasses(*sorted(project.models.kinds.get("settings-classes", ()))))
    prefixes = tuple(sorted(project.models.kinds.get("settings-prefixes", ())))
    own |= {cls: None for cls in project.classes() if any(name.startswith(prefixes) for name in cls.fields)}
    return tuple(own)


def settings_named(project: Project, name: str) -> tuple[Setting, ...]:
    """Every production value of a setting, whatever configures it; the name in upper case."""
    django = django_setting(project, name)
    return (*([django] if django is not None else []), *project.once(_by_name).get(name, ()))


def settings_of(project: Project, kind: str) -> tuple[Setting, ...]:
    """The production values of all settings that the models list under a kind, by name.

    ``OUTER.KEY`` stands for one key of a setting that is a dictionary (``SIMPLE_JWT``).
    """
    found: list[Setting] = []
    for name in sorted(project.models.kinds.get(kind, ())):
        outer, _, key = name.partition(".")
        if not key:
            found += settings_named(project, name)
            continue
        value = entry(project, outer, key)
        if value is not None:
            found.append(Setting(f'{outer}["{key}"]', value, value.place, "django"))
    return tuple(found)


def _by_name(project: Project) -> Mapping[str, tuple[Setting, ...]]:
    found: dict[str, tuple[Setting, ...]] = {}
    for setting in [*project.once(flask_settings), *project.once(pydantic_settings)]:
        if setting.production:
            key = setting.name.upper()
            found[key] = (*found.get(key, ()), setting)
    return found


def env_lookups(project: Project) -> tuple[EnvLookup, ...]:
    """Reads of the environment: ``os.getenv``, ``os.environ``, decouple, django-environ, by file and line."""
    known = project.models.kinds.get("env-lookups", frozenset())
    found: list[EnvLookup] = []
    for dotted in sorted(known):
        for call in _calls(project, dotted):
            name = text_of(project, call.arg(0))
            if name:
                default = call.arg(1, "default") or _or_default(call) or _schemed(project, call, name)
                found.append(EnvLookup(name, call, default))
    return tuple(sorted(dict.fromkeys(found), key=lambda lookup: lookup.place))


def stands_in(project: Project, node: Node) -> Node | None:
    """What a value is where the environment, in which it is looked up, names none."""
    here = project.resolved(node)
    op = here.op
    asked = here.to(op.values[0]).origin if isinstance(op, ops.Logic) else here
    lookups = (lookup for lookup in project.once(env_lookups) if lookup.call == asked)
    return next((lookup.default for lookup in lookups), None)


def _calls(project: Project, dotted: str) -> Iterator[Node]:
    """Calls of a function, or of an object that is itself called (``env("X")``)."""
    if not dotted.endswith(".__call__"):
        yield from project.calls(dotted)
        return
    owner = dotted.removesuffix(".__call__")
    for made in project.calls(owner):
        # In the body that makes it, the object is called by no name: what is called is the call that gave it.
        yield from (call for call in made.code.nodes(ops.Call) if call.func is not None and call.func.origin is made)
    for name in ("env", "config", "ENV", "_config"):
        for call in project.calls_of(name):
            if call.func is not None and owner in project.types(call.func):
                yield call


def _schemed(project: Project, call: Node, name: str) -> Node | None:
    """The default that the reader itself was made with: ``environ.Env(DEBUG=(bool, False))``."""
    reader = call.receiver or call.func
    made = project.resolved(reader) if reader is not None else None
    pair = made.keywords().get(name) if made is not None else None
    both = pair.pair() if pair is not None else None
    return both[1] if both is not None else None


def _or_default(call: Node) -> Node | None:
    """``os.environ.get(x) or "default"``."""
    for node in call.code.nodes(ops.Logic):
        op = node.op
        if isinstance(op, ops.Logic) and op.operator == "or" and op.values[0] == call.value:
            return node.to(op.values[-1])
    return None


def literal(project: Project, node: Node) -> object:
    """The literal value of a setting; ``...`` where it is computed or read from outside."""
    here = list(behind(project, node))
    if len(here) == 1 and isinstance(here[0].op, ops.Const):
        return here[0].op.value
    return ...


def is_literally(project: Project, node: Node, value: object) -> bool:
    """Whether a setting is exactly this literal (True, False, None, a text)."""
    found = literal(project, node)
    return type(found) is type(value) and found == value
