"""What a project is configured with: Django's settings modules, Flask's configuration, pydantic's settings classes,
and look-ups in the environment with their defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from backaudit.backend.deployment.deployables import is_deployable
from backaudit.backend.deployment.stages import stage_of
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place, Span
from backaudit.project import ClassView, Code, Node, Project, PythonFile
from backaudit.project.circles import cut_circles
from backaudit.project.locate import behind, classes_behind, strings, text_of
from backaudit.source import lines
from backaudit.vocabulary.meaning import meaning

Origin = Literal["django", "flask", "pydantic"]

_DEVELOPMENT = meaning("stages", "development-module")
_PRODUCTION = meaning("stages", "production-module")
_TOLD = re.compile(
    r"\bDJANGO_SETTINGS_MODULE[\"']?(?:\s*[:=]\s*|\s+value:\s*|\s+|[\"',\s]+value[\"']?\s*[:=]\s*)[\"']?(?P<module>[A-Za-z_]\w*(?:\.\w+)+)"
)
_DEVELOPMENT_CLASS = meaning("stages", "development-class")
_ATTRIBUTES = ("secret_key", "debug")
_DEPTH = 6


class Setting(msgspec.Struct, frozen=True):
    """A name and the value it is given. ``production`` is False in what is only for development or tests."""

    name: str
    value: Node
    place: Place
    origin: Origin
    production: bool = True


class EnvLookup(msgspec.Struct, frozen=True):
    """A read of the environment; ``default`` is what stands in when the variable is not set, None if nothing does."""

    name: str
    call: Node
    default: Node | None

    @property
    def place(self) -> Place:
        return self.call.place


# -- Django ---------------------------------------------------------------------------------------------------------


class SettingsModule(msgspec.Struct, frozen=True):
    """A Django settings module: its own names and those of the modules that it star-imports.

    ``sources``: the paths of all of them, its own first.
    """

    file: PythonFile
    production: bool
    names: dict[str, Node]
    sources: tuple[str, ...]


def settings_modules(project: Project) -> tuple[SettingsModule, ...]:
    """The project's Django settings modules; which one is for production is told by what wsgi names, or by its name."""
    files = [f for f in project.files.values() if f.role not in ("test", "example") and _is_settings(project, f)]
    production = _deployed(project, files)
    return tuple(SettingsModule(f, f.path in production, _names(project, f, 0), _sources(project, f)) for f in files)


def _deployed(project: Project, files: list[PythonFile]) -> set[str]:
    """Paths of the settings that are deployed: what deployment files name, else what names itself so or wsgi names."""
    meant = [file for file in files if not _DEVELOPMENT.holds(file.module.rpartition(".")[2])]
    told = project.once(modules_told)
    named = {file.path for file in meant if any(_is_module(file, name) for name in told)}
    if named:
        return named
    own = [file for file in files if _PRODUCTION.holds(file.module)]
    by_entry = {file.path for file in files if file.module in project.once(_named_modules)}
    replaced = {path for file in own for path in _replaced(project, file, by_entry)}
    return {file.path for file in own} | by_entry - replaced or {file.path for file in meant}


def _is_module(file: PythonFile, name: str) -> bool:
    """``config.settings.prod`` as a deployment file writes it, whose folder on the path may lie below the root."""
    return file.module == name or file.module.endswith(f".{name}")


def _replaced(project: Project, own: PythonFile, others: set[str]) -> set[str]:
    """Of other settings, those that a production module extends or stands beside: the machine chooses it by name."""
    folder = own.path.rpartition("/")[0]
    extended = {file.path for file in starred(project, own)}
    return {path for path in others if path != own.path and (path in extended or path.rpartition("/")[0] == folder)}


def modules_told(project: Project) -> frozenset[str]:
    """What files by which a platform runs the project set DJANGO_SETTINGS_MODULE to."""
    found: set[str] = set()
    for path, file in project.facts.items():
        starts = is_deployable(file) or file.kind == "shell"
        if starts and "DJANGO_SETTINGS_MODULE" in file.text and stage_of(project, path) == "production":
            found |= {match["module"] for match in _TOLD.finditer(file.text)}
    return frozenset(found)


