"""Pages of libraries that anybody may open: administration and profilers that are mounted and never told who may."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from backaudit.backend.access.denial import tests_around
from backaudit.backend.deployment.settings import settings_named
from backaudit.backend.web.frameworks.django import library_views
from backaudit.facts.place import Place
from backaudit.models import OpenPages
from backaudit.project import ClassView, Node, Project
from backaudit.rule import KNOWN, Assumed, assume


class OpenAdmin(msgspec.Struct, frozen=True):
    """A class of administration pages (or its use, if it is a library's) that everybody may open."""

    place: Place
    name: str
    models: tuple[str, ...]


def open_admin(project: Project) -> tuple[OpenAdmin, ...]:
    """Views given to an admin site that never say who may see them."""
    found: dict[Place, list[str]] = {}
    names: dict[Place, str] = {}
    for call in project.calls_of("add_view"):
        view = call.arg(0)
        made = view.origin if view is not None else None
        if made is None or made.call is None or call.code.file.role != "production":
            continue
        for name in filter(partial(_asks_nobody, project), project.types(made)):
            root = _topmost(project, project.lineage(name))
            place = root.place if root is not None else made.place
            model = made.arg(0)
            found.setdefault(place, []).append(model.spelled if model is not None else "")
            names[place] = root.cls.name if root is not None else name.rpartition(".")[2]
    return tuple(OpenAdmin(place, names[place], tuple(dict.fromkeys(found[place]))) for place in sorted(found))


def _asks_nobody(project: Project, name: str) -> bool:
    bases = project.models.kinds.get("admin-views", frozenset())
    return not bases.isdisjoint(project.lineage(name)) and project.method(name, "is_accessible") is None


def _topmost(project: Project, lineage: tuple[str, ...]) -> ClassView | None:
    own = [cls for name in lineage if (cls := project.class_named(name)) is not None]
    return own[-1] if own else None


class OpenLibrary(msgspec.Struct, frozen=True):
    """Pages that a library opens to everybody, where they are mounted. ``closes``: what would close them."""

    place: Place
    name: str
    path: str
    what: str
    closes: str
    assumed: Assumed = KNOWN


def open_libraries(project: Project) -> tuple[OpenLibrary, ...]:
    """The mounts of such pages that nothing closes, by place."""
    found = (*_included(project), *_made(project))
    kept = {item.place: item for item in found if project.role(item.place.path) == "production"}
    return tuple(kept[place] for place in sorted(kept))


def _included(project: Project) -> Iterator[OpenLibrary]:
    """URLs that are included, and blueprints that are registered."""
    known = project.models.open_pages
    for view in project.once(library_views):
        pages = known.get(view.name)
        if pages is not None and not _closed(project, pages):
            closes, when = f"`{pages.setting} = True`", _mounted(view.declared)
            yield OpenLibrary(view.place, view.name, view.path, pages.what, closes, when)
    for call in project.calls_of("register_blueprint"):
        given = call.arg(0, "blueprint")
        for name in project.names(given) if given is not None else ():
            pages = known.get(name)
            if pages is not None and not (_closed(project, pages) or _is_hooked(project, name)):
                prefix = call.arg(None, "url_prefix")
                path = (prefix.text if prefix is not None else "") or ""
                yield OpenLibrary(call.place, name, path, pages.what, f"`{pages.setting}`", _mounted(call))


def _made(project: Project) -> Iterator[OpenLibrary]:
    """Administrations that are constructed without what asks for a login."""
    for name, pages in sorted(project.models.open_pages.items()):
        for call in project.calls(name) if pages.argument else ():
            given = call.arg(None, pages.argument)
            spread = call.call is not None and bool(call.call.dstar)
            if given is None and not spread:
                yield OpenLibrary(call.place, name, "", pages.what, f"`{pages.argument}=…`", _mounted(call))


def _mounted(call: Node) -> Assumed:
    """What is supposed of pages that are mounted under a condition: such are for development as a rule."""
    conditional = any(True for _ in tests_around(call))
    return assume("stage", "the condition of its mount holds in what is deployed") if conditional else KNOWN


def _is_hooked(project: Project, blueprint: str) -> bool:
    """Whether something is run before each page of a library's blueprint: ``blueprint.before_request(is_admin)``."""
    hooks = (call for name in sorted(project.models.kinds["hook-methods"]) for call in project.calls_of(name))
    receivers = (call.receiver for call in hooks)
    return any(receiver is not None and blueprint in project.names(receiver) for receiver in receivers)


def _closed(project: Project, pages: OpenPages) -> bool:
    return bool(pages.setting) and bool(settings_named(project, pages.setting))
