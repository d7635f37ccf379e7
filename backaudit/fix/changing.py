"""Each kind of change as edits: only what differs is written, so that all else keeps its bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from keyword import iskeyword
from typing import Any

import libcst as cst

from backaudit.facts.changes import (
    AddLine,
    AnyChange,
    BindValues,
    Change,
    DropArgument,
    Import,
    InsertLines,
    ListInClass,
    LogFailure,
    Replace,
    SetArgument,
)
from backaudit.facts.place import WHOLE_FILE, Place, Span
from backaudit.fix.files import File, Files, Impossible
from backaudit.fix.imports import imported, logger_of
from backaudit.fix.listing import listed
from backaudit.fix.statements import bound, doubled, pieces
from backaudit.rule import Edit


def edits_of(change: AnyChange, files: Files) -> Iterator[Edit]:
    """The edits that make a change; none where the code is so already."""
    return _MADE_BY[type(change)](change, files)


def _replaced(change: Replace, files: Files) -> Iterator[Edit]:
    file = files.file(change.at.path)
    code = change.code
    for number, part in enumerate(change.parts):
        code = code.replace(f"{{{number}}}", files.file(part.path).written(part.span))
    if code != file.written(change.at.span):
        yield Edit(change.at, _as_lines_end(code, file))


def _with_argument(change: SetArgument, files: Files) -> Iterator[Edit]:
    file = files.file(change.call.path)
    call = file.syntax.node(change.call.span, cst.Call)
    given = _argument(call, change.name)
    if given is not None:
        value = file.syntax.span(given.value)
        if file.written(value) != change.code:
            yield Edit(file.place(value), change.code)
        return
    if any(arg.star == "**" or _is_bare_generator(arg) for arg in call.args):
        raise Impossible  # it may be given there, or there is no room for another
    yield _appended(call, f"{change.name}={change.code}", file)


def _argument(call: cst.Call, name: str) -> cst.Arg | None:
    return next((arg for arg in call.args if arg.keyword is not None and arg.keyword.value == name), None)


def _is_bare_generator(arg: cst.Arg) -> bool:
    return isinstance(arg.value, cst.GeneratorExp) and not arg.value.lpar


def _appended(call: cst.Call, text: str, file: File) -> Edit:
    """A last argument, on a line of its own where the one before it has one."""
    if not call.args:
        end = file.syntax.span(call)
        return Edit(file.place(Span(end.end_line, end.end_column - 1, end.end_line, end.end_column - 1)), text)
    last = call.args[-1]
    at = file.syntax.span(last)
    comma = last.comma if isinstance(last.comma, cst.Comma) else None
    behind = file.syntax.span(comma) if comma is not None else at
    apart = file.newline + file.indent(at.line) if file.begins_its_line(at) else " "
    end = Span(behind.end_line, behind.end_column, behind.end_line, behind.end_column)
    if comma is None:
        return Edit(file.place(end), f",{apart}{text}")
    start = _just_behind_comma(at, file)
    return Edit(file.place(start), f"{apart}{text},")


def _just_behind_comma(argument: Span, file: File) -> Span:
    at = file.offset(argument.end_line, argument.end_column)
    passed = file.text[at:].find(",") + 1
    if not passed or file.text[at : at + passed - 1].strip():
        raise Impossible
    column = argument.end_column + passed
    return Span(argument.end_line, column, argument.end_line, column)


def _without_argument(change: DropArgument, files: Files) -> Iterator[Edit]:
    file = files.file(change.call.path)
    call = file.syntax.node(change.call.span, cst.Call)
    given = _argument(call, change.name)
    if given is None:
        return
    number = list(call.args).index(given)
    own = file.syntax.span(given)
    if number:
        before = file.syntax.span(call.args[number - 1])
        gone = Span(before.end_line, before.end_column, own.end_line, own.end_column)
    elif len(call.args) > 1:
        behind = file.syntax.span(call.args[1])
        gone = Span(own.line, own.column, behind.line, behind.column)
    else:
        gone = own
    yield Edit(file.place(gone), "")


def _with_lines(change: InsertLines, files: Files) -> Iterator[Edit]:
    file = files.file(change.at.path)
    statement = file.syntax.statement(change.at.span)
    at = file.syntax.span(statement)
    if not file.begins_its_line(at):
        raise Impossible
    indent = file.indent(at.line)
    text = "".join(f"{indent}{line}{file.newline}" if line else file.newline for line in change.lines)
    number = _first_line(statement, file) if change.before else at.end_line + 1
    if number <= file.lines:
        yield Edit(file.place(Span(number, 0, number, 0)), text)
    else:
        last = len(file.line(at.end_line))
        end = Span(at.end_line, last, at.end_line, last)
        yield Edit(file.place(end), file.newline + text.removesuffix(file.newline))


def _first_line(statement: cst.SimpleStatementLine | cst.BaseCompoundStatement, file: File) -> int:
    """Where a statement begins, its decorators with it."""
    decorators = getattr(statement, "decorators", ())
    return min([file.syntax.span(node).line for node in (statement, *decorators)])


def _with_import(change: Import, files: Files) -> Iterator[Edit]:
    return imported(files.file(change.path), change.module, change.name)


def _with_line(change: AddLine, files: Files) -> Iterator[Edit]:
    file = files.there(change.path)
    if file is None:
        yield Edit(Place(change.path, WHOLE_FILE), change.line + "\n")
        return
    number = file.lines
    if any(_says(file.line(each).strip(), change.line) for each in range(1, number + 1)):
        return
    last = file.line(number)
    text = change.line + file.newline
    end = Span(number, len(last), number, len(last))
    yield Edit(file.place(end), file.newline + text if last else text)


def _says(written: str, line: str) -> bool:
    """Whether a line is there already; of ``NAME=value`` it is enough that the name is."""
    name, given, _ = line.partition("=")
    return written == line or (bool(given) and written.startswith(f"{name}="))


def _with_values(change: BindValues, files: Files) -> Iterator[Edit]:
    file = files.file(change.call.path)
    call = file.syntax.node(change.call.span, cst.Call)
    several = pieces(file.syntax.expression(change.statement.span), file)
    names: list[str] = []

    def mark(number: int, code: str) -> str:
        names.append(_name_of(code, number, names))
        return {"?": "?", "%s": "%s", "$1": f"${number + 1}"}.get(change.style, f":{names[-1]}")

    values = bound(several, mark)
    if change.style == "%s":
        doubled(several, "%s")
    for piece in several:
        span = file.syntax.span(piece.node)
        if file.written(span) != piece.written():
            yield Edit(file.place(span), piece.written())
    yield _handed_over(change, call, dict(zip(names, values, strict=True)), file)


def _name_of(code: str, number: int, taken: Sequence[str]) -> str:
    """What a bound value is called: as the last name in its code."""
    words = re.findall(r"[A-Za-z_]\w*", code)
    name = words[-1].lower() if words else ""
    return name if name.isidentifier() and not iskeyword(name) and name not in taken else f"value_{number + 1}"


def _handed_over(change: BindValues, call: cst.Call, values: Mapping[str, str], file: File) -> Edit:
    codes = list(values.values())
    if change.style == ":name":
        end = file.syntax.span(call)
        given = ", ".join(f"{name}={code}" for name, code in values.items())
        at = Span(end.end_line, end.end_column, end.end_line, end.end_column)
        return Edit(file.place(at), f".bindparams({given})")
    if len(call.args) != 1:
        raise Impossible  # it is given values already, or something else
    if change.style == "values":
        pairs = ", ".join(f'"{name}": {code}' for name, code in values.items())
        return _appended(call, f"values={{{pairs}}}", file)
    if change.style == "$1":
        return _appended(call, ", ".join(codes), file)
    return _appended(call, f"({codes[0]},)" if len(codes) == 1 else f"({', '.join(codes)})", file)


def _with_log(change: LogFailure, files: Files) -> Iterator[Edit]:
    """``logger.exception(...)`` as the first statement, in place of a ``pass`` that is the only one."""
    file = files.file(change.at.path)
    handler = file.syntax.handler(change.at.span)
    body = handler.body
    if not isinstance(body, cst.IndentedBlock) or not body.body:
        raise Impossible
    first = file.syntax.span(body.body[0])
    written = file.written(first).strip()
    catches = _caught_by(handler, file)
    logger = logger_of(file)
    if logger is None:
        yield from imported(file, "logging", "")
    told = f"{function} failed" if (function := file.syntax.function_around(handler)) else "Failed"
    call = f'{logger or "logging.getLogger(__name__)"}.exception("{told}")'
    if len(body.body) == 1 and written in ("pass", "...", _shown(handler)):
        yield Edit(file.place(first), call)
    else:
        yield Edit(file.place(Span(first.line, 0, first.line, 0)), f"{file.indent(first.line)}{call}{file.newline}")
    if catches is not None:
        yield catches


def _shown(handler: cst.ExceptHandler) -> str:
    """``print`` of nothing but what was caught, which the log says better."""
    name = handler.name.name if handler.name is not None else None
    return f"print({name.value})" if isinstance(name, cst.Name) else "pass"


def _caught_by(handler: cst.ExceptHandler, file: File) -> Edit | None:
    """A bare ``except`` catches what ends the process, too: what is a failure alone."""
    if handler.type is not None:
        return None
    at = file.syntax.span(handler)
    end = at.column + len("except")
    return Edit(file.place(Span(at.line, end, at.line, end)), " Exception")


def _with_element(change: ListInClass, files: Files) -> Iterator[Edit]:
    return listed(change, files.file(change.at.path))


def _as_lines_end(code: str, file: File) -> str:
    """Code with the ends of lines that the file has."""
    return code if file.newline == "\n" else code.replace("\r\n", "\n").replace("\n", file.newline)


_MADE_BY: dict[type[Change], Callable[[Any, Files], Iterator[Edit]]] = {
    Replace: _replaced,
    SetArgument: _with_argument,
    DropArgument: _without_argument,
    InsertLines: _with_lines,
    Import: _with_import,
    AddLine: _with_line,
    BindValues: _with_values,
    LogFailure: _with_log,
    ListInClass: _with_element,
}
