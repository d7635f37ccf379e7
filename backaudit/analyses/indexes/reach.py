"""Who runs a query: requests and jobs, nobody, or somebody at a terminal."""

from __future__ import annotations

from backaudit.backend.data.schema import schema
from backaudit.project import Code, Project
from backaudit.vocabulary.meaning import meaning

_TERMINAL = meaning("stages", "terminal")
_BINDING = ("staticmethod", "classmethod")


def reached(project: Project, code: Code) -> bool:
    """Whether something in the project may run the function: frameworks call what is decorated or overrides."""
    function = code.function
    if function.kind != "function" or function.name.startswith("__"):
        return True
    if function.decorators and not _only_binding(code):
        return True
    if code.cls is not None and _overrides(project, code):
        return True
    return any(True for _ in project.calling(function.name)) or any(True for _ in project.mentioning(function.name))


def serves_requests(project: Project, code: Code) -> bool:
    """Whether a function runs in requests or jobs, not at somebody's terminal."""
    commands = any(
        name.spelled.rpartition(".")[2] == "command" or ".command()" in name.spelled for name in code.decorators
    )
    terminal = commands or _TERMINAL.holds(code.path)
    return not terminal and project.role(code.path) == "production"


def _only_binding(code: Code) -> bool:
    return all(decorator.spelled in _BINDING for decorator in code.decorators)


def _overrides(project: Project, code: Code) -> bool:
    """Whether a class has a base that is a library's, which may call any of its methods."""
    cls = code.cls
    lineage = project.lineage(cls.name)[1:] if cls is not None else ()
    foreign = [name for name in lineage if project.class_named(name) is None and name != "builtins.object"]
    tables = schema(project)
    return bool(foreign) and (cls is None or tables.of_model(cls.name) is None)
