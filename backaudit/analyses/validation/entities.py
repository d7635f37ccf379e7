"""Whether a parser of XML resolves the entities of what it parses."""

from __future__ import annotations

from backaudit.analyses.validation.sinks import Flow
from backaudit.project import Node, Project
from backaudit.project.locate import behind
from backaudit.rule import KNOWN, Assumed, assume


def resolves_entities(project: Project, flow: Flow) -> Assumed | None:
    """What is supposed where a parse resolves entities, None where it does not.

    lxml resolves entities unless told otherwise; since its version 5 it no longer reads files by itself.
    """
    if flow.name.startswith("xml."):
        return KNOWN if _asks_for_entities(project, flow.harm) else None
    parser = flow.harm.arg(1, "parser")
    made = project.resolved(parser) if parser is not None else None
    holder = flow.harm if made is None or made.call is None else made
    resolved = holder.arg(None, "resolve_entities")
    if resolved is None:
        return assume("settings", "the installed lxml is older than 5")
    return None if resolved.const in (False, "internal") else KNOWN


def _asks_for_entities(project: Project, parse: Node) -> bool:
    """Whether external entities are switched on for the parser: ``parser.setFeature(feature_external_ges, True)``."""
    given = parse.receiver if parse.method == "parse" and parse.arg(1) is None else None
    parser = parse.arg(1, "parser") or given
    return parser is not None and any(_is_switched_on(project, made) for made in behind(project, parser))


def _is_switched_on(project: Project, parser: Node) -> bool:
    for effect in parser.code.effects.get(parser.value, ()):
        call = parser.to(effect)
        feature, on = call.arg(0), call.arg(1)
        is_on = on is not None and on.const in (True, 1)
        if call.method != "setFeature" or feature is None or not is_on:
            continue
        if any("external" in name for name in (*project.names(feature), feature.text or "")):
            return True
    return False
