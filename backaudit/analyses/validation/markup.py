"""HTML that is put together without escaping: in code, in the answers of views, in templates."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.validation.client_input import ClientInput
from backaudit.analyses.validation.raw_rows import stored_by_sql
from backaudit.analyses.validation.rendering import always_there, filters, flashed, marks, passes
from backaudit.analyses.validation.sinks import Flow, Flows, Sink
from backaudit.backend.data.schema import schema
from backaudit.backend.web.inline import inline_templates
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import client_input, routes
from backaudit.backend.web.templates import Context, Printed, contexts, has_element, printed, rendered_by
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.flow.rows import assigned, is_model
from backaudit.flow.trace import ANY, Access, Origin, Trace
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.declarations import annotation_of
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning

_TEXTS = meaning("columns", "text-type")
_MADE = meaning("texts", "made-markup")
BY_ENDING = "the template's ending"
EVERYWHERE = "escaping turned off for all templates"
_PAGE_KEYWORDS = ("response_class", "media_type")


class Shown(msgspec.Struct, frozen=True):
    """A template prints ``printed`` unescaped; ``what`` it is; ``origin``: the client's input behind it, if known.

    ``others``: what else the template prints for the same reason, where one mend takes them all away.
    """

    printed: Printed
    what: str
    why: str
    origin: Origin | None = None
    others: tuple[Place, ...] = ()


def escaping_off(project: Project) -> tuple[Node, ...]:
    """Settings that turn escaping off for all templates of a web framework. Ask with ``project.once``."""
    found: list[Node] = []
    for call in _keyword_calls(project):
        if project.role(call.code.path) == "production":
            found.append(call)
    for code in project.mentioning("autoescape"):
        for node in code.nodes(ops.SetAttr):
            op = node.op
            if isinstance(op, ops.SetAttr) and op.name == "autoescape" and node.to(op.value).const is False:
                found.append(node)
    return tuple(node for node in found if project.role(node.code.path) == "production")


def _keyword_calls(project: Project) -> Iterator[Node]:
    for name in sorted(project.models.kinds.get("template-setups", frozenset())):
        for call in project.calls(name):
            given = call.arg(None, "autoescape")
            if given is not None and given.const is False:
                yield call


def returned_html(project: Project) -> Iterator[Flow]:
    """Views whose returned text is sent as HTML, and that put client input into it."""
    flows = Flows(project, "html")
    for route in routes(project):
        code = route.handler
        if _is_encoded(project, route):
            continue
        if (
            not (project.models.framework(route.framework).texts_are_html or _declares_page(route))
            or code.file.role != "production"
            or code.function.kind == "class"
        ):
            continue
        for node in code.nodes(ops.Return) if not _says_other_type(code) else ():
            body = _body(node)
            if body is not None:
                flow = flows.into(Sink(node, body, "return"))
                if flow is not None:
                    yield flow


def _is_encoded(project: Project, route: Route) -> bool:
    """Whether the library sends what the methods of such a view return as JSON, texts too."""
    encoding = project.models.kinds["encoding-views"]
    return route.view is not None and not encoding.isdisjoint(project.lineage(route.view.name))


def _declares_page(route: Route) -> bool:
    """Whether a route says that it answers with HTML: by a class of answers, or by the type of its answers."""
    given = [route.declared.arg(None, name) for name in _PAGE_KEYWORDS] if route.declared is not None else []
    return any("html" in (node.text or node.spelled).lower() for node in given if node is not None)


def _says_other_type(code: Code) -> bool:
    """Whether a view sets the type of its answer to something that is no page: ``response.content_type = …``."""
    for node in code.nodes(ops.SetAttr):
        op = node.op
        if isinstance(op, ops.SetAttr) and op.name in ("content_type", "mimetype"):
            return "html" not in (node.to(op.value).text or "html")
    return False


def _body(node: Node) -> Node | None:
    """What a view answers, if it is text: of a tuple the first item, unless headers say another type."""
    op = node.op
    if not isinstance(op, ops.Return) or op.value == NONE:
        return None
    value = node.to(op.value).origin
    if isinstance(value.op, ops.Build) and value.op.kind == "tuple" and value.op.items:
        value = value.to(value.op.items[0]).origin if len(value.op.items) < 3 else value
    return value if _is_text_made(node.code.project, value) else None


@cut_circles(otherwise=False, remembered=True)
def _is_text_made(project: Project, value: Node) -> bool:
    """Whether a value is surely text: put together as one, or read from a form, a query or the path."""
    value = value.origin
    op = value.op
    if isinstance(op, ops.Build):
        return op.kind == "fstring"
    if isinstance(op, ops.Bin):
        return op.operator in ("+", "%") and _has_text_side(project, value, op)
    if isinstance(op, ops.Phi):
        return any(_is_text_made(project, value.to(each)) for each in op.values)
    if isinstance(op, ops.Call):
        return _gives_text(project, value)
    if isinstance(op, (ops.Item, ops.Attr)):
        return _is_query(project, value.to(op.base))
    return isinstance(op, ops.Param) and project.types(value) in ((), ("builtins.str",)) and _is_placeholder(value, op)


def _has_text_side(project: Project, value: Node, op: ops.Bin) -> bool:
    sides = [value.to(side) for side in (op.left, op.right)]
    return any(side.text is not None or _is_text_made(project, side) for side in sides)


def _gives_text(project: Project, call: Node) -> bool:
    """Whether a call surely gives text: a method of texts, a read of a query, a function that puts one together."""
    given = [value for code in project.callees(call) for value in code.returned()]
    if given:
        return any(_is_text_made(project, each) for each in given)
    return call.is_call_of("gives-text") or (call.receiver is not None and _is_query(project, call.receiver))


def _is_query(project: Project, node: Node) -> bool:
    said = {project.models.sources.get(name, "") for name in project.names(node)}
    return any("query" in what or "form" in what or "cookie" in what for what in said)


def _is_placeholder(node: Node, op: ops.Param) -> bool:
    param = client_input(node.code.project, node.code, op.index)
    return param is not None and param.where == "path"


def shown_unescaped(project: Project) -> Iterator[Shown]:
    """Values that templates print unescaped and that a client gave, now or before."""
    everywhere = EVERYWHERE if project.once(escaping_off) else ""
    inline = project.once(inline_templates)
    given = project.once(contexts) | {template.name: (template.context,) for template in inline}
    written = [each for template in inline for each in template.prints]
    of_template: dict[str, list[Shown]] = {}
    for each in (*project.once(printed), *written):
        ending = _by_ending(project, each)
        why = _why(project, each) or everywhere or ending
        if not why or _MADE.holds(each.path[-1].lower()):
            continue
        shown = next(_of_contexts(project, each, why, given), None) or _of_globals(project, each, why)
        if shown is not None and why == ending:
            of_template.setdefault(each.template, []).append(shown)
        elif shown is not None:
            yield shown
    for first, *more in of_template.values():
        yield msgspec.structs.replace(first, others=tuple(other.printed.place for other in more))


def _by_ending(project: Project, each: Printed) -> str:
    """Whether the ending of the template keeps what renders it from escaping: ``page.jinja`` in Flask."""
    endings = tuple(project.models.kinds["escaped-endings"])
    if each.template.endswith(endings) or not project.once(_ending_decides):
        return ""
    return BY_ENDING if each.template in project.once(_pages) else ""


def _pages(project: Project) -> frozenset[str]:
    return frozenset(file.path for file in project.artefacts("template") if has_element(file.text))


def _ending_decides(project: Project) -> bool:
    kinds = project.models.kinds
    rendered = any(True for _ in project.calls(*sorted(kinds["escapes-by-ending"])))
    set_ = {"autoescape", *kinds["escaping-choosers"]}
    chosen = any(
        isinstance(op, ops.SetAttr) and op.name in set_
        for code in project.mentioned(set_.__contains__)
        for op in code.ops
    )
    overridden = any(not kinds["escaping-choosers"].isdisjoint(cls.methods) for cls in project.classes())
    return rendered and not chosen and not overridden


def _why(project: Project, each: Printed) -> str:
    """Why something is not escaped where it is printed; empty if it is, or if a filter of the project cleans it."""
    own = project.once(filters)
    used = [own[name] for name in each.filters if name in own]
    if any(not passes(project, code) for code in used):
        return ""
    marking = next((name for name in each.filters if name in own and marks(project, own[name])), "")
    return each.why or (f"the filter `{marking}`, which marks it as safe" if marking else "")


def _of_contexts(project: Project, each: Printed, why: str, given: dict[str, tuple[Context, ...]]) -> Iterator[Shown]:
    for name, known in sorted(given.items()):
        for context in known:
            if rendered_by(project, each, context, name):
                shown = _judge(project, each, why, context.values)
                if shown is not None:
                    yield shown


def _of_globals(project: Project, each: Printed, why: str) -> Shown | None:
    """What no code hands to the template: objects that it always has, and messages that wait for it."""
    root, access = _resolve(each)
    if root in ("get_flashed_messages", "messages"):
        for message in project.once(flashed):
            found = _judge_value(project, each, why, message, ())
            if found is not None:
                return found
        return None
    node = project.once(always_there).get(root)
    shown = _judge_value(project, each, why, node, access) if node is not None else None
    if shown is None or shown.origin is None or len(shown.origin.steps) > 1:
        return shown
    # The template asks for it itself: where else the code mentions it is no step of the way.
    return msgspec.structs.replace(shown, origin=msgspec.structs.replace(shown.origin, steps=()))


def _judge(project: Project, each: Printed, why: str, context: dict[str, Node]) -> Shown | None:
    root, access = _resolve(each)
    node = context.get(root)
    return _judge_value(project, each, why, node, access) if node is not None else None


def _judge_value(project: Project, each: Printed, why: str, node: Node, access: Access) -> Shown | None:
    if _is_widget(project, node, access):
        return None
    use = len(node.code.ops)
    # An address that begins with a fixed part, or that a redirect may lead to, is no script.
    kind = "redirect" if each.address else "html"
    origin = next(Trace(project, ClientInput(project, kind)).origins(node, access, use), None)
    if origin is not None:
        return Shown(each, origin.what, why, origin)
    if each.address:
        return None
    said = ".".join(each.path)
    column = stored_by_sql(project, node, access, each.path[-1])
    if column is not None:
        return Shown(each, f"`{said}` is stored text of the table `{column}`", why)
    owner = _stored_text(project, node, access) if each.raw else None
    return Shown(each, f"`{said}` is stored text of a `{owner}`", why) if owner is not None else None


def _is_widget(project: Project, node: Node, access: Access) -> bool:
    """``{{ form.name }}`` is the form's own HTML, whose values it has escaped."""
    forms = project.models.kinds["forms"]
    of_form = any(not forms.isdisjoint(project.lineage(split(name)[0])) for name in project.types(node))
    return of_form and bool(access) and not {"data", "value", "cleaned_data", "errors"} & set(map(str, access))


