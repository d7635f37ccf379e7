"""A rule's docstring read as its documentation.

The first line is the title, a sentence. Paragraphs of why follow, then sections that begin at the margin::

    Mend: what to do instead.

    Given:
        ...what every example begins with...

    Bad:
        # file: app/models.py
        ...code...

    Good: an optional caption
        ...code...

    Links:
        https://example.org/...

An example may hold several files, each opened by a line ``# file: NAME``; without one its code is ``app.py``. There
may be several ``Bad:`` and ``Good:`` sections; what they all begin with is written once, under ``Given:``.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator

import msgspec

DEFAULT_FILE = "app.py"

_SECTION = re.compile(r"(Mend|Given|Bad|Good|Links):[ \t]*(.*)")
_QUOTED = re.compile(r"``([^`]+)``")
_FILE = re.compile(r"#[ \t]*file:[ \t]*(\S.*?)[ \t]*")


class Example(msgspec.Struct, frozen=True):
    """A whole small project: relative POSIX path -> text, in the order written. ``caption`` may be empty."""

    files: tuple[tuple[str, str], ...]
    caption: str = ""

    @property
    def code(self) -> str:
        """The example as one listing; names are shown where they are not the default alone."""
        if len(self.files) == 1 and self.files[0][0] == DEFAULT_FILE:
            return self.files[0][1].rstrip("\n")
        return "\n\n".join(f"# file: {name}\n{text}".rstrip("\n") for name, text in self.files)


class RuleDoc(msgspec.Struct, frozen=True):
    """What a rule says about itself; ``why`` and ``mend`` are running text, one string a paragraph."""

    title: str
    why: tuple[str, ...]
    mend: str
    bad: tuple[Example, ...]
    good: tuple[Example, ...]
    links: tuple[str, ...]


def read(doc: str) -> RuleDoc:
    """The records of a docstring; what is absent is empty, nothing is an error."""
    head, *sections = _sections(inspect.cleandoc(doc))
    title, *why = _paragraphs(head[2]) or [""]
    return RuleDoc(
        title=title,
        why=tuple(why),
        mend="\n\n".join(part for text in _texts(sections, "Mend") for part in _paragraphs(text)),
        bad=_examples(sections, "Bad"),
        good=_examples(sections, "Good"),
        links=tuple(word for text in _texts(sections, "Links") for word in text.split() if "://" in word),
    )


def _texts(sections: Iterable[tuple[str, str, str]], name: str) -> list[str]:
    """What stands in the sections of a name."""
    return [f"{first}\n{rest}" for section, first, rest in sections if section == name]


def _sections(text: str) -> list[tuple[str, str, str]]:
    """(name, rest of the heading's line, body) of every section; the first is the nameless head."""
    found: list[tuple[str, str, list[str]]] = [("", "", [])]
    for line in text.split("\n"):
        heading = _SECTION.fullmatch(line)
        if heading:
            found.append((heading.group(1), heading.group(2), []))
        else:
            found[-1][2].append(line)
    return [(name, first, "\n".join(body)) for name, first, body in found]


def _paragraphs(text: str) -> list[str]:
    # Code is marked as docstrings do, and shown as the reports' own sentences do.
    text = _QUOTED.sub(r"`\1`", text)
    return [" ".join(part.split()) for part in re.split(r"\n[ \t]*\n", text) if part.strip()]


def _examples(sections: list[tuple[str, str, str]], wanted: str) -> tuple[Example, ...]:
    given = [_code(body) for name, _, body in sections if name == "Given"]
    return tuple(
        Example(tuple(_files("\n\n".join([*given, _code(body)]))), first.strip())
        for name, first, body in sections
        if name == wanted
    )


def _code(body: str) -> str:
    return textwrap.dedent(body).strip("\n")


def _files(code: str) -> Iterator[tuple[str, str]]:
    name, body = DEFAULT_FILE, list[str]()
    for line in code.split("\n"):
        marker = _FILE.fullmatch(line)
        if not marker:
            body.append(line)
            continue
        if any(body):
            yield name, _text(body)
        name, body = marker.group(1), []
    yield name, _text(body)


def _text(body: list[str]) -> str:
    return "\n".join(body).strip("\n") + "\n"
