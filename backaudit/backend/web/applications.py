"""Where the application is made that answers a route, so that a program can import it."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.deployment.django_settings import settings_modules
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.facts.requests import Application
from backaudit.project import Code, Node, Project, PythonFile
from backaudit.project.holding import conditions
from backaudit.project.locate import behind


def application(project: Project, route: Route) -> Application | None:
    """The application of a route; None where no program of the project's makes it by a name."""
    if project.models.framework(route.framework).settings_start:
        return project.once(_by_settings)
    made = next((node for node in (*route.around, *_made(project, route)) if _starts(project, node)), None)
    if made is None:
        return None
    return _filled_elsewhere(project, route, made) or _named(made)


def _filled_elsewhere(project: Project, route: Route, made: Node) -> Application | None:
    """The module that imports the application and hangs its routes on it, where the one that makes it does not."""
    for call in (*route.around, *((route.declared,) if route.declared is not None else ())):
        code, receiver = call.code, call.receiver
        is_apart = code.function.kind == "module" and code.path != made.code.path and receiver is not None
        name = receiver.spelled if is_apart and receiver is not None else ""
        is_it = name.isidentifier() and receiver is not None and made in behind(project, receiver)
        if is_it and not _imports(project, made.code.file, code.file):
            folder, module = importable(project, code.file)
            return Application(module, name, folder=folder)
    return None


def _imports(project: Project, file: PythonFile, other: PythonFile) -> bool:
    for item in file.facts.imports:
        for name in project.imported(file, item.module, item.name, item.level):
            whole = name.removeprefix("module[").removesuffix("]")
            if whole == other.module or whole.startswith(f"{other.module}."):
                return True
    return False


def hangs(project: Project, route: Route) -> bool:
    """Whether a route is known to be under an application, or nothing says that others of its framework are."""
    if not route.around or route.framework not in project.once(_mounting):
        return True
    return any(_starts(project, node) for node in route.around)


def _mounting(project: Project) -> frozenset[str]:
    """The frameworks of which some route is known to be under an application."""
    return frozenset(
        route.framework for route in project.once(routes) if any(_starts(project, node) for node in route.around)
    )


def _made(project: Project, route: Route) -> Iterator[Node]:
    """The project's applications, where the way from one to the route is not known: that of its file first."""
    started = [call for name in sorted(project.models.kinds["starts"]) for call in project.calls(name)]
    production = [call for call in started if call.code.file.role == "production"]
    return iter(sorted(production, key=lambda call: (call.code.path != route.place.path, call.place)))


def _starts(project: Project, node: Node) -> bool:
    return node.func is not None and not project.models.kinds["starts"].isdisjoint(project.names(node.func))


def _named(made: Node) -> Application | None:
    code = made.code
    folder, module = importable(code.project, code.file)
    if code.function.kind == "module":
        names = (name for name, value in code.body.final.items() if code.origin(value) == made.value)
        name = "" if _is_of_program(code, made.value) else next(names, "")
        return Application(module, name, folder=folder) if name else None
    if code.function.kind == "function" and code.cls is None and not _needs_arguments(code):
        return _kept(code, module, folder) or Application(module, code.function.name, called=True, folder=folder)
    return None


def _kept(factory: Code, module: str, folder: str) -> Application | None:
    """The name under which the factory's own module keeps what it made: ``app = create_app()``."""
    top = factory.file.top
    for name, value in top.body.final.items():
        made = top.node(value).origin
        if _is_of_program(top, made.value):
            continue
        if made.call is not None and made.method == factory.function.name and factory in factory.project.callees(made):
            return Application(module, name, folder=folder)
    return None


def _is_of_program(module: Code, value: int) -> bool:
    """Whether what a module makes is there only where it is run as a program (`if __name__ == "__main__"`)."""
    tests = [module.node(test).op for test, truth in conditions(module, value) if truth]
    return any(isinstance(op, ops.Compare) and module.node(op.left).spelled == "__name__" for op in tests)


def _needs_arguments(code: Code) -> bool:
    params = code.function.params
    return any(param.kind not in ("star", "dstar") and param.default == ops.NONE for param in params)


def importable(project: Project, file: PythonFile) -> tuple[str, str]:
    """The folder from which a program imports a file, and the file's dotted name there."""
    folder = next(_started_from(project, file), None)
    if folder is None:
        folder = _above_packages(project, file.path)
    inner = file.path.removeprefix(f"{folder}/").removesuffix(".py").removesuffix("/__init__")
    return folder, inner.replace("/", ".")


def _started_from(project: Project, file: PythonFile) -> Iterator[str]:
    """What the file's imports of the project's own modules count from."""
    for item in file.facts.imports:
        for name in project.imported(file, item.module, "", 0) if item.module and not item.level else ():
            whole = name.removeprefix("module[").removesuffix("]")
            if whole == item.module or whole.endswith(f".{item.module}"):
                folder = whole[: -len(item.module)].rstrip(".").replace(".", "/")
                if file.path.startswith(f"{folder}/" if folder else ""):
                    yield folder


def _above_packages(project: Project, path: str) -> str:
    folder = path.rpartition("/")[0]
    while folder and f"{folder}/__init__.py" in project.files:
        folder = folder.rpartition("/")[0]
    return folder


def _by_settings(project: Project) -> Application | None:
    modules = [module for module in project.once(settings_modules) if module.production]
    if not modules:
        return None
    folder, name = importable(project, modules[-1].file)
    return Application(name, folder=folder)


__all__ = ["application", "hangs", "importable"]
