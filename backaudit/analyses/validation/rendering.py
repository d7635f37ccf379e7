"""What the project adds to templates: filters, environments, objects that every template has, flashed messages."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from backaudit.analyses.validation.client_input import ClientInput
from backaudit.analyses.validation.sinks import Flow, Flows, Sink
from backaudit.backend.deployment.django_settings import dict_entry
from backaudit.backend.deployment.settings import settings_named
from backaudit.backend.web.inline import inline_templates
from backaudit.backend.web.templates import mapping
from backaudit.facts import ops
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Trace
from backaudit.project import Code, Node, Project
from backaudit.project.declarations import items, texts
from backaudit.project.locate import behind, decorated

_SUFFIXES = (".html", ".htm", ".xhtml", ".xml", ".svg")


def filters(project: Project) -> dict[str, Code]:
    """The project's own filters for templates, by name. Ask with ``project.once``."""
    known = project.models.kinds["filter-decorators"]
    found: dict[str, Code] = {}
    for path in sorted(project.files):
        file = project.files[path]
        for index, function in enumerate(file.facts.functions):
            for decorator in file.code(index).decorators if function.decorators else ():
                asked = decorator.func or decorator
                if known.isdisjoint(project.names(asked)):
                    continue
                named = decorator.arg(0, "name")
                found[(named.text if named is not None else None) or function.name] = file.code(index)
    for code in project.mentioning("filters"):
        found.update(_registered(project, code))
    return found


def _registered(project: Project, code: Code) -> Iterator[tuple[str, Code]]:
    """``environment.filters["name"] = function``."""
    for node in code.nodes(ops.SetItem):
        op = node.op
        if not isinstance(op, ops.SetItem):
            continue
        base, name = node.to(op.base).origin, node.to(op.key).text
        if name and isinstance(base.op, ops.Attr) and base.op.name == "filters":
            yield from ((name, edge.code) for edge in project.graph.targets(node.to(op.value)))


class _Given(ClientInput):
    """The first parameter of a filter, unescaped."""

    def __init__(self, project: Project, code: Code) -> None:
        super().__init__(project, "html")
        self._code = code

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        op = node.op
        return "the value" if isinstance(op, ops.Param) and node.code is self._code and op.index == 0 else None

    def through(self, search: Search, call: Node) -> list[Node]:
        """What an unknown function makes of a text may still be its markup."""
        return [] if search.project.callees(call) else call.args()


def passes(project: Project, code: Code) -> bool:
    """Whether a filter gives back what it got with its markup."""
    return any(
        next(Trace(project, _Given(project, code)).origins(value, (), value.value + 1), None) is not None
        for value in code.returned()
    )


def marks(project: Project, code: Code) -> bool:
    """Whether a filter tells the template that what it gives is markup already."""
    made = [each for value in code.returned() for each in behind(project, value) if each.func is not None]
    return any(
        not project.models.kinds["marks-safe"].isdisjoint(project.names(each.func))
        for each in made
        if each.func is not None
    )


# -- objects that templates always have --------------------------------------------------------------------------------


def always_there(project: Project) -> dict[str, Node]:
    """A value for each object that templates find under its own name (``g``, ``session``, ``request``)."""
    found: dict[str, Node] = {}
    for entry in sorted(project.models.kinds["template-globals"]):
        name, _, full = entry.partition("=")
        for code in project.mentioning(name):
            named = [node for node in (*code.nodes(ops.Name), *code.nodes(ops.Param)) if _is(node, name)]
            node = next((n for n in named if full in (*project.names(n), *project.types(n))), None)
            if node is not None and project.role(code.path) == "production":
                found.setdefault(name, node)
                break
    for code in _context_processors(project):
        for value in code.returned():
            found |= {name: node for name, node in mapping(project, value).items() if name not in found}
    return found


