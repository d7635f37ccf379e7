"""Attributes that no row of a class has: a column under its old name, a slip, a reverse accessor renamed."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from backaudit.analyses.errors.callers import unasked_by
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.web.catching import ending, escapes, reached_functions
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.types import split
from backaudit.rule import Finding, Step

_RAISED = "builtins.AttributeError"
_REVERSE = "_set"


def findings(project: Project) -> Iterator[Finding]:
    """The first read in each body of an attribute that no row of a class has, and that nothing in the project sets."""
    for code in reached_functions(project):
        told: set[tuple[str, str]] = set()
        for node in code.nodes(ops.Attr):
            op = node.op
            table = _table_without(project, node, op.name) if isinstance(op, ops.Attr) else None
            path = escapes(project, node, (_RAISED,)) if table is not None else None
            if table is None or path is None or not isinstance(op, ops.Attr):
                continue
            if (table.model, op.name) in told:
                continue
            told.add((table.model, op.name))
            place = node.place.first_line()
            yield Finding(
                place=place,
                message=f"`{table.model.rpartition('.')[2]}` has no attribute `{op.name}`: an AttributeError for "
                f"whatever row it is, {ending(project, node, path, 'and a 500')}.",
                assumed=unasked_by(path),
                shown="strict",
                trace=(Step(place, f"`{node.spelled or op.name}` is read"),),
            )


def _table_without(project: Project, node: Node, name: str) -> Table | None:
    """The table of whose rows an attribute is read, if it is known that none has it."""
    # What begins with a capital is a class in the class, or what the library puts there (`DoesNotExist`).
    if name.startswith("_") or name[:1].isupper() or name in project.once(_given):
        return None
    table = _table_of(project, node)
    return None if table is None or table.partial or _has(project, table, name) else table


def _table_of(project: Project, node: Node) -> Table | None:
    """The one table of whose rows, or of whose class, an attribute is read."""
    op = node.op
    types = project.types(node.to(op.base)) if isinstance(op, ops.Attr) else ()
    head, over = split(types[0]) if len(types) == 1 else ("", "")
    model = over if head == "type" else "" if over else head
    return project.once(schema).of_model(model) if model else None


def _has(project: Project, table: Table, name: str) -> bool:
    """Whether rows have the attribute, or may have it by what is not known of their classes."""
    if table.column(name) is not None or table.relation(name) is not None or _is_made(project, name):
        return True
    if name.endswith(_REVERSE) and not _is_named_otherwise(project, table, name):
        return True
    below = project.subclasses(table.model)
    classes = [view for view in (project.class_named(table.model), *below) if view is not None]
    return not classes or any(_defines(project, view, name) for view in classes)


def _is_made(project: Project, name: str) -> bool:
    """Whether a library makes attributes of such a name for fields: ``get_state_display``."""
    return any(fnmatchcase(name, pattern) for pattern in project.models.kinds["made-attributes"])


def _is_named_otherwise(project: Project, table: Table, name: str) -> bool:
    """Whether the other model of ``comment_set`` refers to the table, and leads back under another name."""
    other = name.removesuffix(_REVERSE)
    tables = [one for one in project.once(schema).tables.values() if one.model.rpartition(".")[2].lower() == other]
    return any(relation.target == table.model for one in tables for relation in one.relations)


def _defines(project: Project, view: ClassView, name: str) -> bool:
    """Whether a class, or one that it is made of, has the attribute, or is not known whole."""
    known = project.models.words["row-attributes"]
    for owner in project.lineage(view.name):
        cls = project.class_named(owner)
        if cls is None and (owner not in known or name in known[owner].split()):
            return True
        if cls is not None and (_own(cls, name) or cls.cls.decorators):
            return True
    return False


def _own(cls: ClassView, name: str) -> bool:
    named = (cls.fields, cls.methods, cls.setters, cls.assigned, cls.inner)
    return any(name in one for one in named) or "__getattr__" in cls.methods


def _given(project: Project) -> frozenset[str]:
    """Names that something gives to rows beside their classes: what is set, annotated, labelled, or asked for."""
    found: set[str] = set()
    for file in project.files.values():
        for index, _ in enumerate(file.facts.functions) if file.role == "production" else ():
            found.update(_given_in(project, file.code(index)))
    return frozenset(found)


def _given_in(project: Project, code: Code) -> Iterator[str]:
    yield from (node.op.name for node in code.nodes(ops.SetAttr) if isinstance(node.op, ops.SetAttr))
    back = project.models.kinds["leads-back"]
    for call in code.nodes(ops.Call):
        if call.is_call_of("gives-attributes"):
            yield from call.keywords()
            yield from (argument.text for argument in call.args() if argument.text)
        yield from (value.text for name, value in call.keywords().items() if name in back and value.text)