def _is_settings(project: Project, file: PythonFile) -> bool:
    own = [f for f in file.facts.imports if f.name == "*"]
    if not own and "settings" not in file.path and "conf" not in file.path:
        return False
    return not project.models.kinds["settings-marks"].isdisjoint(file.top.body.final) or any(
        not project.models.kinds["settings-marks"].isdisjoint(other.top.body.final) for other in starred(project, file)
    )


def starred(project: Project, file: PythonFile) -> Iterator[PythonFile]:
    """The project's files that a file imports all names of, an import each."""
    for item in file.facts.imports:
        if item.name == "*":
            for name in project.imported(file, item.module, "", item.level):
                path = next((f for f in project.files.values() if f"module[{f.module}]" == name), None)
                if path is not None and path != file:
                    yield path


def _sources(project: Project, file: PythonFile) -> tuple[str, ...]:
    found = {file.path: file}
    left = [file]
    while left:
        for other in starred(project, left.pop()):
            if other.path not in found:
                found[other.path] = other
                left.append(other)
    return tuple(found)


def inherited_names(project: Project, file: PythonFile, depth: int = 0) -> dict[str, Node]:
    """What a module's star imports bind, the later ones over the earlier ones."""
    found: dict[str, Node] = {}
    for other in () if project.gives_up(depth, _DEPTH, file.top.place) else starred(project, file):
        found |= _names(project, other, depth + 1)
    return found


def _names(project: Project, file: PythonFile, depth: int) -> dict[str, Node]:
    found = inherited_names(project, file, depth)
    final = file.top.body.final
    found |= {name: file.top.node(value) for name, value in final.items() if name.isupper()}
    return found


def _named_modules(project: Project) -> frozenset[str]:
    """Modules that the entry points of a server name in DJANGO_SETTINGS_MODULE."""
    found: set[str] = set()
    for call in project.calls_of("setdefault"):
        key = call.arg(0)
        if key is not None and key.text == "DJANGO_SETTINGS_MODULE" and call.code.file.role == "production":
            text = text_of(project, call.arg(1))
            for name in project.imported(call.code.file, text or "", "", 0) if text else ():
                found.add(name.removeprefix("module[").removesuffix("]"))
    return frozenset(found)


def django_setting(project: Project, name: str) -> Setting | None:
    """A setting of the production settings module (the last one, if several are)."""
    for module in reversed(project.once(settings_modules)):
        if module.production and name in module.names:
            value = module.names[name]
            return Setting(name, value, value.place, "django")
    return None


def uses_django(project: Project) -> bool:
    """Whether the project has Django settings for production."""
    return any(module.production for module in project.once(settings_modules))


def entry(project: Project, name: str, key: str) -> Node | None:
    """One key of a Django setting that is a dictionary (``REST_FRAMEWORK``)."""
    setting = django_setting(project, name)
    return dict_entry(project, setting.value, key) if setting is not None else None


def dict_entry(project: Project, node: Node, key: str) -> Node | None:
    """The value under a key of a literal dictionary, also one stored later."""
    here = project.resolved(node)
    op = here.op
    for value in here.code.effects.get(here.value, ()):
        store = here.code.ops[value]
        if isinstance(store, ops.SetItem) and here.to(store.key).text == key:
            return here.to(store.value)
    if isinstance(op, ops.Call):
        return here.keywords().get(key)
    return next((value for name, value in here.entries() if name.text == key), None)


# -- Flask ----------------------------------------------------------------------------------------------------------


def flask_settings(project: Project) -> tuple[Setting, ...]:
    """What is stored in an application's configuration, in the order of files and lines."""
    found = [*_stored(project), *_updated(project), *_config_classes(project), *_config_modules(project)]
    return tuple(sorted(found, key=lambda setting: (setting.place, setting.name)))


