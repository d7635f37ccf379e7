"""Changes to the code, said of the values that a rule speaks of."""

from __future__ import annotations

from backaudit.facts import ops
from backaudit.facts.changes import AddLine, AnyChange, DropArgument, Import, InsertLines, Replace, SetArgument
from backaudit.facts.place import Place, Span
from backaudit.project import Project
from backaudit.project.nodes import Node
from backaudit.vocabulary.meaning import meaning

_SAMPLE = meaning("files", "sample-env-file")


def assigned(node: Node) -> Node:
    """What a binding gives its name, as it is written there; of anything else the value itself."""
    return node.to(node.op.value) if isinstance(node.op, ops.Bind) else node


def type_alone(field: Node) -> Node | None:
    """The annotation of a field that is given nothing beside its type."""
    op = field.op
    if not isinstance(op, ops.Bind) or op.annotation == ops.NONE:
        return None
    annotation, value = field.to(op.annotation), field.to(op.value)
    return annotation if isinstance(value.op, ops.Opaque) and value.at < annotation.at else None


def is_written(node: Node) -> bool:
    """Whether a value stands there as a literal, and is not only known to be one."""
    return isinstance(assigned(node).op, ops.Const)


def instead(node: Node, code: str, *parts: Node) -> Replace:
    """``code`` where a value (of a binding: what it gives) is written; ``{0}`` and so on: how ``parts`` are written."""
    return Replace(assigned(node).place, code, tuple(part.place for part in parts))


def written_from(first: Node, last: Node, code: str, *parts: Node) -> Replace:
    """``code`` in place of all that is written from one value to another."""
    start, end = first.at, last.at
    place = Place(first.code.path, Span(start.line, start.column, end.end_line, end.end_column))
    return Replace(place, code, tuple(part.place for part in parts))


def argument(call: Node, name: str, code: str) -> SetArgument:
    return SetArgument(call.origin.place, name, code)


def no_argument(call: Node, name: str) -> DropArgument:
    return DropArgument(call.origin.place, name)


def before(node: Node, *lines: str) -> InsertLines:
    """Lines before the statement that a value is part of."""
    return InsertLines(node.place, lines, before=True)


def behind(node: Node, *lines: str) -> InsertLines:
    """Lines after the statement that a value is part of."""
    return InsertLines(node.place, lines)


def needed(node: Node, module: str, name: str = "") -> Import:
    """An import that the file of a value needs."""
    return Import(node.code.path, module, name)


def safer(node: Node | None) -> tuple[AnyChange, ...]:
    """What takes the place of a function or class of a library, as the tables say, under its own module's name."""
    project = node.code.project if node is not None else None
    if node is None or project is None or not node.spelled:
        return ()
    known = project.models.safer
    name = next((known[name] for name in project.names(node) if name in known), "")
    return (Replace(node.place, name), needed(node, name.partition(".")[0])) if name else ()


def named_beside(project: Project, path: str, line: str) -> AddLine:
    """A variable that a file is to read from the environment, in the nearest file that names them, or in a new one."""
    folder = path.rpartition("/")[0]
    samples = [each for each in sorted(project.facts) if _SAMPLE.holds(each.rpartition("/")[2])]
    above = [each for each in samples if f"{folder}/".startswith(each[: each.rfind("/") + 1])]
    return AddLine(max(above, key=lambda each: each.count("/"), default=".env.example"), line)
