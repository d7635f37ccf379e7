"""HTML templates: what they print without escaping, and the values that the code hands to them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

import msgspec

from backaudit.facts import ops
from backaudit.facts.place import Place, Span
from backaudit.project import Node, Project

_OPENING = re.compile(r"\{[#{%]")
_CLOSING = {"{#": "#}", "{{": "}}", "{%": "%}"}
_FOR = re.compile(r"for\s+\(?\s*([\w\s,]+?)\s*\)?\s+in\s+([\w.]+)")
_DATA = re.compile(r"type\s*=\s*[\"'](application/(ld\+)?json|text/(x-)?(template|html)[^\"']*)[\"']", re.IGNORECASE)
_WIDTH = 4000  # signs back from what is printed
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)\s*=\s*("[^"]*"?|'[^']*'?|[^\s"'>]*)""")
_ADDRESS = "its place at the start of an address, where `javascript:` runs"
_PATH = re.compile(r"\s*([A-Za-z_]\w*(?:\.\w+)*)\s*")
_FILTER = re.compile(r"\|\s*(\w+)")
_ELEMENT = re.compile(r"<[a-z][a-z0-9]*[\s>/]|\{%-?\s*extends\b", re.I)
_HTML = (".html", ".htm", ".jinja2", ".jinja", ".j2", ".xhtml")


class Printed(msgspec.Struct, frozen=True):
    """``{{ path }}`` in a template; ``why``: what turns escaping off there, empty if nothing does.

    ``loops``: for each loop around it, its variables and the path that it runs over. ``filters``: in their order.
    ``raw``: it is printed as it is; else it is escaped, for another place than where it stands. ``address``: that is
    where an address begins, which only the right scheme makes harmless.
    """

    template: str
    place: Place
    path: tuple[str, ...]
    why: str
    loops: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    filters: tuple[str, ...] = ()
    raw: bool = True
    address: bool = False


def _is_page(project: Project, path: str) -> bool:
    """Whether a template is a page of the program, and rendered."""
    return path.endswith(_HTML) and project.role(path) == "production" and not _is_served_as_it_is(path)


def _is_served_as_it_is(path: str) -> bool:
    """Whether a page is sent to browsers unrendered, whose own templates may look alike."""
    folders = path.split("/")[:-1]
    return "static" in folders and "templates" not in folders


def printed(project: Project) -> tuple[Printed, ...]:
    """Everything that HTML templates print and do not escape by a filter, by file. Ask with ``project.once``."""
    pages = (file for file in project.artefacts("template") if _is_page(project, file.path))
    return tuple(each for file in pages for each in scanned(project, file.path, file.text))


def has_element(text: str) -> bool:
    """Whether a template has an element of HTML, or stands in a page: a mail in plain text has nothing to escape."""
    return bool(_ELEMENT.search(text))


def scanned(project: Project, path: str, text: str) -> Iterator[Printed]:
    """What a template prints; its places are those in its own text."""
    addresses = project.models.kinds["html-addresses"]
    escaping, of_html = project.models.kinds["escaping-filters"], project.models.kinds["html-filters"]
    loops: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    off: list[bool] = []
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    tokens = list(_tokens(text))
    page = _without(text, tokens)
    scripts = list(_scripts(page))
    for start, token in tokens:
        inside = token[2:-2].removeprefix("-").removesuffix("-")
        if token.startswith("{%"):
            _tag(inside.strip(), loops, off)
        elif token.startswith("{{"):
            names, filters = _printed_names(inside), tuple(_FILTER.findall(inside))
            escaped = escaping & set(filters)
            if not names or escaped - of_html:
                continue
            why = "the filter `safe`" if "safe" in filters else "`autoescape` off" if off and off[-1] else ""
            where = "" if why else _unescaped_place(page, start, scripts, addresses)
            if not escaped or where:
                place = _place(path, starts, start, token)
                yield Printed(path, place, names, why or where, tuple(loops), filters, not where, where == _ADDRESS)


