"""The variables of the environment that a project reads, and which of them it cannot do without."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.deployment.settings import env_lookups
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.project import ClassView, Node, Project
from backaudit.project.locate import text_of
from backaudit.vocabulary.meaning import meaning

# Names that the machine or the platform gives, which nobody has to write down.
_GIVEN = meaning("readme", "given-variable")


class Variable(msgspec.Struct, frozen=True):
    """A variable where it is first read; ``required``: nothing stands in for it."""

    name: str
    place: Place
    required: bool


def variables(project: Project) -> tuple[Variable, ...]:
    """All that production code reads, by name in upper case. Ask with ``project.once``."""
    found: dict[str, Variable] = {}
    for one in sorted(_read(project), key=lambda one: one.place):
        known = found.get(one.name.upper())
        if not _GIVEN.holds(one.name) and project.role(one.place.path) == "production":
            found[one.name.upper()] = one if known is None else _both(known, one)
    return tuple(found[name] for name in sorted(found))


def _both(known: Variable, other: Variable) -> Variable:
    return msgspec.structs.replace(known, required=known.required or other.required)


def _read(project: Project) -> Iterator[Variable]:
    for lookup in project.once(env_lookups):
        yield Variable(lookup.name, lookup.place, lookup.default is None)
    yield from _by_key(project)
    for cls in project.subclasses(*sorted(project.models.kinds["settings-classes"])):
        yield from _fields(project, cls)


def _by_key(project: Project) -> Iterator[Variable]:
    """``os.environ["NAME"]``."""
    for code in project.mentioning("environ"):
        for node in code.nodes(ops.Item):
            op = node.op
            if isinstance(op, ops.Item) and node.to(op.base).spelled.rpartition(".")[2] == "environ":
                name = text_of(project, node.to(op.key))
                if name:
                    yield Variable(name, node.place, True)


def _fields(project: Project, cls: ClassView) -> Iterator[Variable]:
    """The fields of a class that fills itself from the environment."""
    prefix = _prefix(project, cls)
    for name, bind in cls.fields.items():
        op = bind.op
        if not isinstance(op, ops.Bind) or op.annotation == NONE:
            continue
        # What is only annotated has no value: nothing is known of it.
        value = bind.origin if not isinstance(bind.origin.op, ops.Opaque) else None
        alias = text_of(project, value.argument(("alias", "validation_alias", "env"))) if value is not None else None
        yield Variable(alias or prefix + name, bind.place, _is_required(project, value))


def _prefix(project: Project, cls: ClassView) -> str:
    config = cls.fields.get("model_config")
    inner = cls.inner.get("Config")
    given = config.origin.arg(None, "env_prefix") if config is not None else None
    if given is None and inner is not None:
        given = inner.fields.get("env_prefix")
    return (text_of(project, given) or "") if given is not None else ""


def _is_required(project: Project, value: Node | None) -> bool:
    """Nothing is given, or a ``Field`` that gives nothing."""
    if value is None:
        return True
    func = value.func
    wraps = func is not None and not project.models.kinds["settings-wrappers"].isdisjoint(project.names(func))
    if not wraps:
        return False
    default = value.arg(0, "default")
    stands_in = default is not None and not isinstance(default.origin.op, ops.Opaque)
    return not stands_in and value.arg(None, "default_factory") is None
