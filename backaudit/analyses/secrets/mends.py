"""Fixes of literal credentials: the code reads them from the environment, a sample file names them, never the value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from backaudit.analyses.secrets.remedies import variable
from backaudit.backend.deployment.settings import EnvLookup, env_lookups
from backaudit.facts import ops
from backaudit.facts.changes import AddLine, AnyChange, Import, Replace
from backaudit.facts.place import Place, Span
from backaudit.facts.secrets import Position, SecretHit
from backaudit.project import Code, Node, Project
from backaudit.project.changing import named_beside, needed, no_argument, written_from
from backaudit.rule import Fix

# Where any expression may stand in the literal's place.
_FREE: frozenset[Position] = frozenset(
    ("assignment", "attribute", "item", "keyword", "argument", "dict", "field", "comparison")
)

# Of Python's own look-ups, those that give None where a variable is not set.
_GIVING_NONE = frozenset(("os.getenv", "os.environ.get"))


def from_environment(project: Project, path: str, hits: Iterable[SecretHit]) -> Iterator[Fix]:
    """One credential, at every place of a file where it stands, read from the environment."""
    several = tuple(hits)
    name = _name(project, path, several[0]) if path in project.files else ""
    changes: list[AnyChange] = []
    for hit in several if name else ():
        made = tuple(_at(project, path, hit, name))
        if not made:
            return
        changes += made
    if changes:
        line = named_beside(project, path, f"{name}=")
        yield Fix(summary=f"Read it from the environment variable `{name}`", changes=(*changes, line))


def listed(project: Project, name: str) -> Fix:
    """A file's name in the project's first `.gitignore`, or in a new one."""
    files = [path for path in project.facts if path.rpartition("/")[2] == ".gitignore"]
    first = min(files, key=lambda path: (path.count("/"), path), default=".gitignore")
    target = first if "/" not in first else ".gitignore"
    return Fix(summary=f"List `{name}` in `{target}`", changes=(AddLine(target, name),), safe=True)


def _at(project: Project, path: str, hit: SecretHit, name: str) -> Iterator[AnyChange]:
    literal = _literal(project, path, hit.span)
    if literal is None:
        return
    lookup = project.once(_by_default).get(literal.place)
    if lookup is not None:
        yield from _without_default(lookup)
    elif hit.position == "field" and _field(literal) is not None:
        yield from _undefaulted(project, literal)
    elif hit.position in _FREE:
        # Of several configurations that are classes one is chosen: the others must not ask for what they need.
        is_chosen = literal.code.function.kind == "class" and _configurations(literal) > 1
        yield Replace(literal.place, f'os.environ.get("{name}")' if is_chosen else f'os.environ["{name}"]')
        yield Import(path, "os")


def _configurations(literal: Node) -> int:
    """How many classes of a file hold settings: names in upper case."""
    return sum(any(name.isupper() for name in cls.fields) for cls in literal.code.file.classes())


def _literal(project: Project, path: str, span: Span) -> Node | None:
    """The text that stands exactly there; None for bytes, and for a piece of a longer text."""
    file = project.files[path]
    for index, function in enumerate(file.facts.functions):
        if function.at.covers(span.line) or index == 0:
            found = next(_at_span(file.code(index), span), None)
            if found is not None:
                return found
    return None


def _at_span(code: Code, span: Span) -> Iterator[Node]:
    for node in code.nodes(ops.Const):
        if node.at == span and isinstance(node.op, ops.Const) and not node.op.binary:
            yield node


# -- the variable's name -----------------------------------------------------------------------------------------------


def _name(project: Project, path: str, hit: SecretHit) -> str:
    """What the variable is called; the file's own name before it where other credentials are called the same."""
    name = variable(hit)
    known = project.once(_digests)
    if hit.env or len(known.get(name, ())) <= 1:
        return name
    stem = re.sub(r"\W", "_", path.rpartition("/")[2].removesuffix(".py")).upper()
    longer = f"{stem}_{name}"
    same_file = {each.digest for each in project.facts[path].secrets if variable(each) == name}
    return longer if longer not in known and len(same_file) == 1 else ""


def _digests(project: Project) -> dict[str, set[str]]:
    """The values that are called the same, anywhere in the code."""
    found: dict[str, set[str]] = {}
    for path, hit in project.secrets():
        if path in project.files:
            found.setdefault(variable(hit), set()).add(hit.digest)
    return found


# -- defaults ----------------------------------------------------------------------------------------------------------


def _by_default(project: Project) -> dict[Place, EnvLookup]:
    """The looks at the environment, by the place of what stands in where it says nothing."""
    return {lookup.default.place: lookup for lookup in env_lookups(project) if lookup.default is not None}


def _without_default(lookup: EnvLookup) -> Iterator[AnyChange]:
    """A look-up that fails where the variable is not set."""
    call, default = lookup.call.origin, lookup.default
    name, second = call.arg(0), call.arg(1)
    if name is None or default is None:
        return
    names = call.code.project.names(call.func) if call.func is not None else ()
    if not _GIVING_NONE.isdisjoint(names):
        whole = _fallback(default) or call
        yield Replace(whole.place, "os.environ[{0}]", (name.place,))
        yield needed(call, "os")
    elif second is not None and second.value == default.value:
        yield written_from(name, second, "{0}", name)
    elif "default" in call.keywords():
        yield no_argument(call, "default")


def _fallback(default: Node) -> Node | None:
    """``lookup or default`` around a default."""
    for node in default.code.nodes(ops.Logic):
        op = node.op
        if isinstance(op, ops.Logic) and op.operator == "or" and op.values[1:] == (default.value,):
            return node
    return None


def _field(literal: Node) -> Node | None:
    """The binding with a type that gives a field a literal."""
    for bind in literal.code.nodes(ops.Bind):
        op = bind.op
        if isinstance(op, ops.Bind) and op.value == literal.value and op.annotation != ops.NONE:
            return bind
    return None


def _undefaulted(project: Project, literal: Node) -> Iterator[AnyChange]:
    """A field of a settings class without its default, so that the environment has to give it."""
    bind, cls = _field(literal), literal.code.cls
    if bind is None or cls is None or not isinstance(bind.op, ops.Bind):
        return
    settings = project.models.kinds["settings-classes"]
    if not settings.isdisjoint(project.lineage(cls.name)):
        annotation = bind.to(bind.op.annotation)
        yield written_from(annotation, literal, "{0}", annotation)