def _stored(project: Project) -> Iterator[Setting]:
    """``app.config["X"] = value`` and ``app.secret_key = value``."""
    for code in dict.fromkeys([*project.mentioning("config"), *_writers(project)]):
        for value, op in enumerate(code.ops):
            node = code.node(value)
            if isinstance(op, ops.SetItem) and _is_config(node.to(op.base)):
                key = text_of(project, node.to(op.key))
                if key:
                    yield _flask(key, node.to(op.value), node)
            elif isinstance(op, ops.SetAttr) and op.name in _ATTRIBUTES and _is_app(project, node.to(op.base)):
                yield _flask(op.name.upper(), node.to(op.value), node)


def _writers(project: Project) -> Iterator[Code]:
    """Bodies that make a Flask application."""
    for name in ("Flask", "Quart", "APIFlask"):
        for call in project.calls_of(name):
            yield call.code


def _flask(name: str, value: Node, at: Node) -> Setting:
    return Setting(name, value, at.place, "flask", at.code.file.role == "production")


def _is_config(node: Node) -> bool:
    return node.spelled.endswith(".config") and not node.spelled.startswith("self.config.")


def _is_app(project: Project, node: Node) -> bool:
    return not project.models.kinds["configured-apps"].isdisjoint(project.types(node))


def _updated(project: Project) -> Iterator[Setting]:
    """``app.config.update(X=value)`` and ``from_mapping``."""
    for last in ("update", "from_mapping"):
        for call in project.calls_of(last):
            receiver = call.receiver
            if receiver is not None and _is_config(receiver):
                for name, value in call.keywords().items():
                    yield _flask(name, value, value)
                display = call.arg(0)
                yield from _mapped(display) if display is not None else ()


def _mapped(display: Node) -> Iterator[Setting]:
    for key, value in display.entries():
        if key.text:
            yield _flask(key.text, value, value)


def _config_classes(project: Project) -> Iterator[Setting]:
    """``app.config.from_object(Config)``: the attributes of the class that is named, those of its bases with it."""
    chosen, others = project.once(_chosen_classes), project.once(config_classes)
    served = list(filter(_serves, chosen)) or list(filter(_serves, others))
    told: set[Node] = set()
    for name, value in (pair for cls in served for pair in _attributes(project, cls).items()):
        if value not in told:
            told.add(value)
            yield Setting(name, value, value.place, "flask")
    for name, value in (pair for cls in others for pair in cls.fields.items()):
        if name.isupper() and value not in told:
            yield Setting(name, value, value.place, "flask", production=False)


def _serves(cls: ClassView) -> bool:
    return cls.file.role == "production" and not _DEVELOPMENT_CLASS.holds(cls.cls.name)


def _attributes(project: Project, cls: ClassView) -> dict[str, Node]:
    """The attributes in upper case that a class has, whichever of its bases gives them."""
    found: dict[str, Node] = {}
    for view in project.lineage_views(cls.name):
        for name, value in view.fields.items():
            if name.isupper():
                found.setdefault(name, value)
    return found


def _config_modules(project: Project) -> Iterator[Setting]:
    """``from_object("settings")`` and ``from_pyfile("settings.py")``: the names of a module, star imports followed."""
    for file in dict.fromkeys((*_objects(project), *_pyfiles(project))):
        for name, value in _names(project, file, 0).items():
            if name.isupper():
                yield _flask(name, value, value)


def _objects(project: Project) -> Iterator[PythonFile]:
    for call in project.calls_of("from_object"):
        target = call.arg(0)
        for text in _texts(project, target) or [""]:
            named = project.imported(call.code.file, text, "", 0) if text else project.types(target) if target else ()
            yield from (file for file in project.files.values() if f"module[{file.module}]" in named)


def _pyfiles(project: Project) -> Iterator[PythonFile]:
    """The files that a path may mean: beside the application, or in its instance folder."""
    for call in project.calls_of("from_pyfile"):
        text = text_of(project, call.arg(0, "filename")) if call.receiver is not None else None
        path = text.lstrip("./") if text else ""
        if path.endswith(".py"):
            yield from (file for file in project.files.values() if f"/{file.path}".endswith(f"/{path}"))