def _resolve(each: Printed) -> tuple[str, Access]:
    """The variable of the context behind a path, and which part of it is printed."""
    root, access = each.path[0], tuple(each.path[1:])
    full: Access = access
    for names, over in reversed(each.loops):
        if root in names and over:
            element: Access = (ANY,) if len(names) == 1 else (ANY, names.index(root))
            root, full = over[0], (*over[1:], *element, *full)
    return root, full


def _stored_text(project: Project, node: Node, access: Access) -> str | None:
    """The class of rows, if this part of a value is one of its texts."""
    for name in project.types(node):
        owner = _descend(project, name, access)
        if owner:
            return owner
    return None


def _descend(project: Project, name: str, access: Access) -> str:
    head, over = split(name)
    while over and access[:1] == (ANY,):
        head, over = split(over)
        access = access[1:]
    cls = project.class_named(head)
    if cls is None or len(access) != 1:
        return ""
    field = access[0]
    if isinstance(field, int):
        fields = [n for n, f in cls.fields.items() if isinstance(f.op, ops.Bind) and f.op.annotation != NONE]
        field = fields[field] if field < len(fields) else ""
    return cls.cls.name if _is_text(project, cls, str(field)) and not _is_servers(project, cls, str(field)) else ""


def _is_servers(project: Project, cls: ClassView, field: str) -> bool:
    """Whether all that is ever stored in a column is seen, and a client's text is not among it."""
    kinds = project.models.kinds
    holders = sorted(kinds.get("forms", frozenset()) | kinds.get("schemas", frozenset()))
    for holder in project.subclasses(*holders):
        meta = holder.inner.get("Meta")
        if meta is not None and "model" in meta.fields and cls in project.denoted_classes(meta.fields["model"].origin):
            return False
    writes = list(_writes(project, cls, field))
    return bool(writes) and not any(
        value is None or any(True for _ in Trace(project, ClientInput(project, "html")).origins(value, (), at.value))
        for at, value in writes
    )


def _writes(project: Project, cls: ClassView, field: str) -> Iterator[tuple[Node, Node | None]]:
    """(where, what) is stored in a column; what is None where it cannot be told."""
    for call in project.constructions(cls):
        given = call.keywords().get(field)
        if call.call is not None and (given is not None or call.call.dstar or call.call.args):
            yield call, given
    for method in ("create", "get_or_create", "update_or_create", "update", "bulk_create"):
        for call in project.calls_of(method):
            types = project.types(call.receiver) if call.receiver is not None else ()
            if any(cls.name in name for name in types):
                yield call, call.keywords().get(field)
    yield from ((write.at, write.value) for write in assigned(project, cls, field))


def _is_text(project: Project, cls: ClassView, name: str) -> bool:
    if _MADE.holds(name.lower()):
        return False
    table = project.once(schema).of_model(cls.name)
    column = table.column(name) if table is not None else None
    if column is not None:
        return _TEXTS.holds(column.type.lower())
    rows = is_model(project, cls.name) or "typing.NamedTuple" in project.lineage(cls.name)
    field = cls.fields.get(name)
    annotation = annotation_of(field) if rows and field is not None else None
    return annotation is not None and "builtins.str" in project.annotated(annotation)
