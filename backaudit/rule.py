"""What a rule is, and what it yields.

A rule is one module-level constant: ``@rule(...)`` over a generator from the project to findings. Its docstring is its
documentation; :mod:`backaudit.ruledoc` reads it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from backaudit.evidence import CONFIDENCES as CONFIDENCES
from backaudit.evidence import KNOWN as KNOWN
from backaudit.evidence import SEVERITIES as SEVERITIES
from backaudit.evidence import Assumed as Assumed
from backaudit.evidence import Confidence as Confidence
from backaudit.evidence import Severity as Severity
from backaudit.evidence import assume as assume
from backaudit.evidence import confidence
from backaudit.facts.changes import AnyChange
from backaudit.facts.place import Place
from backaudit.facts.plans import Claim, Proof
from backaudit.facts.requests import Request

if TYPE_CHECKING:
    from backaudit.project import Project

# "core": by default; "strict": with --strict or when selected; "selected": only when selected by its own id (not by its
# family), since another rule covers the subject.
Shown = Literal["core", "strict", "selected"]


class Step(msgspec.Struct, frozen=True):
    """One hop on the way from a cause to the finding, in the order in which it happens.

    ``supposed``: what is taken for granted of it where it could not be read.
    """

    place: Place
    text: str
    supposed: Assumed = ()


class Edit(msgspec.Struct, frozen=True):
    """``text`` in the place of what is written at ``place``; a file that is not there yet is made by an edit of it."""

    place: Place
    text: str


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """A way to mend a finding without a person's help.

    ``summary``: what it does, as a title. ``changes``: what a rule asks for, in terms of the code; ``edits``: what the
    fix stage makes of them on the files' text, which is all that anybody needs behind it. ``safe``: what is right today
    goes on as it is, only what is wrong is refused; anything else wants a person's eye.
    """

    summary: str
    changes: tuple[AnyChange, ...] = ()
    edits: tuple[Edit, ...] = ()
    safe: bool = False


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule saw.

    ``message``: one or two sentences on what is wrong *here*, ending with a full stop; never the text of a secret.
    ``remedy``: how to mend it in this framework; empty means the rule's own documentation says it.
    ``trace``: the path by which it happens, cause first. ``secrets``: spans whose text must never leave the tool.
    ``shown``: overrides the rule's own ("strict" for a case that is only worth a look). ``commit``: hex id of the
    commit whose version of the file ``place`` is in, empty for what is scanned; ``evidence`` is then its line, masked.
    ``claim``: what a database's planner can be asked of it, ``proof``: what one said. ``request``: one that shows the
    mistake. ``assumed``: the steps that were not read, those of the ``trace`` among them; they decide how sure the
    finding is, and whether it may be called grave. ``fixes``: ways to mend it by machine, the best first. ``cause``:
    where that stands which one mend takes away for several findings of the rule; they are told as one, and ``beside``
    is what this one adds to another.
    """

    place: Place
    message: str
    remedy: str = ""
    assumed: Assumed = ()
    trace: tuple[Step, ...] = ()
    related: tuple[Step, ...] = ()
    evidence: str = ""
    scope: str = ""
    secrets: tuple[Place, ...] = ()
    fixes: tuple[Fix, ...] = ()
    shown: Shown | None = None
    severity: Severity | None = None
    commit: str = ""
    claim: Claim | None = None
    proof: Proof | None = None
    cause: Place | None = None
    beside: str = ""
    request: Request | None = None

    def __post_init__(self) -> None:
        on_the_way = (one for step in self.trace for one in step.supposed)
        msgspec.structs.force_setattr(self, "assumed", tuple(dict.fromkeys((*self.assumed, *on_the_way))))

    @property
    def confidence(self) -> Confidence:
        """How sure it is, by its weakest step."""
        return confidence(self.assumed)


def capitalized(text: str) -> str:
    """A phrase as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def everywhere(finding: Finding, others: Iterable[Step]) -> Iterator[Finding]:
    """A finding, and the same at the other places that its mend serves too; a step says what each has to do with it."""
    several = tuple(others)
    if not several:
        yield finding
        return
    yield msgspec.structs.replace(finding, cause=finding.place)
    for step in several:
        yield msgspec.structs.replace(
            finding, place=step.place, beside=step.text, cause=finding.place, scope="", trace=(), claim=None, fixes=()
        )


def documentation(function: Callable[..., object]) -> str:
    """A function's docstring; from its source where the interpreter was told to drop them (``PYTHONOPTIMIZE=2``)."""
    if function.__doc__ or sys.flags.optimize < 2:
        return function.__doc__ or ""
    tree = _parsed(function.__code__.co_filename)
    found = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function.__name__)
    return next((ast.get_docstring(node, clean=False) or "" for node in found), "")


@cache
def _parsed(path: str) -> ast.Module:
    with suppress(OSError, SyntaxError), open(path, encoding="utf-8") as file:
        return ast.parse(file.read())
    return ast.Module([], [])


Check = Callable[["Project"], Iterator[Finding]]
OptionT = TypeVar("OptionT", bool, int, str, list[str])


class Option(msgspec.Struct, frozen=True):
    """A typed option that a rule declares and the configuration may set under ``[options."family/name"]``."""

    name: str
    default: bool | int | str | tuple[str, ...]
    help: str


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says of itself. ``id`` is ``family/name``; ``module`` is where it was defined."""

    id: str
    severity: Severity
    shown: Shown
    cwe: tuple[int, ...]
    owasp: tuple[str, ...]
    tags: tuple[str, ...]
    doc: str
    module: str
    about_files: bool = False
    options: tuple[Option, ...] = ()
    aliases: tuple[str, ...] = ()
    local: bool = False
    needs: tuple[str, ...] = ("code",)

    @property
    def family(self) -> str:
        return self.id.partition("/")[0]

    @property
    def name(self) -> str:
        return self.id.partition("/")[2]


class Rule(Declaration, frozen=True, kw_only=True):
    """A named question to the project."""

    check: Check


def rule(
    id: str,
    *,
    severity: Severity,
    cwe: tuple[int, ...] | int = (),
    owasp: tuple[str, ...] = (),
    shown: Shown = "core",
    tags: tuple[str, ...] = ("security",),
    about_files: bool = False,
    options: tuple[Option, ...] = (),
    aliases: tuple[str, ...] = (),
    local: bool = False,
    needs: tuple[str, ...] = ("code",),
) -> Callable[[Check], Rule]:
    """Turn a generator ``Project -> Finding`` into a :class:`Rule`.

    ``owasp`` names entries such as ``"A04:2025"``, ``"A02:2021"``, ``"API2:2023"``. ``about_files`` marks the few rules
    whose subject is a file itself; all others select through the project's indexes. ``local`` marks those that judge a
    file by itself, so that a hook may ask them about the staged files alone. ``needs`` names what has to be extracted
    for a rule: ``code`` (of every Python file), which a rule about literal credentials alone does without; ``bandit``;
    ``history``, without which the rule does not run.
    """

    def wrap(check: Check) -> Rule:
        return Rule(
            id=id,
            check=check,
            severity=severity,
            shown=shown,
            cwe=(cwe,) if isinstance(cwe, int) else tuple(cwe),
            owasp=owasp,
            tags=tags,
            doc=documentation(check),
            module=check.__module__,
            about_files=about_files,
            options=options,
            aliases=aliases,
            local=local,
            needs=needs,
        )

    return wrap
