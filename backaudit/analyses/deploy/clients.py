"""Command-line clients that are told to check no certificate."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator

from backaudit.analyses.deploy.images import dockerfiles
from backaudit.backend.deployment.stages import stage_of
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Node, Project
from backaudit.project.strings import spelled_strings
from backaudit.sql import HOLE
from backaudit.vocabulary.meaning import meaning

_BETWEEN = re.compile(r"\s*(?:&&|\|\||[;|\n])\s*")
# Letters that take no argument, so that those after them are options too: ``-fsSLk``.
_CLUSTER = re.compile(r"-[#0-46afFgGiIjJlLMnNOpqRsSvVZ]*k")
_HERE = re.compile(r"//(localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0)([:/]|$)")
_OFF = meaning("texts", "off")


def unchecked_commands(project: Project) -> Iterator[tuple[Node, str]]:
    """Calls that start such a client, and its name."""
    sinks = project.models.sinks
    in_a_row = project.models.kinds.get("argument-starters", frozenset())
    starters = {*sinks.get("command", {}), *sinks.get("command-if-shell", {}), *in_a_row}
    for call in project.calls(*sorted(starters)):
        first = call.argument(("args", 0, "cmd"))
        program = _unchecked(project, _words(project, call, first)) if first is not None else ""
        if program:
            yield call, program


def unchecked_builds(project: Project) -> Iterator[tuple[Place, str]]:
    """RUN instructions of images that start such a client."""
    for path, made in dockerfiles(project).items():
        if stage_of(project, path) != "production":
            continue
        for stage in made.stages:
            for item in stage.body:
                lines = _BETWEEN.split(item.words) if item.keyword == "RUN" else []
                program = next((name for line in lines if (name := _unchecked(project, line.split()))), "")
                if program:
                    yield Place(path, item.span), program


def _words(project: Project, call: Node, first: Node) -> list[str]:
    """The words of a command, unknown ones as holes: of a list its items, and those in a row as arguments."""
    made = project.resolved(first).origin
    if isinstance(made.op, ops.Build) and made.op.kind in ("list", "tuple"):
        return [_text(project, made.to(item)) for item in made.op.items]
    line = _text(project, first)
    words = [word.strip("\"'") for word in line.split()]
    if len(words) == 1 and len(call.args()) > 1:
        words += [_text(project, argument) for argument in call.args()[1:]]
    return words


def _text(project: Project, node: Node) -> str:
    return next(iter(spelled_strings(project, node)), HOLE)


def _unchecked(project: Project, words: list[str]) -> str:
    """The client in a command that is told to check nothing, unless it asks this very machine."""
    line = " ".join(words)
    if _HERE.search(line) or ("http://" in line and "https://" not in line):
        return ""
    for known in sorted(project.models.kinds.get("unchecking-options", ())):
        program, *options = str(known).split(" ")
        at = next((i for i, word in enumerate(words) if posixpath.basename(word) == program), None)
        if at is not None and all(_has(words[at + 1 :], option) for option in options):
            return program
    return ""


def _has(words: list[str], option: str) -> bool:
    """Whether an option is among the words, itself, in a cluster, or with a value that means off."""
    if option == "-k":
        return any(_CLUSTER.fullmatch(word) for word in words)
    if option.endswith("=off"):
        name = option[: -len("=off")].lower()
        pairs = [(word.lower().partition("=")) for word in words]
        following = itertools.pairwise(words)
        return any(key.endswith(name) and sign and _OFF.holds(value) for key, sign, value in pairs) or any(
            one.lower() == name and _OFF.holds(two.lower()) for one, two in following
        )
    return option in words or any(word.startswith(f"{option}=") for word in words)