def _printed_names(inside: str) -> tuple[str, ...]:
    """The names of a dotted path that is printed, with or without filters; none of anything else."""
    found = _PATH.match(inside)
    whole = found is not None and (found.end() == len(inside) or inside[found.end()] == "|")
    return tuple(found[1].split(".")) if found is not None and whole else ()


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Comments, tags and what is printed: each closed by the next end of its kind, with where it starts."""
    at = 0
    missing: set[str] = set()
    while (opening := _OPENING.search(text, at)) is not None:
        closing = _CLOSING[opening[0]]
        end = text.find(closing, opening.end()) if closing not in missing else -1
        if end < 0:
            missing.add(closing)  # nothing of this kind ends from here on: it is not looked for again
            at = opening.start() + 1
        else:
            at = end + 2
            yield opening.start(), text[opening.start() : at]


def _without(text: str, tokens: list[tuple[int, str]]) -> str:
    """The page with a letter for each sign of what the template engine replaces."""
    pieces, at = [], 0
    for start, token in tokens:
        pieces += [text[at:start], "x" * len(token)]
        at = start + len(token)
    return "".join([*pieces, text[at:]])


def _scripts(page: str) -> Iterator[tuple[int, int]]:
    """From where to where the page's scripts go; those that hold data are none."""
    lowered, at = page.lower(), 0
    while (opening := lowered.find("<script", at)) >= 0:
        start = page.find(">", opening)
        end = lowered.find("</script", start) if start >= 0 else -1
        if end < 0:
            return
        if not _DATA.search(page, opening, start):
            yield start, end
        at = end


def _unescaped_place(page: str, start: int, scripts: list[tuple[int, int]], addresses: frozenset[str]) -> str:
    """Where escaping for HTML does not help: in a script, and in some attributes."""
    within = next((first for first, last in scripts if first < start < last), None)
    if within is not None:
        line = page[max(within, page.rfind("\n", within, start), start - _WIDTH) : start]
        return "" if _is_quoted(line) else "its place in a script"
    before = page[max(0, page.rfind("<", max(0, start - _WIDTH), start)) : start]
    if not before.startswith("<") or not before[1:2].isalpha() or _is_closed(before):
        return ""
    return _place_in_tag(before, addresses)


def _place_in_tag(before: str, addresses: frozenset[str]) -> str:
    """The same in a tag, of which ``before`` is what stands before the place."""
    last = next((found for found in _ATTRIBUTE.finditer(before) if found.end() == len(before)), None)
    if last is None:
        return ""
    name, given = last[1].lower(), last[2]
    quote = given[:1] if given[:1] in ("'", '"') else ""
    if quote and len(given) > 1 and given.endswith(quote):
        return ""
    if not quote:
        return "its place in an attribute without quotes"
    if name.startswith("on"):
        return "its place in the script of an attribute"
    tag = before[1:].split(None, 1)[0].lower()
    return _ADDRESS if f"{tag} {name}" in addresses and not given[1:].strip() else ""


def _is_closed(tag: str) -> bool:
    """Whether a tag has ended: a ``>`` outside of quotes."""
    quote = ""
    for sign in tag:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == ">":
            return True
    return False


def _is_quoted(line: str) -> bool:
    """Whether a line of a script has a text open at its end, or is a comment."""
    return "//" in line or any(line.count(quote) % 2 for quote in ("'", '"', "`"))


def _tag(tag: str, loops: list[tuple[tuple[str, ...], tuple[str, ...]]], off: list[bool]) -> None:
    words = tag.split()
    if not words:
        return
    if words[0] == "for":
        found = _FOR.match(tag)
        names = tuple(name.strip() for name in found[1].split(",")) if found else ()
        loops.append((names, tuple(found[2].split(".")) if found else ()))
    elif words[0] == "endfor" and loops:
        loops.pop()
    elif words[0] == "autoescape":
        off.append(words[1:2] in (["false"], ["off"], ["False"]))
    elif words[0] == "endautoescape" and off:
        off.pop()