def unread_extension(project: Project) -> str:
    """A package that is given the application and whose code nobody has read: it may choose what is escaped."""
    known = {*project.models.packages, *sys.stdlib_module_names}
    own = {file.module.partition(".")[0] for file in project.files.values()}
    for call in project.calls_of("init_app"):
        names = project.names(call.func) if call.func is not None else ()
        packages = (name.partition(".")[0] for name in names if not name.startswith("*"))
        unread = next((package for package in packages if package not in known and package not in own), "")
        if unread:
            return unread
    return ""


def _context_processors(project: Project) -> Iterator[Code]:
    """The functions whose mapping every template is given: registered by a decorator, or named in the settings."""
    kinds = project.models.kinds
    for decorator, target in project.once(decorated):
        asked = decorator.func or decorator
        if isinstance(target, Code) and not kinds["context-processors"].isdisjoint(project.names(asked)):
            yield target
    for path in sorted(kinds["listed-context-processors"]):
        setting, *keys = path.split(".")
        for known in settings_named(project, setting):
            named = (project.function_named(name) for name in _listed(project, known.value, keys))
            yield from (code for code in named if code is not None)


def _listed(project: Project, setting: Node, keys: list[str]) -> Iterator[str]:
    """The texts below some keys of each mapping of a list."""
    for item in items(setting):
        found: Node | None = item
        for key in keys:
            found = dict_entry(project, found, key) if found is not None else None
        yield from texts(project, found)


def _is(node: Node, name: str) -> bool:
    return getattr(node.op, "name", "") == name


def flashed(project: Project) -> list[Node]:
    """The messages that are kept until a template shows them."""
    kinds = project.models.kinds
    found = [call.arg(0, "message") for name in sorted(kinds["flashes"]) for call in project.calls(name)]
    for name in sorted(kinds["flashed-by-request"]):
        place = 2 if name.endswith("add_message") else 1
        found += [call.arg(place, "message") for call in project.calls(name)]
    return [node for node in found if node is not None and project.role(node.code.path) == "production"]


# -- environments that escape nothing ----------------------------------------------------------------------------------


def rendered_unescaped(project: Project) -> Iterator[Flow]:
    """Templates of an environment without escaping that are filled with what a client sent."""
    flows = Flows(project, "html")
    for call in project.calls_of("render"):
        receiver = call.receiver
        if receiver is None or project.role(call.code.path) != "production" or project.callees(call):
            continue
        if not any(_is_careless(project, made) for made in behind(project, receiver)):
            continue
        for value in call.args():
            flow = flows.into(Sink(call, value, "render"))
            if flow is not None:
                yield flow
                break


def _is_careless(project: Project, template: Node) -> bool:
    """Whether a template comes from an environment that does not escape, and is one of HTML."""
    if not template.is_call_of("gives-a-template") or template.receiver is None:
        return _is_page(project, template) and escapes_nothing(project, template)
    name = template.arg(0, "name")
    known = project.constant(name) if name is not None else None
    named = known is not None and (known.text or "").removesuffix(".j2").removesuffix(".jinja2").endswith(_SUFFIXES)
    careless = named or _is_page(project, template)
    return careless and any(escapes_nothing(project, made) for made in behind(project, template.receiver))


def _is_page(project: Project, template: Node) -> bool:
    """Whether a template is made of a text of the code that has elements of HTML."""
    return any(inline.made == template for inline in project.once(inline_templates))


def escapes_nothing(project: Project, made: Node) -> bool:
    """Whether an environment of templates escapes nothing: it is not told to."""
    if made.func is None or project.models.kinds["careless-environments"].isdisjoint(project.names(made.func)):
        return False
    told = made.arg(None, "autoescape")
    later = any(
        isinstance(op := made.to(effect).op, ops.SetAttr) and op.name == "autoescape"
        for effect in made.code.effects.get(made.value, ())
    )
    return not later and (told is None or told.const is False) and not (made.call is not None and made.call.dstar)
