"""A further element of what a class lists: in its body (``__table_args__``), or an inner one's (``Meta.indexes``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import libcst as cst

from backaudit.facts.changes import ListInClass
from backaudit.facts.place import Span
from backaudit.fix.files import File, Impossible
from backaudit.rule import Edit

Display: TypeAlias = cst.List | cst.Tuple


def listed(change: ListInClass, file: File) -> Iterator[Edit]:
    """The edit that lists the element; the list, or the inner class that holds it, is made where it is not there."""
    *inner, option = change.option.split(".")
    outer = file.syntax.class_named(change.at.span)
    cls = outer
    for number, name in enumerate(inner):
        held = _inner_class(cls, name)
        if held is None:
            code = _nested(inner[number:], f"{option} = {_display(change)}", file)
            yield _behind_fields(cls, code, file, apart=True)
            return
        cls = held
    value = _assigned(cls, option)
    if value is None:
        yield _behind_fields(cls, [f"{option} = {_display(change)}"], file, apart=False)
    elif isinstance(value, (cst.List, cst.Tuple)) and _is_list_of_such(value):
        yield _further(value, change.element, file)
    else:
        raise Impossible  # it is put together elsewhere


def _display(change: ListInClass) -> str:
    opened, closed = change.brackets
    return f"{opened}{change.element}{',' if opened == '(' else ''}{closed}"


def _nested(classes: Sequence[str], line: str, file: File) -> list[str]:
    unit = file.syntax.module.default_indent
    heads = [f"{unit * depth}class {name}:" for depth, name in enumerate(classes)]
    return [*heads, f"{unit * len(classes)}{line}"]


def _inner_class(cls: cst.ClassDef, name: str) -> cst.ClassDef | None:
    found = (node for node in cls.body.body if isinstance(node, cst.ClassDef) and node.name.value == name)
    return next(found, None)


def _assigned(cls: cst.ClassDef, name: str) -> cst.BaseExpression | None:
    """What the class's body gives a name; Impossible where it does so twice, or by a function."""
    found: list[cst.BaseExpression | None] = []
    for node in cls.body.body:
        if isinstance(node, cst.FunctionDef) and node.name.value == name:
            raise Impossible
        for statement in node.body if isinstance(node, cst.SimpleStatementLine) else ():
            found += _given(statement, name)
    if len(found) > 1 or None in found:
        raise Impossible
    return found[0] if found else None


def _given(statement: cst.BaseSmallStatement, name: str) -> list[cst.BaseExpression | None]:
    if isinstance(statement, cst.Assign):
        targets: list[cst.BaseExpression] = [target.target for target in statement.targets]
        value: cst.BaseExpression | None = statement.value
    elif isinstance(statement, (cst.AnnAssign, cst.AugAssign)):
        targets, value = [statement.target], statement.value if isinstance(statement, cst.AnnAssign) else None
    else:
        return []
    return [value] if any(isinstance(target, cst.Name) and target.value == name for target in targets) else []


def _is_list_of_such(value: Display) -> bool:
    """Not where a group of names stands alone, without a list around it."""
    return not any(isinstance(element.value, cst.SimpleString) for element in value.elements)


def _further(value: Display, element: str, file: File) -> Edit:
    """The element as the last one; before options by name, which stand last where there are any."""
    span = file.syntax.span
    elements = value.elements
    if elements and isinstance(elements[-1].value, cst.Dict):
        at = span(elements[-1].value)
        apart = file.newline + file.indent(at.line) if file.begins_its_line(at) else " "
        return Edit(file.place(Span(at.line, at.column, at.line, at.column)), f"{element},{apart}")
    if not elements:
        return Edit(file.place(span(value)), f"[{element}]" if isinstance(value, cst.List) else f"{element},")
    last = span(elements[-1].value)
    if file.begins_its_line(last) and elements[-1].comma is not cst.MaybeSentinel.DEFAULT:
        # On a line of its own, so that what is said behind the one before stays there.
        return Edit(
            file.place(Span(last.end_line + 1, 0, last.end_line + 1, 0)),
            f"{file.indent(last.line)}{element},{file.newline}",
        )
    apart = file.newline + file.indent(last.line) if file.begins_its_line(last) else " "
    end = Span(last.end_line, last.end_column, last.end_line, last.end_column)
    return Edit(file.place(end), f",{apart}{element}")


def _behind_fields(cls: cst.ClassDef, code: Sequence[str], file: File, *, apart: bool) -> Edit:
    """Lines behind the last field that stands before the class's methods and inner classes; ``pass`` makes room."""
    if not isinstance(cls.body, cst.IndentedBlock):
        raise Impossible
    fields: list[cst.SimpleStatementLine] = []
    for node in cls.body.body:
        if not isinstance(node, cst.SimpleStatementLine):
            break
        fields.append(node)
    first = file.syntax.span(cls.body.body[0])
    indent = file.indent(first.line)
    lines = [indent + line for line in code]
    if len(fields) == 1 and isinstance(fields[0].body[0], cst.Pass):
        return Edit(file.place(file.syntax.span(fields[0])), file.newline.join(lines).removeprefix(indent))
    text = "".join(line + file.newline for line in (["", *lines] if apart else lines))
    if not fields:
        return Edit(file.place(Span(first.line, 0, first.line, 0)), text.removeprefix(file.newline) + file.newline)
    number = file.syntax.span(fields[-1]).end_line
    if number < file.lines:
        return Edit(file.place(Span(number + 1, 0, number + 1, 0)), text)
    width = len(file.line(number))
    end = Span(number, width, number, width)
    return Edit(file.place(end), file.newline + text.removesuffix(file.newline))