def _place(path: str, starts: list[int], start: int, token: str) -> Place:
    line = bisect_right(starts, start)
    column = start - starts[line - 1]
    width = len(token.split("\n")[0])
    return Place(path, Span(line, column, line, column + width))


class Context(msgspec.Struct, frozen=True):
    """What ``path`` hands to a template: values by their names there."""

    path: str
    values: dict[str, Node]


def contexts(project: Project) -> dict[str, tuple[Context, ...]]:
    """What the code hands to each template, by the template's name as the code writes it."""
    found: dict[str, list[Context]] = {}
    for call in (call for last in sorted(project.models.kinds["renderers"]) for call in project.calls_of(last)):
        name = _template_of(call)
        if name and project.role(call.code.path) == "production":
            found.setdefault(name, []).append(Context(call.code.path, handed(project, call)))
    for name, path, context in _decorated(project):
        found.setdefault(name, []).append(Context(path, context))
    return {name: tuple(given) for name, given in found.items()}


def _template_of(call: Node) -> str:
    """The name of the file that a call renders."""
    texts = (arg.text for arg in [*call.args()[:3], *_named(call)] if arg is not None)
    return next((text for text in texts if text and "." in text), "")


def _named(call: Node) -> list[Node]:
    return [value for name, value in call.keywords().items() if name in ("name", "template_name")]


def rendered_by(project: Project, each: Printed, context: Context, name: str) -> bool:
    """Whether a context goes to the template that prints: of several of one name, to the nearest in the tree."""
    if not (each.template == name or each.template.endswith("/" + name)):
        return False
    names = project.once(_templates).get(name.rpartition("/")[2], ())
    rivals = [path for path in names if path == name or path.endswith("/" + name)]
    own = _shared(each.template, context.path)
    return own == max((_shared(path, context.path) for path in rivals), default=own)


def _templates(project: Project) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for file in project.artefacts("template"):
        found.setdefault(file.path.rpartition("/")[2], []).append(file.path)
    return {name: tuple(paths) for name, paths in found.items()}


def _shared(one: str, other: str) -> int:
    """How many folders two paths have in common from the top."""
    pairs = zip(one.split("/")[:-1], other.split("/")[:-1], strict=False)
    return next((depth for depth, (a, b) in enumerate(pairs) if a != b), min(one.count("/"), other.count("/")))


def handed(project: Project, call: Node) -> dict[str, Node]:
    """The values that a call gives to a template, by their names there."""
    own = project.models.kinds["renderer-parameters"]
    found = {name: value for name, value in call.keywords().items() if f"{call.method}.{name}" not in own}
    values = [*call.args(), *(call.origin.to(value) for value in (call.call.dstar if call.call is not None else ()))]
    for value in values:
        found |= mapping(project, value)
    return found


def mapping(project: Project, node: Node) -> dict[str, Node]:
    """The values of a dictionary by constant key: of its display, ``dict(…)``, and what is stored into it."""
    made = project.resolved(node)
    found: dict[str, Node] = {}
    if made.is_dict:
        found |= {key.text: value for key, value in made.entries() if key.text is not None}
    elif made.method == "dict":
        found |= made.keywords()
    elif made.is_call_of("template-contexts") and made.args():
        return mapping(project, made.args()[0])
    else:
        return {}
    for value in made.code.effects.get(made.value, ()):
        op = made.to(value).op
        if isinstance(op, ops.SetItem) and (name := made.to(op.key).text) is not None:
            found[name] = made.to(op.value)
    return found


def _decorated(project: Project) -> Iterator[tuple[str, str, dict[str, Node]]]:
    """``@template("name.html")`` over a handler that returns its context."""
    for file in project.files.values():
        for index, function in enumerate(file.facts.functions):
            if not function.decorators or file.role != "production":
                continue
            code = file.code(index)
            names = [d.arg(0, "template_name") for d in code.decorators if d.method in ("template", "jinja2_template")]
            returned = code.returned() if any(names) else []
            for name in (node.text for node in names if node is not None and node.text):
                yield from ((name, file.path, mapping(project, value)) for value in returned)
