"""Flask's settings: what is stored into an application's configuration, classes and files that it is told to read."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backaudit.backend.deployment.django_settings import names_bound
from backaudit.backend.deployment.setting import Setting
from backaudit.facts import ops
from backaudit.facts.place import Place, Span
from backaudit.project import ClassView, Code, Node, Project, PythonFile
from backaudit.project.circles import cut_circles
from backaudit.project.locate import classes_behind, strings, text_of
from backaudit.source import lines
from backaudit.vocabulary.meaning import meaning

_DEVELOPMENT_CLASS = meaning("stages", "development-class")


_ATTRIBUTES = ("secret_key", "debug")


def flask_settings(project: Project) -> tuple[Setting, ...]:
    """What is stored in an application's configuration, in the order of files and lines."""
    found = [*_stored(project), *_updated(project), *_config_classes(project), *_config_modules(project)]
    return tuple(sorted(found, key=lambda setting: (setting.place, setting.name)))


def _stored(project: Project) -> Iterator[Setting]:
    """``app.config["X"] = value``, Sanic's ``app.config.X = value``, and ``app.secret_key = value``."""
    for code in dict.fromkeys([*project.mentioning("config"), *_writers(project)]):
        for value, op in enumerate(code.ops):
            node = code.node(value)
            if isinstance(op, ops.SetItem) and _is_config(node.to(op.base)):
                key = text_of(project, node.to(op.key))
                if key:
                    yield _flask(key, node.to(op.value), node)
            elif isinstance(op, ops.SetAttr) and op.name in _ATTRIBUTES and _is_app(project, node.to(op.base)):
                yield _flask(op.name.upper(), node.to(op.value), node)
            elif isinstance(op, ops.SetAttr) and op.name.isupper() and _is_config(node.to(op.base)):
                yield _flask(op.name, node.to(op.value), node)


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
        for name, value in names_bound(project, file, 0).items():
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
