"""Command lines: which of the words that start a program a shell or an interpreter reads as a program of its own."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.validation.sinks import Sink, sinks
from backaudit.facts import ops
from backaudit.project import Given, Node, Project

_DEPTH = 8


def command_sinks(project: Project) -> Iterator[Sink]:
    """What is run as a command line, a program's name, or a program's text."""
    yield from sinks(project, "command")
    for sink in sinks(project, "command-if-shell"):
        yield from _of_list(project, sink)
    for sink in sinks(project, "command-words"):
        yield from _told(project, sink, _behind(sink))


def _of_list(project: Project, sink: Sink) -> Iterator[Sink]:
    argument = sink.argument.origin
    if _asks_for_shell(project, sink):
        listed = _is_list(argument) and isinstance(argument.op, ops.Build) and argument.op.items
        first = argument.to(argument.op.items[0]) if listed and isinstance(argument.op, ops.Build) else None
        yield sink if first is None else _at(sink, first)
    elif argument.method == "split":
        yield from (_at(sink, part) for part in _first_of_text(project, argument))
    else:
        yield from _told(project, sink, _words(argument, 0))


def _at(sink: Sink, argument: Node) -> Sink:
    return Sink(sink.call, argument, sink.name, does=sink.does, given=sink.given)


def _asks_for_shell(project: Project, sink: Sink) -> bool:
    """Whether the call that runs the program says ``shell=True``, or may be told so by who calls it."""
    does = sink.does or sink.call
    shell = does.arg(None, "shell") if sink.given is None else _keyword(sink.given, "shell")
    if shell is None:
        return False
    if isinstance(shell.origin.op, ops.Param) and sink.does is not None:
        given = project.argument(sink.call, does.code, shell.origin.op.index)
        given = given if given is not None else project.default(does.code, shell.origin.op.index)
        shell = given if given is not None else shell
    made = shell.origin.op
    return not (isinstance(made, ops.Const) and not made.value)


def _keyword(given: Given, name: str) -> Node | None:
    return next((passed.node for keyword, passed in given.keywords if keyword == name), None)


def _is_list(node: Node) -> bool:
    return isinstance(node.op, ops.Build) and node.op.kind in ("list", "tuple")


def _behind(sink: Sink) -> list[Node]:
    """The words of a call that takes them one by one, or the program and then a list of them."""
    call = sink.call.call
    given = [sink.call.origin.to(value) for value in call.args] if call is not None else []
    given = given if sink.given is None else [passed.node for passed in sink.given.args]
    place = next((at for at, value in enumerate(given) if value == sink.argument), 0)
    return [word for value in given[place:] for word in _words(value.origin, 0) or [value]]


def _words(node: Node, depth: int) -> list[Node]:
    """The words of a list in the order in which the code names them, whatever the branches between."""
    node = node.origin
    op = node.op
    if node.code.project.gives_up(depth, _DEPTH, node.place):
        return []
    if isinstance(op, ops.Phi) or (isinstance(op, ops.Bin) and op.operator == "+"):
        sides = op.values if isinstance(op, ops.Phi) else (op.left, op.right)
        joined = [word for side in sides for word in _words(node.to(side), depth + 1)]
        return _once([*joined, *_grown(node)])
    items = op.items if isinstance(op, ops.Build) and _is_list(node) else ()
    return [*(node.to(item) for item in items), *_grown(node)]


def _grown(node: Node) -> list[Node]:
    """What is appended to a list, or extends it."""
    found: list[Node] = []
    for effect in node.code.effects.get(node.value, ()):
        call = node.to(effect)
        if isinstance(call.op, ops.Call) and call.is_call_of("grows-a-list") and call.op.args:
            last = call.to(call.op.args[-1])
            found += _words(last, 1) if call.method == "extend" else [last]
    return found


def _once(words: Iterator[Node] | list[Node]) -> list[Node]:
    return sorted(dict.fromkeys(words), key=lambda word: word.value)


def _told(project: Project, sink: Sink, words: list[Node]) -> Iterator[Sink]:
    """Of a program's words: the program itself, the text that an interpreter among them runs, a remote command."""
    if not words:
        return
    line = _run_text(project, words)
    if line is not None:
        yield _at(sink, line)
    elif _program(words[0]) in project.models.kinds["remote-shells"]:
        yield from (_at(sink, word) for word in words[2:][-1:])
    else:
        yield _at(sink, words[0])


def _run_text(project: Project, words: list[Node]) -> Node | None:
    """Of ``["sudo", "sh", "-c", line, …]``: the line."""
    kinds = project.models.kinds
    for at, word in enumerate(words):
        if _program(word) not in kinds["interpreters"]:
            continue
        for later, option in enumerate(words[at + 1 : -1], at + 1):
            if option.text in kinds["execute-words"]:
                follows = words[later + 1]
                if follows.text not in kinds["execute-words"] and _program(follows) not in kinds["interpreters"]:
                    return follows
    return None


def _program(word: Node) -> str:
    return (word.text or "").rpartition("/")[2]


def _first_of_text(project: Project, split: Node) -> list[Node]:
    """Of ``line.split()``: the piece that the first word is made of, unless the code fixes it."""
    line = split.arg(0) if split.receiver is None or split.receiver.spelled == "shlex" else split.receiver
    made = line.origin if line is not None else None
    while made is not None and isinstance(made.op, (ops.Bin, ops.Build)):
        made = _first_piece(made)
    return [made] if made is not None and project.constant(made) is None else []


def _first_piece(made: Node) -> Node | None:
    """What a sum, or a display, begins with."""
    op = made.op
    pieces = (op.left,) if isinstance(op, ops.Bin) else op.items if isinstance(op, ops.Build) else ()
    if not pieces or pieces[0] < 0:
        return None
    first = made.to(pieces[0]).origin
    return first.to(first.op.value).origin if isinstance(first.op, ops.Format) else first
