"""Program text with named slots.

``$name`` or ``${name}`` stands for a text of the scope. A text of several lines may only stand where its slot is alone
on its line: every line gets that line's indentation, and an empty one takes the line away. ``$name(argument, …)`` is
asked of ``calls``, with the whole line when it begins one (``target = $name(…)``), since a store may need several
statements. ``$$`` is a dollar.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

Call = Callable[[str, Sequence[str], str], str]

_SLOT = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_ALONE = re.compile(r"\s*\$\{?([A-Za-z_]\w*)\}?\s*")
_STATEMENT = re.compile(r"(?:(\w+) = )?\$([a-z]\w*)\(")
_MARK = re.compile(r"\"[^\"]*\"|'[^']*'|[()\[\]{},]")
_DEEPEST = 12
_DOLLAR = "\0"


class UnknownSlot(Exception):
    """A slot that nothing fills."""


def no_calls(name: str, arguments: Sequence[str], target: str) -> str:
    """For texts in which nothing is called."""
    raise UnknownSlot(f"${name}({', '.join(arguments)})")


def fill(text: str, scope: Mapping[str, str], calls: Call = no_calls) -> str:
    """The text with every slot filled; what fills one may hold slots itself."""
    text = text.replace("$$", _DOLLAR)
    for _ in range(_DEEPEST):
        if not _SLOT.search(text):
            return text
        lines = (line for raw in text.split("\n") for line in _line(raw, scope, calls))
        text = "\n".join(lines).replace("$$", _DOLLAR)
    raise UnknownSlot(f"slots fill each other: {text[:200]}")


def finished(text: str) -> str:
    """The text of a program, with its dollars."""
    return text.replace(_DOLLAR, "$").strip("\n") + "\n"


def replaced(text: str, values: Mapping[str, str]) -> str:
    """The text with these slots filled, in one pass; others stay."""
    return _SLOT.sub(lambda found: values.get(found[1] or found[2], found[0]), text.replace("$$", _DOLLAR))


def indented(text: str, by: str) -> str:
    """Every line that is not empty, further to the right."""
    return "\n".join(by + line if line.strip() else line for line in text.split("\n"))


def called(text: str, start: int) -> tuple[list[str], int]:
    """The arguments of a call whose bracket opens before ``start``, and where it ends."""
    depth, arguments, begun = 1, list[str](), start
    for found in _MARK.finditer(text, start):
        mark, at = found[0], found.start()
        depth += (mark in "([{") - (mark in ")]}")
        if depth == 0 or (depth == 1 and mark == ","):
            arguments.append(text[begun:at].strip())
            begun = at + 1
        if depth == 0:
            return [argument for argument in arguments if argument], begun
    raise UnknownSlot(f"a bracket is not closed: {text}")


def _line(line: str, scope: Mapping[str, str], calls: Call) -> Iterator[str]:
    alone = _ALONE.fullmatch(line)
    if alone:
        value = _value(alone[1], scope).strip("\n")
        if value:
            yield from indented(value, _margin(line)).split("\n")
        return
    statement = _STATEMENT.match(line.strip())
    if statement:
        arguments, end = called(line.strip(), statement.end())
        if not line.strip()[end:]:
            given = [fill(argument, scope, calls) for argument in arguments]
            filled = calls(statement[2], given, statement[1] or "").strip("\n")
            yield from indented(filled, _margin(line)).split("\n") if filled else ()
            return
    yield _inline(line, scope, calls)


def _inline(line: str, scope: Mapping[str, str], calls: Call) -> str:
    found = _SLOT.search(line)
    if not found:
        return line
    name, rest = found[1] or found[2], line[found.end() :]
    if rest.startswith("(") and name not in scope:
        arguments, end = called(rest, 1)
        value, rest = calls(name, [fill(argument, scope, calls) for argument in arguments], ""), rest[end:]
    else:
        value = _value(name, scope)
    if "\n" in value.strip("\n"):
        raise UnknownSlot(f"${name} holds several lines and stands within one: {line}")
    return line[: found.start()] + value.strip("\n") + _inline(rest, scope, calls)


def _value(name: str, scope: Mapping[str, str]) -> str:
    if name not in scope:
        raise UnknownSlot(f"${name}")
    return scope[name]


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
