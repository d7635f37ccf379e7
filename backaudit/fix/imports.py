"""Where an import that a fix needs goes: among those of its kind, in their order."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import libcst as cst

from backaudit.facts.place import Span
from backaudit.fix.files import File, Impossible
from backaudit.rule import Edit

AnyImport = cst.Import | cst.ImportFrom


def imported(file: File, module: str, name: str) -> Iterator[Edit]:
    """The edit by which ``import module`` or ``from module import name`` holds in a file; none where it does already.

    Impossible where the name that it binds means something else anywhere in the file.
    """
    lines = _lines(file.syntax.module)
    statements = [statement for _, statement in lines]
    if any(_has(statement, module, name) for statement in statements):
        return
    binds = name or module.partition(".")[0]
    if binds in file.syntax.bound or any(binds in _bound_by(statement) for statement in statements):
        raise Impossible
    same = [each for each in statements if name and _module_of(each) == module and _is_plain(each)]
    if same:
        yield _joined(same[0], name, file)
        return
    text = f"from {module} import {name}" if name else f"import {module}"
    yield _own_line(lines, text, _rank(module, bool(name)), file)


def _lines(module: cst.Module) -> list[tuple[cst.SimpleStatementLine, AnyImport]]:
    """The imports of the module's own level, each on a line of its own."""
    return [
        (line, line.body[0])
        for line in module.body
        if isinstance(line, cst.SimpleStatementLine)
        and len(line.body) == 1
        and isinstance(line.body[0], (cst.Import, cst.ImportFrom))
    ]


def _has(statement: AnyImport, module: str, name: str) -> bool:
    if isinstance(statement, cst.ImportFrom):
        return bool(name) and _module_of(statement) == module and name in _names_of(statement)
    return not name and any(_dotted(alias.name) == module and alias.asname is None for alias in statement.names)


def _bound_by(statement: AnyImport) -> list[str]:
    """The names that an import binds to something else than (a part of) a module."""
    if isinstance(statement, cst.ImportFrom):
        if isinstance(statement.names, cst.ImportStar):
            return []
        return [_spelled(alias.asname.name if alias.asname else alias.name) for alias in statement.names]
    aliases = [alias.asname.name for alias in statement.names if alias.asname is not None]
    return [_spelled(alias) for alias in aliases]


def _names_of(statement: cst.ImportFrom) -> list[str]:
    if isinstance(statement.names, cst.ImportStar):
        return []
    return [_spelled(alias.name) for alias in statement.names if alias.asname is None]


def _is_plain(statement: AnyImport) -> bool:
    return isinstance(statement, cst.ImportFrom) and not isinstance(statement.names, cst.ImportStar)


def _module_of(statement: AnyImport) -> str:
    if not isinstance(statement, cst.ImportFrom):
        return _dotted(statement.names[0].name)
    return "." * len(statement.relative) + (_dotted(statement.module) if statement.module is not None else "")


def _dotted(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return _spelled(node)


def _spelled(node: cst.CSTNode) -> str:
    return node.value if isinstance(node, cst.Name) else ""


def _joined(statement: AnyImport, name: str, file: File) -> Edit:
    """A further name of a module that is imported from already: before the first that sorts behind it."""
    assert isinstance(statement, cst.ImportFrom)
    aliases = statement.names
    assert not isinstance(aliases, cst.ImportStar)
    span = file.syntax.span
    later = next((alias for alias in aliases if _order(_spelled(alias.name)) > _order(name)), None)
    if later is not None:
        at = span(later)
        apart = file.newline + file.indent(at.line) if file.begins_its_line(at) else " "
        return Edit(file.place(Span(at.line, at.column, at.line, at.column)), f"{name},{apart}")
    at = span(aliases[-1].asname or aliases[-1].name)
    apart = file.newline + file.indent(at.line) if file.begins_its_line(at) else " "
    return Edit(file.place(Span(at.end_line, at.end_column, at.end_line, at.end_column)), f",{apart}{name}")


def _order(name: str) -> tuple[int, str]:
    """As isort and ruff sort what is imported: constants, classes, then the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def _rank(module: str, is_from: bool) -> tuple[int, bool, str]:
    """The section of an import and its place there."""
    top = module.partition(".")[0]
    if module.startswith("."):
        return 3, is_from, module
    if module == "__future__":
        return 0, is_from, module
    return (1 if top in sys.stdlib_module_names else 2), is_from, module


def _own_line(
    lines: Sequence[tuple[cst.SimpleStatementLine, AnyImport]], text: str, rank: tuple[int, bool, str], file: File
) -> Edit:
    head = _head(lines, file)
    ranks = [_rank(_module_of(statement), isinstance(statement, cst.ImportFrom)) for _, statement in head]
    before = [number for number, each in enumerate(ranks) if each < rank]
    newline = file.newline
    if before and ranks[before[-1]][0] == rank[0]:
        return _at_line(_line_behind(head[before[-1]][0], file), text + newline, file)
    following = before[-1] + 1 if before else 0
    if following < len(head):  # imports that are not sorted may have their last one before ours
        apart = newline if ranks[following][0] != rank[0] else ""
        return _at_line(file.syntax.span(head[following][0]).line, text + newline + apart, file)
    if head:
        return _at_line(_line_behind(head[-1][0], file), newline + text + newline, file)
    return _first(text, file)


def _head(
    lines: Sequence[tuple[cst.SimpleStatementLine, AnyImport]], file: File
) -> list[tuple[cst.SimpleStatementLine, AnyImport]]:
    """The imports that the file begins with."""
    found = []
    known = {id(line): (line, statement) for line, statement in lines}
    for statement in file.syntax.module.body:
        if id(statement) in known:
            found.append(known[id(statement)])
        elif found or not _is_docstring(statement):
            break
    return found


def _is_docstring(statement: cst.CSTNode) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Expr)
        and isinstance(statement.body[0].value, (cst.SimpleString, cst.ConcatenatedString))
    )


def _line_behind(statement: cst.SimpleStatementLine, file: File) -> int:
    return file.syntax.span(statement).end_line + 1


def _first(text: str, file: File) -> Edit:
    """The file's first import: behind its docstring, before all else."""
    body = file.syntax.module.body
    newline = file.newline
    if body and _is_docstring(body[0]):
        return _at_line(file.syntax.span(body[0]).end_line + 1, newline + text + newline, file)
    number = file.syntax.span(body[0]).line if body else 1
    return _at_line(number, text + newline + newline, file)


def _at_line(number: int, text: str, file: File) -> Edit:
    if number <= file.lines:
        return Edit(file.place(Span(number, 0, number, 0)), text)
    last = file.lines
    column = len(file.line(last))
    return Edit(file.place(Span(last, column, last, column)), file.newline + text.removesuffix(file.newline))


def logger_of(file: File) -> str | None:
    """The name under which a module keeps its logger, if it has one: ``log = logging.getLogger(__name__)``."""
    for line in file.syntax.module.body:
        if not isinstance(line, cst.SimpleStatementLine):
            continue
        for statement in line.body:
            if isinstance(statement, cst.Assign) and isinstance(statement.value, cst.Call):
                made = _dotted(statement.value.func)
                target = statement.targets[0].target
                if made in ("logging.getLogger", "getLogger") and isinstance(target, cst.Name):
                    return target.value
    return None