class WrittenSetting(msgspec.Struct, frozen=True):
    """An assignment in a file that is read as Python though it is called otherwise; ``text`` is the value's code."""

    name: str
    text: str
    place: Place


_ASSIGNMENT = re.compile(r"(?P<name>[A-Z][A-Z\d_]*)[ \t]*=[ \t]*(?P<text>[^#]+)")


def pyfile_settings(project: Project) -> tuple[WrittenSetting, ...]:
    """``from_pyfile("site.cfg")``: the assignments of that file. Ask with ``project.once``."""
    found: dict[WrittenSetting, None] = {}
    for call in project.calls_of("from_pyfile"):
        text = text_of(project, call.arg(0, "filename")) if call.receiver is not None else None
        path = text.lstrip("./") if text else ""
        for file in project.facts.values() if path and not path.endswith(".py") else ():
            if f"/{file.path}".endswith(f"/{path}"):
                found.update(dict.fromkeys(_written(file.path, file.text)))
    return tuple(found)


def _written(path: str, text: str) -> Iterator[WrittenSetting]:
    for number, line in enumerate(lines(text), 1):
        found = _ASSIGNMENT.match(line)
        if found is not None:
            value = found["text"].rstrip()
            yield WrittenSetting(
                found["name"], value, Place(path, Span(number, 0, number, found.start("text") + len(value)))
            )


@cut_circles(())
def _texts(project: Project, target: Node | None) -> list[str]:
    """The texts that a configuration is named by: a literal, or what stands in where the environment names none."""
    found = list(strings(project, target))
    here = project.resolved(target) if target is not None and not found else None
    if here is not None and here.call is not None and here.method in ("get", "getenv"):
        found += strings(project, here.arg(1, "default"))
    elif here is not None and isinstance(here.op, ops.Logic):
        found += [text for value in here.op.values for text in _texts(project, here.to(value))]
    return found


def config_classes(project: Project) -> tuple[ClassView, ...]:
    """Classes that Flask takes its configuration from: named by ``from_object``, or called Config beside it.

    With the classes that they extend.
    """
    chosen = project.once(_chosen_classes)
    found: dict[ClassView, None] = dict.fromkeys(chosen)
    if any(_configures(call) for call in project.calls_of("from_object")):
        for cls in project.classes():
            if cls.cls.name.endswith("Config") and any(name.isupper() for name in cls.fields):
                found[cls] = None
    for cls in chosen:
        found |= dict.fromkeys(project.lineage_views(cls.name))
    return tuple(found)


def _configures(call: Node) -> bool:
    return call.receiver is not None and _is_config(call.receiver)


def _chosen_classes(project: Project) -> tuple[ClassView, ...]:
    """The classes that ``from_object`` is given: themselves, an object of theirs, by name, or one of a dictionary."""
    found: dict[ClassView, None] = {}
    for call in filter(_configures, project.calls_of("from_object")):
        target = call.arg(0)
        for node in _among(project, target) if target is not None else ():
            found |= dict.fromkeys(classes_behind(project, node))
            found |= dict.fromkeys(project.instances(node))
        for text in _texts(project, target):
            dotted = text.replace(":", ".")
            found |= {cls: None for cls in project.classes() if f".{cls.name}".endswith(f".{dotted}")}
    return tuple(found)


def _among(project: Project, target: Node) -> Iterator[Node]:
    """``configs[name]`` and ``configs.get(name)``: every value of the dictionary; else what is given itself."""
    here = project.resolved(target)
    outer = here.to(here.op.base) if isinstance(here.op, ops.Item) else None
    if here.call is not None and here.method == "get":
        outer = here.receiver
    display = project.resolved(outer) if outer is not None else None
    if display is not None and display.is_dict:
        yield from display.elements()
    elif display is not None and display.call is not None and display.method == "dict":
        yield from display.keywords().values()
    else:
        yield here


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
