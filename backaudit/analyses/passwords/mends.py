"""Fixes of what the rules on passwords report."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.passwords.stores import Store
from backaudit.facts import ops
from backaudit.facts.changes import Import
from backaudit.project import Code, Node, Project
from backaudit.project.changing import argument, assigned, instead, needed, type_alone, written_from
from backaudit.rule import Fix


class Hasher(msgspec.Struct, frozen=True):
    """A function of one argument that hashes passwords; ``path``: the file of the project that it stands in."""

    module: str
    name: str
    path: str = ""


def hashed(project: Project, store: Store) -> Iterator[Fix]:
    """What is stored, given to the function by which the project hashes passwords in other places."""
    value, code = store.value, store.at.code
    is_whole = not store.access and value.code is code and not isinstance(value.op, (ops.Param, ops.Bind))
    fitting = (one for one in project.once(_hashers) if _can_import(project, code, one)) if is_whole else ()
    hasher = next(iter(fitting), None)
    if hasher is not None:
        imports = () if hasher.path == code.path else (Import(code.path, hasher.module, hasher.name),)
        changes = (instead(value, f"{hasher.name}({{0}})", value), *imports)
        yield Fix(summary=f"Store what `{hasher.name}` makes of it", changes=changes)


def _hashers(project: Project) -> tuple[Hasher, ...]:
    """The project's own functions first, then functions of libraries that it calls, then those that come with one."""
    strong = [name for name, strength in sorted(project.models.hashers.items()) if strength == "strong"]
    calls = [call for call in project.calls(*strong) if project.role(call.code.path) == "production"]
    own = (Hasher(call.code.file.module, call.code.function.name, call.code.path) for call in calls if _hands_out(call))
    called = (_of_library(project, call) for call in calls)
    coming = (_named(name) for name in sorted(project.models.kinds["hashes-by-name"]))
    return tuple(dict.fromkeys((*own, *filter(None, called), *coming)))


def _hands_out(call: Node) -> bool:
    """Whether a hash is made in a function of the module, of its only parameter, and handed out."""
    code, function = call.code, call.code.function
    if function.kind != "function" or function.parent != 0 or len(function.params) != 1:
        return False
    is_wrapped = function.is_async or bool(code.decorators)
    return not is_wrapped and bool(code.returned())


def _of_library(project: Project, call: Node) -> Hasher | None:
    """A hash function that is called by its bare name with nothing but the password."""
    func = call.func
    is_alone = len(call.args()) == 1 and not call.keywords()
    if func is None or not is_alone or not isinstance(func.op, ops.Name):
        return None
    return next((_named(name) for name in project.names(func) if name in project.models.hashers), None)


def _named(name: str) -> Hasher:
    module, _, function = name.rpartition(".")
    return Hasher(module, function)


def _can_import(project: Project, code: Code, hasher: Hasher) -> bool:
    """Not where the import may lead back to the file that it would stand in, nor a library's that is not in use."""
    if not hasher.path:
        top = hasher.module.partition(".")[0]
        return any(item.module.partition(".")[0] == top for item in code.file.facts.imports)
    return hasher.path == code.path or not project.imports_own(project.files[hasher.path])


def not_sent(field: Node) -> Iterator[Fix]:
    """A field of a response that stays in the object and is left out of what is sent."""
    module, annotation, value = _declaring(field), type_alone(field), assigned(field)
    summary = f"Leave `{field.spelled}` out of what is sent"
    if module and annotation is not None:
        declared = written_from(annotation, annotation, "{0} = Field(exclude=True)", annotation)
        yield Fix(summary=summary, changes=(declared, needed(field, module, "Field")))
    elif module and value.method == "Field":
        yield Fix(summary=summary, changes=(argument(value, "exclude", "True"),))


def _declaring(field: Node) -> str:
    """The library whose fields can be left out, if the class is one of its schemas."""
    project, cls = field.code.project, field.code.cls
    libraries = project.models.kinds["excludes-fields"]
    lineage = project.lineage(cls.name) if cls is not None else ()
    return next((name.partition(".")[0] for name in lineage if name.partition(".")[0] in libraries), "")
