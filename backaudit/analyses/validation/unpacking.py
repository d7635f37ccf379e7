"""Whether what unpacks objects makes any that the text asks for, code of an attacker's choice among them."""

from __future__ import annotations

from backaudit.analyses.validation.sinks import Flow
from backaudit.project import Node, Project
from backaudit.rule import KNOWN, Assumed, assume


def runs_what_it_unpacks(project: Project, flow: Flow) -> Assumed | None:
    """What is supposed where a call unpacks whatever it is sent, None where its loader or a switch makes it safe."""
    call = flow.harm
    if flow.name.startswith("yaml."):
        return _by_loader(project, call)
    if flow.name.startswith("numpy."):
        return KNOWN if _is_on(call, "allow_pickle") else None
    if flow.name.startswith("torch."):
        return None if _is_on(call, "weights_only") else KNOWN
    return KNOWN


def _by_loader(project: Project, call: Node) -> Assumed | None:
    loader = call.arg(1, "Loader")
    names = _lineage(project, loader) if loader is not None else []
    if any("Safe" in name or "BaseLoader" in name for name in names):
        return None
    old = any("FullLoader" in name for name in names)
    return assume("purpose", "the installed PyYAML is an old one") if old else KNOWN


def _is_on(call: Node, switch: str) -> bool:
    given = call.arg(None, switch)
    return given is not None and given.const is True


def _lineage(project: Project, loader: Node) -> list[str]:
    """The names of a loader's class, and of those that it is derived from."""
    own = (name for cls in project.denoted_classes(loader) for name in project.lineage(cls.name))
    return [*project.names(loader), *own]
